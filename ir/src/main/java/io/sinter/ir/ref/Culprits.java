// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Indexed;
import io.sinter.ir.op.Leaf;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Where;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.ToIntBiFunction;

/**
 * Why elements of a node's results are not finite: the elements of its operands that are not either and that went into them.
 *
 * <p>Operators whose elements are made of known elements (elementwise ones, views, sums, matrix products) are asked for these. Of all others what counts is
 * found by trying: operands' elements are made finite, and the operator is evaluated again. Where that is too much work, as for large
 * convolutions, every element that is not finite counts.
 *
 * @param of for each operand, its elements that are not finite and made a result so; for a projection, for each result of its producer
 * @param made for each result, the elements that became so from finite operands
 * @param clashed for each result, the elements that are NaN of infinities
 */
record Culprits(BitSet[] of, BitSet[] made, BitSet[] clashed) {
    /** Composites with more elements, operands and results together, are not evaluated again and again. */
    private static final long FEW = 1 << 14;
    /** As {@link #FEW}, for operators that do a few things for each element. */
    private static final long MANY = 1 << 20;
    /** So many elements are tried one by one; of more, the first one that counts is searched for. */
    private static final int ONE_BY_ONE = 32;
    /** Elements of an operand that are shown. */
    private static final int SHOWN = 8;

    /** @param bad the elements in question, for each result */
    static Culprits of(Node n, List<RefArray> in, List<RefArray> out, BitSet[] bad) {
        Culprits c = new Culprits(sets(in.size()), sets(out.size()), sets(out.size()));
        switch (n.op()) {
            case Leaf _ -> {}
            case Project p -> c.of[p.index()].or(bad[0]);
            case Elementwise e -> c.elementwise(e, in, out.getFirst(), bad[0]);
            case View v -> c.moved(v, in, bad[0]);
            case Concat v -> c.moved(v, in, bad[0]);
            case Reduce r -> c.reduced(r::target, in.getFirst(), out.getFirst(), bad[0]);
            case BlockReduce b -> c.reduced(b::target, in.getFirst(), out.getFirst(), bad[0]);
            case Matmul _ -> c.multiplied(in, out.getFirst(), bad[0]);
            case Scan _, Indexed _, Routine _, Loop _ -> c.tried(n.op(), in, out, bad, MANY);
            case Composite _ -> c.tried(n.op(), in, out, bad, FEW);
        }
        return c;
    }

    private static BitSet[] sets(int n) {
        BitSet[] sets = new BitSet[n];
        for (int i = 0; i < n; i++) sets[i] = new BitSet();
        return sets;
    }

    private static boolean isNaN(RefArray a, int i) {
        return a.dtype().isFloat() && Double.isNaN(a.getDouble(i));
    }

    /** Element {@code i} of the result, of whose operands' elements {@code some} are not finite and {@code nan} are NaN. */
    private void classify(RefArray out, int i, boolean some, boolean nan) {
        if (!some) made[0].set(i);
        else if (!nan && isNaN(out, i)) clashed[0].set(i);
    }

    private void elementwise(Elementwise op, List<RefArray> in, RefArray out, BitSet bad) {
        for (int i = bad.nextSetBit(0); i >= 0; i = bad.nextSetBit(i + 1)) {
            int first = 0;
            int end = in.size();
            if (op instanceof Where) {
                first = in.getFirst().getBoolean(i) ? 1 : 2;
                end = first + 1;
            }
            boolean some = false;
            boolean nan = false;
            for (int k = first; k < end; k++) {
                if (!NonFinite.at(in.get(k), i)) continue;
                of[k].set(i);
                some = true;
                nan |= isNaN(in.get(k), i);
            }
            classify(out, i, some, nan);
        }
    }

    /** Follows elements that only move, by moving their numbers; 0 is no element. */
    private void moved(Op op, List<RefArray> in, BitSet bad) {
        List<RefArray> numbers = new ArrayList<>();
        List<Integer> starts = new ArrayList<>();
        int start = 1;
        for (RefArray a : in) {
            int from = start;
            starts.add(from);
            if (op instanceof View && from > 1) {
                // Where a slice begins.
                numbers.add(a);
                continue;
            }
            numbers.add(RefArray.ofLongs(new Type(DType.I64, a.shape()), i -> from + i));
            start += a.size();
        }
        RefArray from = op.evaluate(numbers).getFirst();
        for (int i = bad.nextSetBit(0); i >= 0; i = bad.nextSetBit(i + 1)) {
            int number = (int) from.getLong(i);
            if (number == 0) continue;
            int k = op instanceof View ? 0 : in.size() - 1;
            while (starts.get(k) > number) k--;
            of[k].set(number - starts.get(k));
        }
    }

