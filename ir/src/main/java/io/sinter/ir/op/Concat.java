// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/** Joins one or more operands along an axis; the other extents and the dtypes agree. */
public record Concat(int axis) implements Op {
    @Override
    public String name() {
        return "concat";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        if (in.isEmpty()) throw OpException.of(name(), in, "takes at least one operand");
        Rule.axis(this, in, 0, axis);
        Rule.sameDtype(this, in);
        Shape first = in.get(0).shape();
        long n = 0;
        for (Type t : in) {
            if (t.rank() != first.rank()) {
                throw OpException.of(
                        name(), in, "ranks " + first.rank() + " and " + t.rank() + " differ; reshape to one rank");
            }
            if (!t.shape().with(axis, first.dim(axis)).equals(first)) {
                throw OpException.of(
                        name(),
                        in,
                        "shapes "
                                + first
                                + " and "
                                + t.shape()
                                + " differ off axis "
                                + axis
                                + "; only that axis may differ");
            }
            n += t.dim(axis);
        }
        return List.of(in.get(0).with(first.with(axis, n)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        List<V> grads = new ArrayList<>();
        long start = 0;
        for (int i = 0; i < call.inputs().size(); i++) {
            long n = e.type(call.in(i)).dim(axis);
            grads.add(call.needs(i) ? e.slice(call.grad(), axis, start, n, 1) : null);
            start += n;
        }
        return grads;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        Type out = infer(in.stream().map(RefArray::type).toList()).get(0);
        RefArray y = RefArray.zeros(out);
        long[] strides = out.shape().strides();
        long[] start = {0};
        for (RefArray x : in) {
            int[] from = {0};
            Positions.forEach(
                    x.shape(),
                    at -> y.copy(
                            Math.toIntExact(Positions.offset(strides, at) + start[0] * strides[axis]), x, from[0]++));
            start[0] += x.shape().dim(axis);
        }
        return List.of(y);
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.smooth(
                        new Concat(1),
                        Sample.uniform(Type.of(DType.F64, 2, 3), -1, 1, 1),
                        Sample.uniform(Type.of(DType.F64, 2, 1), -1, 1, 2),
                        Sample.uniform(Type.of(DType.F64, 2, 4), -1, 1, 3)),
                Sample.smooth(
                        new Concat(0),
                        Sample.uniform(Type.of(DType.F32, 2, 3), -1, 1, 1),
                        Sample.uniform(Type.of(DType.F32, 1, 3), -1, 1, 2)),
                Sample.smooth(new Concat(0), Sample.uniform(Type.of(DType.F64, 3), -1, 1, 4)),
                Sample.values(
                        new Concat(0),
                        Sample.uniform(Type.of(DType.I64, 0, 2), -9, 9, 5),
                        Sample.uniform(Type.of(DType.I64, 2, 2), -9, 9, 6)));
    }
}
