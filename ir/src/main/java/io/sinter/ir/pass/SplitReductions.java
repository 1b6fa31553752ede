// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Splits reductions whose results are too few to fill the device into two: parts of the rows first, then the parts. The parts depend on the extents
 * alone, never on the number of threads, so the order of adding is fixed. Where the reduced axes lead, the parts are {@linkplain BlockReduce blocks} of any number of
 * rows; elsewhere an axis is divided without remainder, if it can be.
 *
 * <p>Sums of columns are split sooner: a task that reads whole rows of neighbouring columns, in order, is several times as fast as one that reads a
 * few columns of every row.
 */
public final class SplitReductions extends NodeRewriter {
    /** Results from which on there is one task for each. */
    private static final long ENOUGH_ROWS = 16;

    /** Elements per result below which one task is soon done. */
    private static final long LONG_ROW = 1 << 14;

    /** Parts where tasks may be large. */
    private static final long PARTS = 64;

    /** Parts where they may not: several for each multiprocessor of a GPU. */
    private static final long SMALL_PARTS = 512;

    /** The same of columns, as each one's parts are added up one after the other. */
    private static final long SMALL_COLUMN_PARTS = 128;

    /** Columns from which on there are enough tasks of neighbouring ones. */
    private static final long MANY_COLUMNS = 1 << 16;

    /** Columns from which on a kernel that goes over them several times has enough tasks. */
    private static final long SEVERAL_COLUMNS = 1 << 10;

    /** Elements below which one task is through with all columns soon. */
    private static final long LARGE = 1 << 18;

    /** Rows that a part should have at least. */
    private static final long ROWS = 8;

    /** What the number of rows of a block is a multiple of: kernels take several at a time. */
    private static final long STEP = 4;

    /** Blocks that there should be more of. */
    private static final long FEW_BLOCKS = 16;

    /** How far the readers of a sum are looked at. */
    private static final int NEAR = 8;

    private final Graph graph;
    private final boolean largeTasks;
    /** Null until somebody asks. */
    private Map<Node, List<Node>> users;

    private SplitReductions(Graph graph, boolean largeTasks) {
        this.graph = graph;
        this.largeTasks = largeTasks;
    }

    /** @param largeTasks as in {@link io.sinter.ir.Capabilities} */
    public static Graph apply(Graph g, boolean largeTasks) {
        return new SplitReductions(g, largeTasks).run(g);
    }

    @Override
    protected List<Node> rewrite(Node n, List<Node> in) {
        if (!(n.op() instanceof Reduce r) || r.kind().isArg()) return null;
        Node x = in.getFirst();
        long rows = n.type().numel();
        if (rows == 0) return null;
        int[] axes = r.axes().clone();
        Arrays.sort(axes);
        long each = x.type().numel() / rows;
        boolean few = rows < ENOUGH_ROWS && each >= LONG_ROW;
        if (!few && !splitsColumns(n, x, axes, rows)) return null;
        if (axes[axes.length - 1] == axes.length - 1 && each > FEW_BLOCKS * ROWS)
            return List.of(blocks(r.kind(), x, axes.length, each, parts(few)));
        // reduce(x[…, p·q, …]) => reduce(reduce(x[…, p, q, …] over all but p) over p)
        int best = -1;
        long parts = 1;
        for (int a : axes) {
            long p = divisor(x.type().dim(a), few ? parts(true) : Math.min(parts(false), each / ROWS));
            if (p > parts) {
                parts = p;
                best = a;
            }
        }
        if (parts < 8) return null;
        long extent = x.type().dim(best);
        Shape split = x.type().shape().with(best, parts).insert(best + 1, extent / parts);
        List<Integer> first = new ArrayList<>();
        for (int a : axes) first.add(a < best ? a : a + 1);
        int[] over = first.stream().mapToInt(Integer::intValue).toArray();
        Node partial = reduce(r.kind(), reshape(x, split), over);
        int axis = best;
        for (int a : axes) if (a < best) axis--;
        return List.of(reduce(r.kind(), partial, axis));
    }

    /** @param few whether the results are fewer than processors, not columns */
    private long parts(boolean few) {
        if (largeTasks) return PARTS;
        return few ? SMALL_PARTS : SMALL_COLUMN_PARTS;
    }

    /** All leading axes: blocks of rows first, of whole steps each, then the blocks. The same two kernels for any number of rows. */
    private Node blocks(Reduce.Kind kind, Node x, int axes, long rows, long count) {
        long each = Math.max(ROWS, (rows + count - 1) / count);
        long block = (each + STEP - 1) / STEP * STEP;
        // What is between the two is not rounded.
        Node wide = x.dtype().isFloat() ? Composite.wide(this, x) : x;
        Node parts = apply(new BlockReduce(kind, axes, block), wide);
        return Composite.as(this, reduce(kind, parts, 0), x);
    }

    /** Sums along the outer axes of a large matrix: of whole rows. */
    private boolean splitsColumns(Node n, Node x, int[] axes, long columns) {
        Shape s = x.type().shape();
        int last = s.rank() - 1;
        while (last > 0 && s.dim(last) == 1) last--;
        if (Arrays.binarySearch(axes, last) >= 0 || x.type().numel() < LARGE) return false;
        return columns < (isSpread(n, x.type().numel(), NEAR) ? SEVERAL_COLUMNS : MANY_COLUMNS);
    }

    /** Whether the result goes back to all elements (a mean that is subtracted): one kernel then goes over each column several times. */
    private boolean isSpread(Node n, long numel, int steps) {
        if (steps == 0) return false;
        if (users == null) users = graph.users();
        for (Node u : users.getOrDefault(n, List.of())) {
            boolean passes = u.op() instanceof View || u.op() instanceof Elementwise;
            if (passes && (u.type().numel() >= numel || isSpread(u, numel, steps - 1))) return true;
        }
        return false;
    }

    /** The largest divisor of {@code n} up to {@code most}. */
    private static long divisor(long n, long most) {
        for (long p = Math.min(most, n); p > 1; p--) if (n % p == 0) return p;
        return 1;
    }
}
