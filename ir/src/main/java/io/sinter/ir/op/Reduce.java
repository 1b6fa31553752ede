// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Reduces axes away: {@code x[…] -> x without axes}.
 *
 * <ul>
 *   <li>SUM and PROD keep the dtype (integers wrap; f16 and bf16 accumulate in f32 and round once); of
 *       nothing they are 0 and 1. Not for bool.
 *   <li>MAX and MIN are NaN if any element is (PyTorch's amax, amin); on bool they are any and all. Not of
 *       nothing.
 *   <li>ARGMAX and ARGMIN give the i64 position along their single axis: the first of equals; NaN counts as
 *       the extreme.
 * </ul>
 *
 * @param axes the axes to reduce: at least one, distinct; held in ascending order
 */
public record Reduce(Kind kind, int... axes) implements Op {
    /** What is computed, and its name in the text form. */
    public enum Kind {
        SUM("sum"),
        PROD("prod"),
        MAX("amax"),
        MIN("amin"),
        ARGMAX("argmax"),
        ARGMIN("argmin");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        /** True for the kinds that give positions. */
        public boolean isArg() {
            return this == ARGMAX || this == ARGMIN;
        }

        /** True for the kinds that have a value for no elements. */
        private boolean hasIdentity() {
            return this == SUM || this == PROD;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    public Reduce {
        axes = axes.clone();
        Arrays.sort(axes);
    }

    @Override
    public String name() {
        return kind.text;
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axes", axes);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        if (axes.length == 0) throw OpException.of(name(), in, "no axes are given; name the axes to reduce");
        for (int i = 0; i < axes.length; i++) {
            Rule.axis(this, in, 0, axes[i]);
            if (i > 0 && axes[i] == axes[i - 1]) throw OpException.of(name(), in, "axis %s is given twice", axes[i]);
            if (x.dim(axes[i]) == 0 && !kind.hasIdentity()) {
                throw OpException.of(
                        name(), in, "axis %s has extent 0, and %s of nothing has no value", axes[i], name());
            }
        }
        if (kind.isArg() && axes.length != 1) {
            throw OpException.of(
                    name(), in, "takes one axis, got %s; reshape several axes into one", Arrays.toString(axes));
        }
        if (x.dtype().isBool() && kind.hasIdentity()) {
            throw OpException.of(
                    name(), in, "not defined for bool; cast to i64 first, or use amax (any) or amin (all)");
        }
        return List.of(new Type(kind.isArg() ? DType.I64 : x.dtype(), x.shape().without(axes)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        Type type = e.type(x);
        if (!type.dtype().isFloat() || kind.isArg()) return Op.noGradient(call);
        V g = keep(e, call.grad(), type.shape());
        return List.of(
                switch (kind) {
                    case SUM -> e.expand(g, type.shape());
                    case PROD -> e.mul(g, others(e, x));
                    // Shared evenly among ties, as amax and amin in PyTorch.
                    case MAX, MIN -> {
                        V tie = e.cast(e.binary(Binary.EQ, x, keep(e, call.out(0), type.shape())), type.dtype());
                        yield e.div(e.mul(g, tie), e.sumKeep(tie, axes));
                    }
                    case ARGMAX, ARGMIN -> throw new IllegalStateException();
                });
    }

    /** The reduced axes put back with extent 1. */
    private <V> V keep(Emitter<V> e, V reduced, Shape from) {
        Shape s = from;
        for (int a : axes) s = s.with(a, 1);
        return e.reshape(reduced, s);
    }

    /**
     * For each element the product of all others: of those before it times those after it. No division, so
     * zeros are right, in all derivatives.
     */
    private <V> V others(Emitter<V> e, V x) {
        Shape shape = e.type(x).shape();
        int kept = shape.rank() - axes.length;
        int[] order = new int[shape.rank()];
        int[] back = new int[shape.rank()];
        int k = 0;
        int r = kept;
        for (int i = 0; i < order.length; i++) order[Arrays.binarySearch(axes, i) < 0 ? k++ : r++] = i;
        for (int i = 0; i < order.length; i++) back[order[i]] = i;
        V permuted = e.permute(x, order);
        Shape outer = shape.without(axes);
        long n = 1;
        for (int a : axes) n *= shape.dim(a);
        V rows = e.reshape(permuted, outer.insert(kept, n));
        V before = e.apply(new Scan(Scan.Kind.PROD, kept, false), Scan.shift(e, rows, kept, 1, false, 1));
        V after = e.apply(new Scan(Scan.Kind.PROD, kept, true), Scan.shift(e, rows, kept, 1, true, 1));
        return e.permute(e.reshape(e.mul(before, after), e.type(permuted).shape()), back);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray r = RefArray.zeros(infer(List.of(x.type())).get(0));
        List<List<Integer>> members = new ArrayList<>(Collections.nCopies(r.size(), null));
        for (int i = 0; i < r.size(); i++) members.set(i, new ArrayList<>());
        for (int i = 0; i < x.size(); i++) members.get(target(x.shape(), i)).add(i);
        for (int i = 0; i < r.size(); i++) reduce(x, members.get(i), r, i);
        return List.of(r);
    }

    /** Which element of the result takes in element {@code i} of an operand of this shape; both row-major. */
    public int target(Shape shape, int i) {
        int t = 0;
        int stride = 1;
        for (int a = shape.rank() - 1; a >= 0; a--) {
            int d = (int) shape.dim(a);
            if (Arrays.binarySearch(axes, a) < 0) {
                t += i % d * stride;
                stride *= d;
            }
            i /= d;
        }
        return t;
    }

    private void reduce(RefArray x, List<Integer> members, RefArray r, int at) {
        boolean floats = x.dtype().isFloat();
        switch (kind) {
            case SUM -> {
                if (floats) r.set(at, members.stream().mapToDouble(x::getDouble).sum());
                else r.set(at, members.stream().mapToLong(x::getLong).sum());
            }
            case PROD -> {
                if (floats) r.set(at, members.stream().mapToDouble(x::getDouble).reduce(1, (a, b) -> a * b));
                else r.set(at, members.stream().mapToLong(x::getLong).reduce(1, (a, b) -> a * b));
            }
            case MAX, MIN -> r.copy(at, x, members.get(extreme(x, members)));
            case ARGMAX, ARGMIN -> r.set(at, (long) extreme(x, members));
        }
    }

    /** Position in {@code members} of the first extreme element; NaN is one. */
    private int extreme(RefArray x, List<Integer> members) {
        boolean max = kind == Kind.MAX || kind == Kind.ARGMAX;
        int best = 0;
        for (int i = 1; i < members.size(); i++) {
            int a = members.get(i);
            int b = members.get(best);
            boolean better;
            if (x.dtype().isFloat()) {
                double v = x.getDouble(a);
                double w = x.getDouble(b);
                better = !Double.isNaN(w) && (Double.isNaN(v) || (max ? v > w : v < w));
            } else {
                better = max ? x.getLong(a) > x.getLong(b) : x.getLong(a) < x.getLong(b);
            }
            if (better) best = i;
        }
        return best;
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        boolean bool = !kind.hasIdentity() && !kind.isArg();
        Type matrix = Type.of(DType.F64, 5, 7);
        Type cube = Type.of(DType.F32, 3, 17, 4);
        add(s, Sample.distinct(matrix, -1.5, 0.1, 1), 0);
        add(s, Sample.distinct(matrix, -1.5, 0.1, 2), 1);
        add(s, Sample.distinct(cube, -2, 0.02, 3), 1);
        add(s, Sample.distinct(Type.of(DType.F32, 33), 0.25, 0.05, 4), 0);
        add(s, Sample.distinct(Type.of(DType.F32, 6, 1, 3), -1, 0.1, 5), 1);
        add(s, Sample.distinct(Type.of(DType.F32, 4, 0, 3), 0, 1, 6), 0);
        if (!kind.isArg()) {
            add(s, Sample.distinct(matrix, -1.5, 0.1, 7), 0, 1);
            add(s, Sample.distinct(Type.of(DType.F64, 2, 3, 2, 3), -1.7, 0.1, 8), 0, 2);
            add(s, Sample.distinct(Type.of(DType.F32, 2, 3, 4, 5), -1.25, 0.02, 9), 1, 3);
        }
        for (DType t : List.of(DType.F16, DType.BF16)) values(s, Sample.uniform(Type.of(t, 3, 40), -1, 1, 10), 1);
        // Columns enough for sums of whole rows, and rows that are no multiple of a step.
        values(s, Sample.distinct(Type.of(DType.F32, 22, 300), 0.75, 1e-4, 13), 0);
        for (DType t : List.of(DType.I64, DType.I32, DType.I16, DType.I8, DType.U8)) {
            values(s, Sample.uniform(Type.of(t, 5, 9), t == DType.U8 ? 1 : -5, 12, 11), 0);
        }
        if (bool) values(s, Sample.uniform(Type.of(DType.BOOL, 6, 3), 0, 2, 12), 1);
        double nan = Double.NaN;
        double inf = Double.POSITIVE_INFINITY;
        values(s, RefArray.of(DType.F32, Shape.of(3, 4), 1, nan, 5, nan, 3, 7, 7, -7, -inf, inf, -inf, inf), 1);
        values(s, RefArray.of(DType.F64, Shape.of(5), 2, 5, 2, 5, 5), 0);
        if (kind == Kind.PROD) {
            s.add(Sample.smooth(this.on(1), RefArray.of(DType.F64, Shape.of(3, 3), 0, 2, 3, 0, 0, 5, 1, 2, -3)));
        }
        if (kind.hasIdentity()) {
            values(s, RefArray.zeros(Type.of(DType.F32, 3, 0)), 1);
            values(s, RefArray.zeros(Type.of(DType.I64, 0)), 0);
        }
        return s;
    }

    private Reduce on(int... axes) {
        return new Reduce(kind, axes);
    }

    private void add(List<Sample> s, RefArray x, int... axes) {
        s.add(Sample.smooth(on(axes), x));
    }

    private void values(List<Sample> s, RefArray x, int... axes) {
        s.add(Sample.values(on(axes), x));
    }
}
