// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes src into x: {@code x[i,…,idx[i,…,k,…],…]} meets {@code src[i,…,k,…]}, in row-major order of src,
 * with the data-dependent index on the axis. PyTorch's scatter, scatter_add and scatter_reduce. x, idx and
 * src have one rank; src has idx's shape; idx may be smaller than x on the other axes.
 */
public record Scatter(int axis, Put.Mode mode) implements Indexed {

    @Override
    public String name() {
        return "scatter";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("mode", mode.toString());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 3);
        Gather.checkIndices(this, in, axis);
        Indexed.checkMode(this, in, mode);
        if (!in.get(2).shape().equals(in.get(1).shape())) {
            throw OpException.of(
                    name(),
                    in,
                    "source %s must have the indices' shape %s; slice or expand it",
                    in.get(2).shape(),
                    in.get(1).shape());
        }
        return List.of(in.get(0));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V idx = call.in(1);
        return Indexed.writeGradient(call, mode, new Places<>() {
            @Override
            public V read(V x) {
                return e.apply(new Gather(axis), x, idx);
            }

            @Override
            public V write(Put.Mode m, V x, V src) {
                return e.apply(new Scatter(axis, m), x, idx, src);
            }
        });
    }

    /** The same by {@link Put} on the flattened operands: for backends without a scatter. */
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        Shape shape = e.type(in.get(0)).shape();
        Shape n = Shape.of(e.type(in.get(1)).numel());
        V flat = e.reshape(in.get(0), Shape.of(shape.numel()));
        V idx = e.reshape(Gather.flatIndices(e, this, shape, in.get(1), axis), n);
        return List.of(e.reshape(e.apply(new Put(0, mode), flat, idx, e.reshape(in.get(2), n)), shape));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray r = in.get(0).reshaped(in.get(0).shape());
        RefArray idx = in.get(1);
        for (int i = 0; i < idx.size(); i++) mode.meet(r, Gather.target(this, r.shape(), idx, i, axis), in.get(2), i);
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        RefArray unique = RefArray.ofLongs(DType.I64, Shape.of(2, 3), 0, 3, -2, 2, 1, -4);
        RefArray repeated = RefArray.ofLongs(DType.I64, Shape.of(2, 5), 1, 3, 1, -1, 1, 0, 0, -4, 2, 0);
        for (Put.Mode m : Put.Mode.values()) {
            RefArray idx = m == Put.Mode.SET ? unique : repeated;
            s.add(new Sample(new Scatter(1, m), operands(DType.F64, idx, 2, 4), true));
            s.add(new Sample(new Scatter(1, m), operands(DType.F64, idx, 3, 4), true));
            s.add(new Sample(new Scatter(0, m), operands(DType.F32, repeated, 4, 6), false));
            s.add(new Sample(
                    new Scatter(1, m), operands(DType.F32, RefArray.zeros(Type.of(DType.I64, 2, 0)), 2, 3), false));
            RefArray many = Sample.uniform(Type.of(DType.I64, 3, 9, 2), -4, 4, 3);
            s.add(new Sample(new Scatter(1, m), operands(DType.F32, many, 3, 4, 5), false));
            for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8)) {
                s.add(new Sample(new Scatter(1, m), operands(t, repeated, 3, 4), false));
            }
        }
        s.add(new Sample(new Scatter(1, Put.Mode.SET), operands(DType.BOOL, repeated, 3, 4), false));
        return s;
    }

    /** x of these extents, {@code idx}, and a source of idx's shape; without ties. */
    private static List<RefArray> operands(DType t, RefArray idx, long... extents) {
        RefArray x = Sample.distinct(Type.of(t, extents), t.isFloat() ? -1.03 : 1, t.isFloat() ? 0.125 : 1, 1);
        RefArray src = Sample.distinct(new Type(t, idx.shape()), t.isFloat() ? -0.97 : 2, t.isFloat() ? 0.125 : 1, 2);
        return List.of(x, idx, src);
    }
}
