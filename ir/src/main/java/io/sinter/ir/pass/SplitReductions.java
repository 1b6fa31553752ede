// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Reduce;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Splits reductions whose results are too few to fill the device into two: parts of the rows first, then the parts. The parts depend on the extents
 * alone, never on the number of threads, so the order of adding is fixed.
 */
public final class SplitReductions extends NodeRewriter {
    /** Results from which on there is one task for each. */
    private static final long ENOUGH_ROWS = 16;

    /** Elements per result below which one task is soon done. */
    private static final long LONG_ROW = 1 << 14;

    private static final long PARTS = 64;

    private SplitReductions() {}

    public static Graph apply(Graph g) {
        return new SplitReductions().run(g);
    }

    @Override
    protected List<Node> rewrite(Node n, List<Node> in) {
        if (!(n.op() instanceof Reduce r) || r.kind().isArg()) return null;
        Node x = in.getFirst();
        long rows = n.type().numel();
        if (rows == 0 || rows >= ENOUGH_ROWS || x.type().numel() / rows < LONG_ROW) return null;
        int[] axes = r.axes().clone();
        Arrays.sort(axes);
        // reduce(x[…, p·q, …]) => reduce(reduce(x[…, p, q, …] over all but p) over p)
        int best = -1;
        long parts = 1;
        for (int a : axes) {
            long p = divisor(x.type().dim(a));
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

    /** The largest divisor of {@code n} up to {@link #PARTS}. */
    private static long divisor(long n) {
        for (long p = Math.min(PARTS, n); p > 1; p--) if (n % p == 0) return p;
        return 1;
    }
}
