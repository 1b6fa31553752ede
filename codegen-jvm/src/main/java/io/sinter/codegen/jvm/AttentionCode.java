// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;

/**
 * Attention as a kernel: the generated subclass gives extents and strides and reads and writes matrices;
 * {@link AttentionForward} and {@link AttentionBackward} are the algorithm, {@link GemmTiles} its
 * products, {@link AttentionSteps} what lies between them.
 *
 * <p>Forward has one phase, over blocks of queries. Backward has three: each query's
 * delta; then dk and dv, over batch elements or segments of their keys, with dq on the side; and dq's sums
 * if there are segments. Each result element is owned by one task, and summed in an order that depends on
 * extents alone.
 */
public abstract class AttentionCode extends JvmKernel {
    // Matrices to read.
    static final int Q = 0;
    static final int K = 1;
    static final int V = 2;
    static final int BIAS = 3;
    static final int OUT = 4;
    static final int DOUT = 5;

    /** lse as a row, with 0 for minus infinity. */
    static final int LSE = 6;

    /** q · scale. */
    static final int SCALED = 7;

    /** k · scale. */
    static final int SCALED_K = 8;

    // Matrices to write: out and lse; or dq and dk (which are multiplied by the scale) and dv.
    static final int TO_OUT = 0;
    static final int TO_LSE = 1;
    static final int TO_DQ = 0;
    static final int TO_DK = 1;
    static final int TO_DV = 2;

    /** Type that is computed in. */
    protected abstract DType type();

    /** Width of the vectors that the generated code uses, in bits; 0 for scalar code. */
    protected abstract int vectorBits();

    protected abstract boolean isBackward();

    protected abstract boolean isCausal();

    protected abstract boolean hasBias();

    /**
     * A launch's numbers: how many batch variables there are, their extents, the extents of i, j, d and
     * e; then views (see {@link GemmView}) of q, k, v and dout.
     */
    protected abstract void numbers(long params, long[] to);

    /** How many {@link #numbers} there are. */
    protected abstract int numberCount();

    /**
     * Computes {@code steps} rows of {@code run} elements of a matrix into dense memory, rows {@code
     * step} bytes apart.
     *
     * @param which number of the matrix
     */
    protected abstract void read(
            int which,
            long params,
            long batch,
            long row,
            long column,
            int run,
            int steps,
            long memory,
            long step,
            long scratch);

    /**
     * Stores {@code steps} rows of {@code run} elements from dense memory, rows {@code step} bytes apart,
     * to a result.
     */
    protected abstract void write(
            int which,
            long params,
            long batch,
            long row,
            long column,
            int run,
            int steps,
            long memory,
            long step,
            long scratch);

    @Override
    public final String describe(long params) {
        return plan(params).toString();
    }

    @Override
    public final int phases() {
        return isBackward() ? 3 : 1;
    }

    @Override
    public final Demand demand(long params) {
        AttentionPlan plan = plan(params);
        long[] tasks = new long[phases()];
        for (int p = 0; p < tasks.length; p++) tasks[p] = tasks(plan, p);
        return new Demand(tasks, scratchBytes(plan, params), workspaceBytes(plan), null);
    }

    @Override
    public final long tasks(int phase, long params) {
        return tasks(plan(params), phase);
    }

    private static long tasks(AttentionPlan plan, int phase) {
        return plan.batches
                * switch (phase) {
                    case 0 -> plan.queryBlocks();
                    case 1 -> plan.segments();
                    default -> plan.sumBlocks();
                };
    }

    @Override
    public final long scratchBytes(long params) {
        return scratchBytes(plan(params), params);
    }

    private long scratchBytes(AttentionPlan plan, long params) {
        if (!isBackward()) return new AttentionForward(this, tiles(), plan, params, 0).scratchBytes();
        return new AttentionBackward(this, tiles(), plan, params, 0, 0).scratchBytes();
    }

    @Override
    public final long workspaceBytes(long params) {
        return workspaceBytes(plan(params));
    }

    private long workspaceBytes(AttentionPlan plan) {
        return isBackward() ? plan.workspaceBytes() : 0;
    }

    @Override
    public final void run(int phase, long params, long begin, long end, long scratch, long workspace) {
        AttentionPlan plan = plan(params);
        if (!isBackward()) {
            AttentionForward forward = new AttentionForward(this, tiles(), plan, params, scratch);
            for (long task = begin; task < end; task++) forward.run(task);
            return;
        }
        AttentionBackward backward = new AttentionBackward(this, tiles(), plan, params, scratch, workspace);
        for (long task = begin; task < end; task++) {
            switch (phase) {
                case 0 -> backward.deltas(task);
                case 1 -> backward.keys(task);
                default -> backward.sum(task);
            }
        }
    }

    /**
     * Pieces of a task on a few rows; by then their methods are compiled, and a whole task is soon done: the last block of queries or the first of keys,
     * which have parts with and without a diagonal.
     */
    @Override
    public final void sample(int phase, long params, long scratch, long workspace) {
        AttentionPlan plan = plan(params);
        if (!isBackward()) new AttentionForward(this, tiles(), plan, params, scratch).sample();
        else if (phase < 2) new AttentionBackward(this, tiles(), plan, params, scratch, workspace).sample();
        long task = phase == 0 ? tasks(phase, params) - 1 : 0;
        run(phase, params, task, task + 1, scratch, workspace);
    }

    @Override
    public final int callsPerSample() {
        return 8;
    }

    private GemmTiles tiles() {
        return GemmTileSets.of(type(), vectorBits());
    }

    private AttentionPlan plan(long params) {
        return new AttentionPlan(this, tiles(), params);
    }
}
