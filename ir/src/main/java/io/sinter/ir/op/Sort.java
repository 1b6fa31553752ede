// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Stable sort along an axis: {@code x -> (values, i64 positions in x)}. Equal elements (also -0 and 0) keep
 * their order, in descending order too. NaN sorts as greater than everything, as in PyTorch.
 */
public record Sort(int axis, boolean descending) implements Routine {

    @Override
    public String name() {
        return "sort";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("descending", descending);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.axis(this, in, 0, axis);
        return List.of(in.get(0), in.get(0).with(DType.I64));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return putBack(call, axis);
    }

    /** The gradient of selected values: each goes back to the position that result 1 names. */
    static <V> List<V> putBack(GradCall<V> call, int axis) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        if (!e.type(x).dtype().isFloat()) return Op.noGradient(call);
        return List.of(e.apply(new Scatter(axis, Put.Mode.SET), e.zerosLike(x), call.out(1), call.grad(0)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        return first(in.get(0), axis, descending, in.get(0).shape().dim(axis));
    }

    /** Values and positions of the first {@code k} elements in order. */
    static List<RefArray> first(RefArray x, int axis, boolean descending, long k) {
        Lines from = Lines.of(x.shape(), axis);
        Lines to = new Lines((int) k, from.inner(), from.count());
        RefArray values = RefArray.zeros(x.type().with(x.shape().with(axis, k)));
        RefArray positions = RefArray.zeros(values.type().with(DType.I64));
        for (int line = 0; line < from.count(); line++) {
            int l = line;
            Comparator<Integer> order = (i, j) -> compare(x, from.at(l, i), from.at(l, j));
            List<Integer> sorted = IntStream.range(0, from.n())
                    .boxed()
                    .sorted(descending ? order.reversed() : order)
                    .toList();
            for (int i = 0; i < k; i++) {
                values.copy(to.at(line, i), x, from.at(line, sorted.get(i)));
                positions.set(to.at(line, i), (long) sorted.get(i));
            }
        }
        return List.of(values, positions);
    }

    private static int compare(RefArray x, int i, int j) {
        if (!x.dtype().isFloat()) return Long.compare(x.getLong(i), x.getLong(j));
        // + 0.0 makes -0 equal to 0; Double.compare has NaN last.
        return Double.compare(x.getDouble(i) + 0.0, x.getDouble(j) + 0.0);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean down : new boolean[] {false, true}) {
            s.add(Sample.smooth(new Sort(0, down), Sample.distinct(Type.of(DType.F64, 7), -1, 0.3, 1)));
            s.add(Sample.smooth(new Sort(1, down), Sample.distinct(Type.of(DType.F64, 3, 5, 2), -1, 0.1, 2)));
            s.add(Sample.smooth(new Sort(0, down), Sample.distinct(Type.of(DType.F32, 33, 3), -1, 0.02, 3)));
            s.add(Sample.values(new Sort(1, down), Sample.uniform(Type.of(DType.F32, 4, 1), -1, 1, 4)));
            s.add(Sample.values(new Sort(1, down), RefArray.zeros(Type.of(DType.F32, 3, 0))));
            double nan = Double.NaN;
            double inf = Double.POSITIVE_INFINITY;
            s.add(Sample.values(
                    new Sort(0, down),
                    RefArray.of(DType.F32, Shape.of(12), 3, nan, 1, 3, -inf, inf, -0.0, 0, nan, 3, 0, -0.0)));
            for (DType t :
                    List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.I16, DType.I8, DType.U8, DType.BOOL)) {
                s.add(Sample.values(
                        new Sort(1, down), Sample.uniform(Type.of(t, 2, 21), t == DType.U8 ? 0 : -6, 7, 5)));
            }
        }
        return s;
    }
}
