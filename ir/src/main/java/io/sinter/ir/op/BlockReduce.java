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
 * Reduces blocks of rows: {@code x[rows…, columns…] -> [⌈n / block⌉, columns…]}, where {@code n} counts the rows, which are numbered in row-major order over the
 * leading axes. Element {@code b} of the result reduces rows {@code b·block} to below {@code (b + 1)·block}; the last block may be shorter. The same reduction
 * over the first axis of the result is that over all rows, in as many independent parts as there are blocks.
 *
 * @param kind what is computed, as {@link Reduce} does; not a position
 * @param axes how many leading axes make up the rows, at least 1
 * @param block rows of a block
 */
public record BlockReduce(Reduce.Kind kind, int axes, long block) implements Op {
    public BlockReduce {
        if (kind.isArg()) throw new IllegalArgumentException("positions are not reduced by blocks");
    }

    @Override
    public String name() {
        return name(kind);
    }

    static String name(Reduce.Kind kind) {
        return kind + "_blocks";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axes", axes);
        out.put("block", block);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        if (axes < 1 || axes > x.rank()) {
            throw OpException.of(
                    name(), in, "cannot take the first %s axes of %s as rows; 1 to %s", axes, x.shape(), x.rank());
        }
        if (block < 1) throw OpException.of(name(), in, "blocks of %s rows; give at least 1", block);
        if (x.dtype().isBool() && (kind == Reduce.Kind.SUM || kind == Reduce.Kind.PROD))
            throw OpException.of(name(), in, "not defined for bool; cast first");
        long blocks = (rows(x.shape()) + block - 1) / block;
        return List.of(x.with(columns(x.shape()).insert(0, blocks)));
    }

    /** Number of rows of an operand. */
    public long rows(Shape x) {
        long n = 1;
        for (int i = 0; i < axes; i++) n *= x.dim(i);
        return n;
    }

    private Shape columns(Shape x) {
        int[] rows = new int[axes];
        for (int i = 0; i < axes; i++) rows[i] = i;
        return x.without(rows);
    }

    /** The same in other operators: the whole blocks, and what is left. */
    private <V> List<V> parts(Emitter<V> e, List<V> in) {
        Shape shape = e.type(in.get(0)).shape();
        long n = rows(shape);
        Shape columns = columns(shape);
        V x = e.reshape(in.get(0), columns.insert(0, n));
        long whole = n / block;
        V head = e.reshape(
                e.slice(x, 0, 0, whole * block, 1), columns.insert(0, block).insert(0, whole));
        V first = e.reduce(kind, head, 1);
        if (n % block == 0) return List.of(first);
        V last = e.reduceKeep(kind, e.slice(x, 0, whole * block, n % block, 1), 0);
        return List.of(whole == 0 ? last : e.apply(new Concat(0), first, last));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Vjp.gradient(call, this::parts, 1, call::needs);
    }

    /** Which result element takes in element {@code i} of an operand of that shape. */
    public int target(Shape x, int i) {
        int width = (int) columns(x).numel();
        return (int) (i / width / block) * width + i % width;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray r = RefArray.zeros(infer(List.of(x.type())).get(0));
        Shape columns = columns(x.shape());
        int width = (int) columns.numel();
        int n = (int) rows(x.shape());
        for (int from = 0, b = 0; from < n; from += (int) block, b++) {
            int count = Math.min((int) block, n - from);
            RefArray rows = RefArray.zeros(x.type().with(columns.insert(0, count)));
            for (int i = 0; i < count * width; i++) rows.copy(i, x, from * width + i);
            RefArray sum = new Reduce(kind, 0).evaluate(List.of(rows)).get(0);
            for (int c = 0; c < width; c++) r.copy(b * width + c, sum, c);
        }
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        s.add(Sample.smooth(on(1, 2), Sample.distinct(Type.of(DType.F64, 5, 3), -1.5, 0.1, 1)));
        s.add(Sample.smooth(on(2, 4), Sample.distinct(Type.of(DType.F64, 3, 4, 2), -1.5, 0.1, 2)));
        s.add(Sample.smooth(on(1, 7), Sample.distinct(Type.of(DType.F64, 5, 2), -1.5, 0.1, 3)));
        s.add(Sample.smooth(on(2, 5), Sample.distinct(Type.of(DType.F64, 3, 4), -1.5, 0.1, 4)));
        s.add(Sample.smooth(on(1, 1), Sample.distinct(Type.of(DType.F64, 3, 2), -1.5, 0.1, 5)));
        // Columns enough for sums of whole rows; last blocks with and without rows that are no multiple of a step.
        for (long rows : new long[] {16, 19, 23})
            s.add(Sample.values(on(1, 8), Sample.distinct(Type.of(DType.F32, rows, 300), 0.75, 1e-4, 6)));
        s.add(Sample.values(on(2, 8), Sample.distinct(Type.of(DType.F32, 3, 7, 300), 0.75, 1e-4, 7)));
        s.add(Sample.values(on(1, 4), Sample.distinct(Type.of(DType.F32, 10, 3, 30), 0.75, 1e-4, 8)));
        s.add(Sample.values(on(3, 32), Sample.distinct(Type.of(DType.F32, 5, 7, 11), 0.75, 1e-4, 9)));
        s.add(Sample.values(on(1, 3), Sample.uniform(Type.of(DType.F32, 7, 0), -1, 1, 10)));
        for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I16, DType.U8))
            s.add(Sample.values(on(1, 3), Sample.uniform(Type.of(t, 7, 40), t.isFloat() ? -1 : 0, 2, 11)));
        if (kind == Reduce.Kind.MAX || kind == Reduce.Kind.MIN)
            s.add(Sample.values(on(1, 3), Sample.uniform(Type.of(DType.BOOL, 7, 5), 0, 2, 12)));
        return s;
    }

    private BlockReduce on(int axes, long block) {
        return new BlockReduce(kind, axes, block);
    }
}
