// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * Backward attention: weights are computed again from scores and lse. For blocks of queries (a lane a
 * query) dq; for blocks of keys (a lane a key) dk and dv. With {@code P = exp(S - lse)} and {@code dS = P
 * · (dO·Vᵀ - delta)}: {@code dQ = scale · dS·K}, {@code dK = scale · dSᵀ·Q}, {@code dV = Pᵀ·dO}, where
 * {@code delta_i = Σ_e dO·O}.
 */
final class AttentionBackward extends AttentionParts {
    private final AttentionSteps steps;
    private final long workspace;

    /** q or k of the block, as a panel; dout or v of the block, as a panel. */
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
    }

    /** dq of a block of queries, and their delta. */
    void queries(long task) {
        long batch = task / plan.queryBlocks();
        long query = task % plan.queryBlocks() * plan.panel;
        int lanes = (int) Math.min(plan.panel, plan.queries - query);
        delta(batch, query, lanes);
        readPanel(AttentionCode.SCALED, batch, query, lanes, 0, plan.d, dense, own);
        code.read(AttentionCode.LSE, params, batch, 0, query, lanes, 1, statistics, row, codeScratch);
        clear(first, plan.d);
        long end = code.isCausal() ? Math.min(plan.keys, query + lanes) : plan.keys;
        for (long key = 0; key < end; key += AttentionPlan.ROWS) {
            int rows = (int) Math.min(AttentionPlan.ROWS, end - key);
            Matrix k = rows(AttentionCode.K, plan.k, batch, key, rows, plan.d, rowsOfD);
            Matrix v = rows(AttentionCode.V, plan.v, batch, key, rows, plan.e, rowsOfE);
            product(k, rows, plan.d, own, scores, lanes);
            product(v, rows, plan.e, other, gradients, lanes);
            if (code.hasBias()) readPanel(AttentionCode.BIAS, batch, query, lanes, key, rows, dense, bias);
            boolean diagonal = code.isCausal() && key + rows > query + 1;
            JvmKernel step = steps.gradient(false, code.hasBias(), diagonal);
            step(step, rows, lanes, key - query, scores, gradients, bias, statistics, delta);
            product(k.transposed(), plan.d, rows, gradients, part, lanes);
            add(part, first, plan.d, lanes);
        }
        writePanel(AttentionCode.TO_DQ, batch, query, lanes, plan.d, first, dense);
    }

    /**
     * Puts dout of a block of queries into {@link #other}, and delta into {@link #delta} and the
     * workspace.
     */
    private void delta(long batch, long query, int lanes) {
        readPanel(AttentionCode.DOUT, batch, query, lanes, 0, plan.e, dense, other);
        readPanel(AttentionCode.OUT, batch, query, lanes, 0, plan.e, dense, second);
        step(steps.dots(), plan.e, lanes, 0, other, second, delta);
        GemmMoves.copy(delta, deltas(batch, query), (long) lanes * size);
    }

    private long deltas(long batch, long query) {
        return workspace + (batch * plan.queries + query) * size;
    }

    /** dk and dv of a block of keys. */
    void keys(long task) {
        long batch = task / plan.keyBlocks();
        long key = task % plan.keyBlocks() * plan.panel;
        int lanes = (int) Math.min(plan.panel, plan.keys - key);
        readPanel(AttentionCode.SCALED_K, batch, key, lanes, 0, plan.d, dense, own);
        readPanel(AttentionCode.V, batch, key, lanes, 0, plan.e, dense, other);
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
            boolean diagonal = code.isCausal() && key + lanes > query + 1;
            JvmKernel step = steps.gradient(true, code.hasBias(), diagonal);
            step(step, rows, lanes, query - key, scores, gradients, bias, statistics, deltas(batch, query));
            product(dout.transposed(), plan.e, rows, scores, part, lanes);
            add(part, second, plan.e, lanes);
            product(q.transposed(), plan.d, rows, gradients, part, lanes);
            add(part, first, plan.d, lanes);
        }
        writePanel(AttentionCode.TO_DK, batch, key, lanes, plan.d, first, dense);
        writePanel(AttentionCode.TO_DV, batch, key, lanes, plan.e, second, dense);
    }
}
