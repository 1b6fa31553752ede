// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * Forward attention for blocks of queries, one lane a query: {@code Sᵀ = K·Qᵀ}, online softmax down the
 * lanes, {@code Oᵀ = Vᵀ·P}. So maximum and sum of a row of scores are element by element, and k and v are
 * only read by single elements: tiles take them from where they lie.
 */
final class AttentionForward extends AttentionParts {
    private final AttentionSteps steps;
    private final long q;
    private final long scores;
    private final long bias;
    private final long result;
    private final long part;
    private final long maximum;
    private final long shift;
    private final long decay;
    private final long sum;
    private final long dense;
    private final long keys;
    private final long values;

    AttentionForward(AttentionCode code, GemmTiles tiles, AttentionPlan plan, long params, long scratch) {
        super(code, tiles, plan, params, scratch);
        steps = new AttentionSteps(tiles.dtype(), code.vectorBits(), plan.panel);
        q = takePanel(plan.d);
        scores = takePanel(AttentionPlan.ROWS);
        bias = takePanel(code.hasBias() ? AttentionPlan.ROWS : 0);
        result = takePanel(plan.e);
        part = takePanel(plan.e);
        maximum = takePanel(1);
        shift = takePanel(1);
        decay = takePanel(1);
        sum = takePanel(1);
        dense = takeRows(plan.panel, Math.max(Math.max(plan.d, plan.e), AttentionPlan.ROWS));
        keys = takeRows(AttentionPlan.ROWS, plan.k.isLinear() ? 0 : plan.d);
        values = takeRows(AttentionPlan.ROWS, plan.v.isLinear() ? 0 : plan.e);
    }

    /** Calls the pieces of a task on a few rows of whatever lies in scratch memory. */
    void sample() {
        int rows = sampleRows();
        int values = Math.min(rows, plan.e);
        JvmKernel step = steps.maximum(code.hasBias(), code.isCausal());
        for (int n = 0; n < SAMPLES; n++) {
            sampleProducts(scores);
            // Below the diagonal, and across it.
            long diagonal = n % 2 == 0 ? -plan.panel : 0;
            step(step, rows, plan.panel, diagonal, scores, bias, maximum, shift, decay);
            step(steps.weights(), rows, plan.panel, 0, scores, shift, decay, sum);
            step(steps.accumulate(), values, plan.panel, 0, result, part, decay);
            step(steps.finish(), values, plan.panel, 0, result, shift, sum, maximum);
        }
    }

    void run(long task) {
        long batch = task / plan.queryBlocks();
        long first = task % plan.queryBlocks() * plan.panel;
        int lanes = (int) Math.min(plan.panel, plan.queries - first);
        readPanel(AttentionCode.SCALED, batch, first, lanes, 0, plan.d, dense, q);
        clear(result, plan.e);
        clear(sum, 1);
        SinterKernelMoves.fill(tiles.dtype(), maximum, plan.panel, Double.NEGATIVE_INFINITY);
        long end = code.isCausal() ? Math.min(plan.keys, first + lanes) : plan.keys;
        for (long key = 0; key < end; key += AttentionPlan.ROWS) {
            block(batch, first, lanes, key, (int) Math.min(AttentionPlan.ROWS, end - key));
        }
        step(steps.finish(), plan.e, lanes, 0, result, shift, sum, maximum);
        writePanel(AttentionCode.TO_OUT, batch, first, lanes, plan.e, result, dense);
        code.write(AttentionCode.TO_LSE, params, batch, 0, first, lanes, 1, maximum, row, codeScratch);
    }

    private void block(long batch, long first, int lanes, long key, int rows) {
        Matrix k = rows(AttentionCode.K, plan.k, batch, key, rows, plan.d, keys);
        product(k, rows, plan.d, q, scores, lanes);
        if (code.hasBias()) readPanel(AttentionCode.BIAS, batch, first, lanes, key, rows, dense, bias);
        // Lane x is query first + x, row r is key key + r.
        JvmKernel step = steps.maximum(code.hasBias(), code.isCausal());
        step(step, rows, lanes, key - first, scores, bias, maximum, shift, decay);
        step(steps.weights(), rows, lanes, 0, scores, shift, decay, sum);
        Matrix v = rows(AttentionCode.V, plan.v, batch, key, rows, plan.e, values);
        product(v.transposed(), plan.e, rows, scores, part, lanes);
        step(steps.accumulate(), plan.e, lanes, 0, result, part, decay);
    }
}
