// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * {@code r[i,…,k,…] = x[i,…,idx[i,…,k,…],…]} with the data-dependent index on the axis: PyTorch's gather. x
 * and idx have one rank; on the other axes idx may be smaller than x.
 */
public record Gather(int axis) implements Indexed {

    @Override
    public String name() {
        return "gather";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        checkIndices(this, in, axis);
        return List.of(in.get(0).with(in.get(1).shape()));
    }

    /** Operand 1 is a fitting index for operand 0. */
    static void checkIndices(Op op, List<Type> in, int axis) {
        Rule.axis(op, in, 0, axis);
        Rule.isIndex(op, in, 1);
        Type x = in.get(0);
        Type idx = in.get(1);
        if (x.rank() != idx.rank()) {
            throw OpException.of(
                    op.name(), in, "indices have rank %s, operand 0 rank %s; they must be equal", idx.rank(), x.rank());
        }
        for (int i = 0; i < x.rank(); i++) {
            if (i != axis && idx.dim(i) > x.dim(i)) {
                throw OpException.of(
                        op.name(),
                        in,
                        "indices have extent %s on axis %s, where operand 0 has %s; only axis %s " + "may be larger",
                        idx.dim(i),
                        i,
                        x.dim(i),
                        axis);
            }
        }
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        if (!e.type(x).dtype().isFloat()) return Op.noGradient(call);
        return Arrays.asList(e.apply(new Scatter(axis, Put.Mode.ADD), e.zerosLike(x), call.in(1), call.grad()), null);
    }

    /** The same by {@link Take} on the flattened operand: for backends without a gather. */
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V flat = e.reshape(in.get(0), Shape.of(e.type(in.get(0)).numel()));
        return List.of(e.apply(
                new Take(0), flat, flatIndices(e, this, e.type(in.get(0)).shape(), in.get(1), axis)));
    }

    /**
     * Checked row-major element numbers in {@code shape} that {@code idx} on {@code axis} stands for; of
     * idx's shape.
     */
    static <V> V flatIndices(Emitter<V> e, Op op, Shape shape, V idx, int axis) {
        Shape to = e.type(idx).shape();
        long[] strides = shape.strides();
        V flat = e.mul(
                e.apply(new CheckIndex(shape.dim(axis), true, op.name()), idx), e.extentConstant(idx, strides[axis]));
        for (int i = 0; i < shape.rank(); i++) {
            if (i == axis) continue;
            long[] d = new long[shape.rank()];
            Arrays.fill(d, 1);
            d[i] = to.dim(i);
            V along = e.reshape(e.iota(to.dim(i)), Shape.of(d));
            flat = e.add(flat, e.mul(along, e.extentConstant(idx, strides[i])));
        }
        return flat;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray idx = in.get(1);
        RefArray r = RefArray.zeros(x.type().with(idx.shape()));
        for (int i = 0; i < idx.size(); i++) r.copy(i, x, target(this, x.shape(), idx, i, axis));
        return List.of(r);
    }

    /** Row-major number of the element of {@code x} that element {@code i} of {@code idx} stands for. */
    static int target(Op op, Shape x, RefArray idx, int i, int axis) {
        int at = 0;
        int stride = 1;
        int rest = i;
        for (int a = x.rank() - 1; a >= 0; a--) {
            int extent = (int) idx.shape().dim(a);
            int c = a == axis ? CheckIndex.check(op.name(), idx.getLong(i), x.dim(a), true) : rest % extent;
            rest /= extent;
            at += c * stride;
            stride *= (int) x.dim(a);
        }
        return at;
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        RefArray idx = RefArray.ofLongs(DType.I64, Shape.of(2, 3), 0, 3, -1, 2, 3, -4);
        s.add(Sample.smooth(new Gather(1), Sample.uniform(Type.of(DType.F64, 2, 4), -1, 1, 1), idx));
        s.add(Sample.smooth(new Gather(0), Sample.uniform(Type.of(DType.F64, 4, 5), -1, 1, 2), idx));
        s.add(Sample.smooth(
                new Gather(1),
                Sample.uniform(Type.of(DType.F32, 3, 5, 4), -1, 1, 3),
                Sample.uniform(Type.of(DType.I64, 2, 7, 3), -5, 5, 4)));
        s.add(Sample.smooth(
                new Gather(0),
                Sample.uniform(Type.of(DType.F32, 6), -1, 1, 5),
                Sample.uniform(Type.of(DType.I64, 19), -6, 6, 6)));
        s.add(Sample.values(
                new Gather(1),
                Sample.uniform(Type.of(DType.F32, 3, 4), -1, 1, 7),
                RefArray.zeros(Type.of(DType.I64, 3, 0))));
        for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8, DType.BOOL)) {
            s.add(Sample.values(new Gather(1), Sample.uniform(Type.of(t, 3, 4), 0, 100, 8), idx));
        }
        return s;
    }
}
