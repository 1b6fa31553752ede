// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * The numbers of one launch of attention. Blocks have a fixed size: nothing depends on threads or
 * processors.
 */
final class AttentionPlan {
    /**
     * Rows of a block of scores; a multiple of every tile's rows. Lanes are the other side: one panel.
     */
    static final int ROWS = 96;

    /** Tasks that the backward pass should have at least: it must not depend on threads, and order sums. */
    private static final long TASKS = 16;

    final long batches;
    final long queries;
    final long keys;

    /** Size of q's and k's rows. */
    final int d;

    /** Size of v's rows. */
    final int e;

    final GemmView q;
    final GemmView k;
    final GemmView v;
    final GemmView dout;
    final int size;
    final int lanes;
    final int panel;

    AttentionPlan(AttentionCode code, GemmTiles tiles, long params) {
        long[] n = new long[code.numberCount()];
        code.numbers(params, n);
        int nb = (int) n[0];
        long[] batch = java.util.Arrays.copyOfRange(n, 1, 1 + nb);
        long product = 1;
        for (long b : batch) product *= b;
        batches = product;
        queries = n[1 + nb];
        keys = n[2 + nb];
        d = Math.toIntExact(n[3 + nb]);
        e = Math.toIntExact(n[4 + nb]);
        int at = 5 + nb;
        int length = GemmView.length(nb, 1, 1);
        long[] i = {queries};
        long[] j = {keys};
        q = new GemmView(n, at, batch, i, new long[] {d});
        k = new GemmView(n, at + length, batch, j, new long[] {d});
        v = new GemmView(n, at + 2 * length, batch, j, new long[] {e});
        dout = new GemmView(n, at + 3 * length, batch, i, new long[] {e});
        size = tiles.dtype().bytes();
        lanes = tiles.lanes();
        panel = tiles.vectors() * lanes;
    }

    long queryBlocks() {
        return GemmPlan.ceilDiv(queries, panel);
    }

    long keyBlocks() {
        return GemmPlan.ceilDiv(keys, panel);
    }

    /** Bytes of one number for each query of all batches, and what follows it is aligned. */
    long statisticsBytes() {
        return GemmPlan.roundUp(batches * queries * size, 64);
    }

    /** Segments of a batch element's keys in the backward pass: more than one where there are few batch elements. */
    long segments() {
        long blocks = Math.max(1, keyBlocks());
        long wanted = Math.min(blocks, GemmPlan.ceilDiv(TASKS, Math.max(1, batches)));
        return GemmPlan.ceilDiv(blocks, GemmPlan.ceilDiv(blocks, wanted));
    }

    /** Keys of a segment, but for the last. */
    long segmentKeys() {
        return GemmPlan.ceilDiv(Math.max(1, keyBlocks()), segments()) * panel;
    }

    /** Bytes of a batch element's dq, in rows of whole vectors. */
    long dqBytes() {
        return GemmPlan.roundUp(queries * GemmPlan.roundUp(d, lanes) * size, 64);
    }

    /** Blocks of queries in which segments are added up. */
    long sumBlocks() {
        return segments() == 1 ? 0 : GemmPlan.ceilDiv(queries, ROWS);
    }

    long workspaceBytes() {
        return statisticsBytes() + batches * segments() * dqBytes();
    }

    @Override
    public String toString() {
        return batches + "×" + queries + "×" + keys + "×" + d;
    }
}
