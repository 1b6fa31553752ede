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
 * Inclusive scan along an axis: element i of the result combines elements 0..i of the line, or i..n-1 if
 * {@code reverse}. SUM and PROD keep the dtype (integers wrap; f16 and bf16 accumulate in f32) and are not
 * for bool; MAX and MIN stay NaN after the first NaN.
 */
public record Scan(Kind kind, int axis, boolean reverse) implements Op {
    /** What is accumulated, and its name in the text form. */
    public enum Kind {
        SUM("cumsum"),
        PROD("cumprod"),
        MAX("cummax"),
        MIN("cummin");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    @Override
    public String name() {
        return kind.text;
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("reverse", reverse);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.axis(this, in, 0, axis);
        if (in.get(0).dtype().isBool()) {
            throw OpException.of(name(), in, "not defined for bool; cast to i64 first");
        }
        return List.of(in.get(0));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        V g = call.grad();
        if (!e.type(x).dtype().isFloat()) return Op.noGradient(call);
        return switch (kind) {
            // Element j is in the sums from j on.
            case SUM -> List.of(e.apply(new Scan(Kind.SUM, axis, !reverse), g));
            // Dividing the running sum of g*y by x would be wrong at zeros.
            case PROD -> Vjp.gradient(e, this::doubling, call.inputs(), List.of(g), call::needs);
            case MAX, MIN ->
                List.of(e.apply(new Scatter(axis, Put.Mode.ADD), e.zerosLike(x), extremeIndex(e, x, call.out(0)), g));
        };
    }

    /**
     * Position along the axis of each running extreme, i64: the latest of equals, as PyTorch's cummax and
     * cummin.
     *
     * @param y the result of this scan (MAX or MIN) of {@code x}
     */
    public <V> V extremeIndex(Emitter<V> e, V x, V y) {
        Shape shape = e.type(x).shape();
        V reached = e.binary(Binary.EQ, x, y);
        if (e.type(x).dtype().isFloat()) reached = e.binary(Binary.OR, reached, e.unary(Unary.ISNAN, x));
        V position = positions(e, shape, axis);
        // The extreme changes only where x reaches it, so the latest such place holds the present
        // one.
        V none = e.extentConstant(position, reverse ? shape.dim(axis) - 1 : 0);
        return e.apply(new Scan(reverse ? Kind.MIN : Kind.MAX, axis, reverse), e.where(reached, position, none));
    }

    /**
     * The running product in log2(n) steps that double its reach (Hillis and Steele 1986): elementwise, so
     * its gradient is exact at zeros.
     */
    private <V> List<V> doubling(Emitter<V> e, List<V> in) {
        V y = in.get(0);
        long n = e.type(y).dim(axis);
        // At least one step, so that which operands the gradient reads does not depend on extents.
        for (long reach = 1; reach < Math.max(n, 2); reach *= 2) y = e.mul(y, shift(e, y, axis, reach, reverse, 1));
        return List.of(y);
    }

    /**
     * Moves {@code x} along {@code axis} by {@code by} places up, or down if {@code down}, and fills with
     * {@code fill}.
     */
    static <V> V shift(Emitter<V> e, V x, int axis, long by, boolean down, double fill) {
        Shape shape = e.type(x).shape();
        long n = shape.dim(axis);
        long gap = Math.min(by, n);
        long[] low = new long[shape.rank()];
        long[] high = new long[shape.rank()];
        (down ? high : low)[axis] = gap;
        V moved = e.apply(new Pad(low, high), e.apply(new Slice(axis, down ? gap : 0, n - gap, 1, false), x));
        V position = positions(e, shape, axis);
        V there = down
                ? e.binary(Binary.LT, position, e.extentConstant(position, n - gap))
                : e.binary(Binary.GE, position, e.constant(position, gap));
        return e.where(there, moved, e.constant(x, fill));
    }

    /** 0, 1, … along {@code axis}, i64, of extent 1 on the others. */
    private static <V> V positions(Emitter<V> e, Shape shape, int axis) {
        long[] d = new long[shape.rank()];
        java.util.Arrays.fill(d, 1);
        d[axis] = shape.dim(axis);
        return e.expand(e.reshape(e.iota(shape.dim(axis)), Shape.of(d)), shape);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray r = RefArray.zeros(x.type());
        Lines lines = Lines.of(x.shape(), axis);
        for (int line = 0; line < lines.count(); line++) {
            for (int i = 0; i < lines.n(); i++) {
                // Each element anew from its own range: slow and obviously right.
                int from = reverse ? i : 0;
                int to = reverse ? lines.n() : i + 1;
                if (x.dtype().isFloat()) r.set(lines.at(line, i), floats(lines.get(x, line), from, to));
                else r.set(lines.at(line, i), longs(x, lines, line, from, to));
            }
        }
        return List.of(r);
    }

    private double floats(double[] v, int from, int to) {
        double a = v[from];
        for (int i = from + 1; i < to; i++) {
            a = switch (kind) {
                case SUM -> a + v[i];
                case PROD -> a * v[i];
                case MAX -> Math.max(a, v[i]);
                case MIN -> Math.min(a, v[i]);
            };
        }
        return a;
    }

    private long longs(RefArray x, Lines lines, int line, int from, int to) {
        long a = x.getLong(lines.at(line, from));
        for (int i = from + 1; i < to; i++) {
            long v = x.getLong(lines.at(line, i));
            a = switch (kind) {
                case SUM -> a + v;
                case PROD -> a * v;
                case MAX -> Math.max(a, v);
                case MIN -> Math.min(a, v);
            };
        }
        return a;
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean back : new boolean[] {false, true}) {
            s.add(Sample.smooth(new Scan(kind, 0, back), Sample.distinct(Type.of(DType.F64, 7), -0.65, 0.2, 1)));
            s.add(Sample.smooth(new Scan(kind, 1, back), Sample.distinct(Type.of(DType.F64, 3, 5, 2), -1.45, 0.1, 2)));
            s.add(Sample.smooth(new Scan(kind, 2, back), Sample.distinct(Type.of(DType.F32, 2, 3, 19), -1.2, 0.02, 3)));
            s.add(Sample.values(new Scan(kind, 1, back), Sample.uniform(Type.of(DType.F32, 4, 1), -1, 1, 4)));
            s.add(Sample.values(new Scan(kind, 0, back), Sample.uniform(Type.of(DType.F32, 0, 3), -1, 1, 5)));
            s.add(Sample.values(new Scan(kind, 1, back), Sample.uniform(Type.of(DType.F32, 3, 0), -1, 1, 6)));
            s.add(Sample.values(
                    new Scan(kind, 0, back), RefArray.of(DType.F32, Shape.of(6), 1, 3, 3, Double.NaN, 2, 9)));
        }
        if (kind == Kind.PROD) {
            s.add(Sample.smooth(this.along(1), RefArray.of(DType.F64, Shape.of(2, 4), 2, 0, 3, 4, 0, -1.5, 0, 2)));
        }
        for (DType t : List.of(DType.F16, DType.BF16)) {
            s.add(Sample.values(along(1), Sample.uniform(Type.of(t, 2, 33), 0.5, 1.25, 7)));
        }
        for (DType t : List.of(DType.I64, DType.I32, DType.I16, DType.I8, DType.U8)) {
            s.add(Sample.values(along(0), Sample.uniform(Type.of(t, 9, 2), t == DType.U8 ? 1 : -6, 9, 8)));
        }
        return s;
    }

    private Scan along(int axis) {
        return new Scan(kind, axis, false);
    }
}
