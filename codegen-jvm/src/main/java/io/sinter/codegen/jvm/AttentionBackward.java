// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * Backward attention: weights are computed again from scores and lse, for blocks of keys (a lane a key)
 * against blocks of queries. With {@code P = exp(S - lse)} and {@code dS = P · (dO·Vᵀ - delta)}: {@code dQ
 * = scale · dS·K}, {@code dK = scale · dSᵀ·Q}, {@code dV = Pᵀ·dO}, where {@code delta_i = Σ_e dO·O}: five
 * products, as in FlashAttention-2 (Dao, 2023).
 *
 * <p>A task owns dk and dv of its keys. All keys add to dq: a task owns a whole batch element, or where
 * these are few, a segment of its keys, with a dq of its own in the workspace; the segments' are added up
 * afterwards, in order.
 */
final class AttentionBackward extends AttentionParts {
    private final AttentionSteps steps;
    private final long workspace;

    /** k of the block, as a panel; v of the block, or dout of a block of queries, as a panel. */
    private final long own;

    private final long other;
    private final long scores;
    private final long gradients;
    private final long bias;
    private final long first;
    private final long second;
    private final long part;
    private final long statistics;
    private final long delta;
    private final long dense;
    private final long rowsOfD;
    private final long rowsOfE;
    private final long rowsOfK;

    AttentionBackward(
            AttentionCode code, GemmTiles tiles, AttentionPlan plan, long params, long scratch, long workspace) {
        super(code, tiles, plan, params, scratch);
        this.workspace = workspace;
        int widest = Math.max(plan.d, plan.e);
        steps = new AttentionSteps(tiles.dtype(), code.vectorBits(), plan.panel);
        own = takePanel(plan.d);
        other = takePanel(plan.e);
        scores = takePanel(AttentionPlan.ROWS);
        gradients = takePanel(AttentionPlan.ROWS);
        bias = takePanel(code.hasBias() ? AttentionPlan.ROWS : 0);
        first = takePanel(plan.d);
        second = takePanel(plan.e);
        part = takePanel(widest);
        statistics = take(Math.max(row, AttentionPlan.ROWS * (long) size));
        delta = takePanel(1);
        dense = takeRows(plan.panel, Math.max(widest, AttentionPlan.ROWS));
        rowsOfD = takeRows(AttentionPlan.ROWS, plan.d);
        rowsOfE = takeRows(AttentionPlan.ROWS, plan.e);
        rowsOfK = takeRows(plan.panel, plan.d);
    }

    /** Calls the pieces of a task on a few rows of whatever lies in scratch memory. */
    void sample() {
        int rows = sampleRows();
        int values = Math.min(rows, plan.e);
        JvmKernel step = steps.gradient(code.hasBias(), code.isCausal());
        for (int n = 0; n < SAMPLES; n++) {
            sampleProducts(scores);
            step(steps.dots(), values, plan.panel, 0, other, second, delta);
            // Below the diagonal, and across it.
            long diagonal = n % 2 == 0 ? plan.panel : 0;
            step(step, rows, plan.panel, diagonal, scores, gradients, bias, statistics, delta);
            add(part, second, values, plan.panel);
        }
    }

    /** Puts delta of a block of queries into the workspace. */
    void deltas(long task) {
        long batch = task / plan.queryBlocks();
        long query = task % plan.queryBlocks() * plan.panel;
        int lanes = (int) Math.min(plan.panel, plan.queries - query);
        readPanel(AttentionCode.DOUT, batch, query, lanes, 0, plan.e, dense, other);
        readPanel(AttentionCode.OUT, batch, query, lanes, 0, plan.e, dense, second);
        step(steps.dots(), plan.e, lanes, 0, other, second, delta);
        SinterKernelMoves.copy(delta, delta(batch, query), (long) lanes * size);
    }

    private long delta(long batch, long query) {
        return workspace + (batch * plan.queries + query) * size;
    }

    /** dk and dv of a segment of keys, and what these keys add to dq. */
    void keys(long task) {
        long batch = task / plan.segments();
        long segment = task % plan.segments();
        long dq = dq(batch, segment);
        SinterKernelMoves.clear(dq, plan.queries * denseRow(plan.d));
        long begin = segment * plan.segmentKeys();
        long end = Math.min(plan.keys, begin + plan.segmentKeys());
        for (long key = begin; key < end; key += plan.panel) {
            block(batch, key, (int) Math.min(plan.panel, end - key), dq);
        }
        if (plan.segments() == 1) write(batch, 0, plan.queries, dq);
    }