    /** @param target which element of the result takes in an element of an operand of that shape */
    private void reduced(ToIntBiFunction<Shape, Integer> target, RefArray in, RefArray out, BitSet bad) {
        boolean[] some = new boolean[out.size()];
        boolean[] nan = new boolean[out.size()];
        for (int i = 0; i < in.size(); i++) {
            if (!NonFinite.at(in, i)) continue;
            int t = target.applyAsInt(in.shape(), i);
            some[t] = true;
            nan[t] |= isNaN(in, i);
            if (bad.get(t)) of[0].set(i);
        }
        for (int t = bad.nextSetBit(0); t >= 0; t = bad.nextSetBit(t + 1)) classify(out, t, some[t], nan[t]);
    }

    /** A row or column with an element that is not finite makes all of its products so. */
    private void multiplied(List<RefArray> in, RefArray out, BitSet bad) {
        RefArray a = in.get(0);
        RefArray b = in.get(1);
        int r = a.shape().rank();
        int rows = (int) a.shape().dim(r - 2);
        int inner = (int) a.shape().dim(r - 1);
        int columns = (int) b.shape().dim(r - 1);
        BitSet someA = new BitSet();
        BitSet nanA = new BitSet();
        BitSet someB = new BitSet();
        BitSet nanB = new BitSet();
        BitSet usedA = new BitSet();
        BitSet usedB = new BitSet();
        for (int i = bad.nextSetBit(0); i >= 0; i = bad.nextSetBit(i + 1)) {
            usedA.set(i / columns);
            usedB.set(i / columns / rows * columns + i % columns);
        }
        for (int i = 0; i < a.size(); i++) {
            if (!NonFinite.at(a, i)) continue;
            someA.set(i / inner);
            if (isNaN(a, i)) nanA.set(i / inner);
            if (usedA.get(i / inner)) of[0].set(i);
        }
        for (int i = 0; i < b.size(); i++) {
            if (!NonFinite.at(b, i)) continue;
            int column = i / columns / inner * columns + i % columns;
            someB.set(column);
            if (isNaN(b, i)) nanB.set(column);
            if (usedB.get(column)) of[1].set(i);
        }
        for (int i = bad.nextSetBit(0); i >= 0; i = bad.nextSetBit(i + 1)) {
            int row = i / columns;
            int column = row / rows * columns + i % columns;
            classify(out, i, someA.get(row) || someB.get(column), nanA.get(row) || nanB.get(column));
        }
    }

    // ---- by trying

    private void tried(Op op, List<RefArray> in, List<RefArray> out, BitSet[] bad, long most) {
        List<BitSet> odd = in.stream().map(NonFinite::of).toList();
        long elements = 0;
        for (RefArray a : in) elements += a.size();
        for (RefArray a : out) elements += a.size();
        if (odd.stream().allMatch(BitSet::isEmpty)) {
            for (int r = 0; r < bad.length; r++) made[r].or(bad[r]);
            return;
        }
        if (elements > most) {
            for (int k = 0; k < in.size(); k++) of[k].or(odd.get(k));
        } else {
            BitSet[] left = sets(bad.length);
            for (int r = 0; r < bad.length; r++) left[r].or(bad[r]);
            // What is there whatever stands in the place of what is not finite.
            List<RefArray> some = op.evaluate(finite(in, odd, 1));
            List<RefArray> others = op.evaluate(finite(in, odd, 0.5));
            for (int r = 0; r < bad.length; r++) {
                BitSet always = NonFinite.of(some.get(r));
                always.and(NonFinite.of(others.get(r)));
                always.and(bad[r]);
                made[r].or(always);
                left[r].andNot(always);
            }
            search(op, in, odd, left);
        }
        clashes(in, out, bad);
    }

    /** The elements of operands that make {@code left} not finite, each by itself; all of them if none does. */
    private void search(Op op, List<RefArray> in, List<BitSet> odd, BitSet[] left) {
        boolean any = false;
        for (BitSet b : left) any |= !b.isEmpty();
        if (!any) return;
        boolean explained = false;
        for (int k = 0; k < in.size(); k++) {
            int[] all = odd.get(k).stream().toArray();
            if (all.length == 0 || !counts(op, in, odd, k, all, 0, all.length, left)) continue;
            explained = true;
            if (all.length <= ONE_BY_ONE) {
                for (int i = 0; i < all.length; i++) if (counts(op, in, odd, k, all, i, i + 1, left)) of[k].set(all[i]);
                if (!of[k].isEmpty()) continue;
            }
            // The shortest beginning that counts: its last element does.
            int none = 0;
            int enough = all.length;
            while (enough - none > 1) {
                int middle = (none + enough) >>> 1;
                if (counts(op, in, odd, k, all, 0, middle, left)) enough = middle;
                else none = middle;
            }
            of[k].set(all[enough - 1]);
        }
        if (!explained) for (int k = 0; k < in.size(); k++) of[k].or(odd.get(k));
    }

