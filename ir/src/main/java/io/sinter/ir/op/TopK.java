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
 * The k largest (or smallest) elements along an axis, in order: {@code x -> (values, i64 positions in x)},
 * the axis' extent k. Of equals the first come first; NaN is greater than everything. PyTorch's topk, sorted.
 *
 * @param largest the largest, in descending order; otherwise the smallest, in ascending order
 */
public record TopK(int axis, long k, boolean largest) implements Routine {

    @Override
    public String name() {
        return "topk";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("k", k);
        out.put("largest", largest);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.axis(this, in, 0, axis);
        Type x = in.get(0);
        if (k < 0 || k > x.dim(axis)) {
            throw OpException.of(
                    name(), in, "k is %s, but axis %s has %s elements; k must be at most that", k, axis, x.dim(axis));
        }
        Type values = x.with(x.shape().with(axis, k));
        return List.of(values, values.with(DType.I64));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Sort.putBack(call, axis);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        return Sort.first(in.get(0), axis, largest, k);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean top : new boolean[] {true, false}) {
            s.add(Sample.smooth(new TopK(0, 3, top), Sample.distinct(Type.of(DType.F64, 7), -1, 0.3, 1)));
            s.add(Sample.smooth(new TopK(1, 2, top), Sample.distinct(Type.of(DType.F64, 3, 5, 2), -1, 0.1, 2)));
            s.add(Sample.smooth(new TopK(1, 5, top), Sample.distinct(Type.of(DType.F32, 3, 40), -1, 0.02, 3)));
            s.add(Sample.values(new TopK(1, 1, top), Sample.uniform(Type.of(DType.F32, 4, 1), -1, 1, 4)));
            s.add(Sample.values(new TopK(1, 0, top), Sample.uniform(Type.of(DType.F32, 4, 3), -1, 1, 5)));
            s.add(Sample.values(new TopK(0, 4, top), RefArray.of(DType.F32, Shape.of(6), 3, Double.NaN, 1, 3, -3, 1)));
            for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8)) {
                s.add(Sample.values(
                        new TopK(1, 4, top), Sample.uniform(Type.of(t, 2, 21), t == DType.U8 ? 0 : -6, 7, 6)));
            }
        }
        return s;
    }
}