    /** Address of a segment's dq, dense rows. */
    private long dq(long batch, long segment) {
        return workspace + plan.statisticsBytes() + (batch * plan.segments() + segment) * plan.dqBytes();
    }

    private void block(long batch, long key, int lanes, long dq) {
        readPanel(AttentionCode.SCALED_K, batch, key, lanes, 0, plan.d, dense, own);
        readPanel(AttentionCode.V, batch, key, lanes, 0, plan.e, dense, other);
        Matrix k = denseRows(AttentionCode.K, plan.k, batch, key, lanes, plan.d, rowsOfK);
        clear(first, plan.d);
        clear(second, plan.e);
        long begin = code.isCausal() ? key / AttentionPlan.ROWS * AttentionPlan.ROWS : 0;
        for (long query = begin; query < plan.queries; query += AttentionPlan.ROWS) {
            int rows = (int) Math.min(AttentionPlan.ROWS, plan.queries - query);
            Matrix q = rows(AttentionCode.Q, plan.q, batch, query, rows, plan.d, rowsOfD);
            Matrix dout = rows(AttentionCode.DOUT, plan.dout, batch, query, rows, plan.e, rowsOfE);
            product(q, rows, plan.d, own, scores, lanes);
            product(dout, rows, plan.e, other, gradients, lanes);
            if (code.hasBias())
                code.read(AttentionCode.BIAS, params, batch, query, key, lanes, rows, bias, row, codeScratch);
            code.read(AttentionCode.LSE, params, batch, 0, query, rows, 1, statistics, row, codeScratch);
            // Lane x is key key + x, row r is query query + r.
            JvmKernel step = steps.gradient(code.hasBias(), code.isCausal());
            step(step, rows, lanes, query - key, scores, gradients, bias, statistics, delta(batch, query));
            product(dout.transposed(), plan.e, rows, scores, part, lanes);
            add(part, second, plan.e, lanes);
            product(q.transposed(), plan.d, rows, gradients, part, lanes);
            add(part, first, plan.d, lanes);
            addProduct(rows, lanes, k, dq + query * denseRow(plan.d));
        }
        writePanel(AttentionCode.TO_DK, batch, key, lanes, plan.d, first, dense);
        writePanel(AttentionCode.TO_DV, batch, key, lanes, plan.e, second, dense);
    }

    /** {@code to += dS · k}, dense rows. */
    private void addProduct(int rows, int keys, Matrix k, long to) {
        long toRow = denseRow(plan.d);
        for (int r = 0; r < rows; r += tiles.rows()) {
            int height = Math.min(tiles.rows(), rows - r);
            for (int c = 0; c < plan.d; c += plan.panel) {
                int vectors = (int) GemmPlan.ceilDiv(Math.min(plan.panel, plan.d - c), plan.lanes);
                long b = k.base() + (long) c * size;
                long at = to + r * toRow + (long) c * size;
                tiles.tile(true, height, vectors, gradients + r * row, row, size, b, k.row(), at, toRow, keys);
            }
        }
    }

    /** Adds up the segments' dq for a block of queries. */
    void sum(long task) {
        long blocks = plan.sumBlocks();
        long batch = task / blocks;
        long query = task % blocks * AttentionPlan.ROWS;
        int rows = (int) Math.min(AttentionPlan.ROWS, plan.queries - query);
        long dqRow = denseRow(plan.d);
        // Not in the workspace: a task that runs again, as samples do, gives the same.
        SinterKernelMoves.copy(dq(batch, 0) + query * dqRow, rowsOfD, rows * dqRow);
        int vectors = (int) (dqRow / size / plan.lanes);
        for (long s = 1; s < plan.segments(); s++) {
            tiles.add(dq(batch, s) + query * dqRow, dqRow, rowsOfD, dqRow, rows, vectors);
        }
        write(batch, query, rows, rowsOfD);
    }

    private void write(long batch, long query, long rows, long from) {
        long step = denseRow(plan.d);
        int count = Math.toIntExact(rows);
        code.write(AttentionCode.TO_DQ, params, batch, query, 0, plan.d, count, from, step, codeScratch);
    }
}