    /** Whether elements {@code all[from]} to {@code all[to - 1]} of operand {@code k}, and no others, make any of {@code left} not finite. */
    private static boolean counts(
            Op op, List<RefArray> in, List<BitSet> odd, int k, int[] all, int from, int to, BitSet[] left) {
        List<BitSet> replaced = new ArrayList<>(odd);
        BitSet others = (BitSet) odd.get(k).clone();
        for (int i = from; i < to; i++) others.clear(all[i]);
        replaced.set(k, others);
        List<RefArray> out = op.evaluate(finite(in, replaced, 1));
        for (int r = 0; r < left.length; r++) if (NonFinite.of(out.get(r)).intersects(left[r])) return true;
        return false;
    }

    private static List<RefArray> finite(List<RefArray> in, List<BitSet> replaced, double by) {
        List<RefArray> out = new ArrayList<>();
        for (int k = 0; k < in.size(); k++) {
            RefArray a = in.get(k);
            BitSet b = replaced.get(k);
            if (b.isEmpty()) {
                out.add(a);
                continue;
            }
            out.add(RefArray.of(a.type(), i -> b.get(i) ? by : a.getDouble(i)));
        }
        return out;
    }

    private void clashes(List<RefArray> in, List<RefArray> out, BitSet[] bad) {
        for (int k = 0; k < of.length; k++)
            for (int i = of[k].nextSetBit(0); i >= 0; i = of[k].nextSetBit(i + 1)) if (isNaN(in.get(k), i)) return;
        for (int r = 0; r < bad.length; r++)
            for (int i = bad[r].nextSetBit(0); i >= 0; i = bad[r].nextSetBit(i + 1))
                if (isNaN(out.get(r), i) && !made[r].get(i)) clashed[r].set(i);
    }

    // ---- for people

    /** What element {@code i} of the node's result was made of, a line for each operand. */
    static List<String> describe(Node n, List<RefArray> in, int i) {
        List<String> lines = new ArrayList<>();
        for (int k = 0; k < in.size(); k++) {
            RefArray a = in.get(k);
            lines.add(
                    switch (n.op()) {
                        case Elementwise _ -> a.type() + " " + RefArray.index(a.shape(), i) + " = " + text(a, i);
                        case Reduce r -> a.type() + " reduced elements " + elements(a, members(r, a, i));
                        case Matmul _ -> a.type() + (k == 0 ? " row " : " column ") + elements(a, factors(n, in, k, i));
                        default -> a.describe();
                    });
        }
        return lines;
    }

    private static int[] members(Reduce op, RefArray a, int target) {
        return java.util.stream.IntStream.range(0, a.size())
                .filter(i -> op.target(a.shape(), i) == target)
                .toArray();
    }

    /** The elements of a matrix that go into element {@code i} of a product. */
    private static int[] factors(Node n, List<RefArray> in, int k, int i) {
        int r = n.shape().rank();
        int rows = (int) n.shape().dim(r - 2);
        int columns = (int) n.shape().dim(r - 1);
        int inner = (int) in.get(0).shape().dim(r - 1);
        int[] all = new int[inner];
        int batch = i / columns / rows;
        for (int j = 0; j < inner; j++)
            all[j] = k == 0 ? i / columns * inner + j : (batch * inner + j) * columns + i % columns;
        return all;
    }

    /** The first elements, and of those that are not shown the least and the greatest. */
    private static String elements(RefArray a, int[] which) {
        StringBuilder b = new StringBuilder("[");
        double least = Double.POSITIVE_INFINITY;
        double greatest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < which.length; j++) {
            double v = a.getDouble(which[j]);
            least = Math.min(least, v);
            greatest = Math.max(greatest, v);
            if (j < SHOWN) b.append(j == 0 ? "" : ", ").append(text(a, which[j]));
        }
        b.append(which.length > SHOWN ? ", …]" : "]");
        if (which.length > 1) b.append(" from ").append(least).append(" to ").append(greatest);
        return b.toString();
    }

    static String text(RefArray a, int i) {
        return switch (a.dtype()) {
            case F64 -> Double.toString(a.getDouble(i));
            case F32, F16, BF16 -> Float.toString((float) a.getDouble(i));
            case I64, I32, I16, I8, U8 -> Long.toString(a.getLong(i));
            case BOOL -> Boolean.toString(a.getBoolean(i));
        };
    }
}
