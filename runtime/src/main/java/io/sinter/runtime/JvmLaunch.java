// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.jvm.JvmKernel.Preparation;

/**
 * One launch of a program, ready to run again and again: code, parameter blocks, numbers of tasks. Several segments are one dispatch over their
 * concatenated tasks. Used by the thread that holds the pool.
 */
final class JvmLaunch implements WorkerPool.Tasks {
    /** A launch that takes less than this on one thread is not worth waking others for, in nanoseconds. */
    private static final long SMALL = 8_000;
    /** Chunks per thread: small enough that threads end together, large enough that claiming them costs nothing. */
    private static final long CHUNKS = 8;

    private final JvmKernel code;
    private final long[] blocks;
    /** For each phase and segment, the number of tasks up to the segment's end. */
    private final long[][] ends;
    /** For each segment, where its workspace begins. */
    private final long[] workspaces;

    private final long workspaceBytes;
    private final long scratchBytes;
    /** For each phase, what it took on one thread, about; 0 before the first time. */
    private final long[] serialNanos;

    /** What the first phase computes of one operand alone; null if nothing. Of a launch of several segments nothing is kept. */
    private final Preparation preparation;

    // The run in progress.
    private PreparedOperands.Prepared prepared;
    private WorkerPool.Team team;
    private long workspace;
    private int phase;

    /**
     * @param blocks addresses of the segments' parameter blocks, their numbers written
     * @param demands what the kernel asks for, segment by segment
     */
    JvmLaunch(JvmKernel code, long[] blocks, JvmKernel.Demand[] demands) {
        this.code = code;
        this.blocks = blocks;
        ends = new long[code.phases()][blocks.length];
        workspaces = new long[blocks.length];
        serialNanos = new long[code.phases()];
        long scratch = 0;
        long total = 0;
        Preparation first = null;
        for (int s = 0; s < blocks.length; s++) {
            JvmKernel.Demand demand = demands[s];
            scratch = Math.max(scratch, demand.scratchBytes());
            workspaces[s] = total;
            total += (demand.workspaceBytes() + 63) & -64;
            for (int p = 0; p < ends.length; p++) {
                ends[p][s] = demand.tasks()[p] + (s == 0 ? 0 : ends[p][s - 1]);
            }
            first = demand.preparation();
        }
        preparation = blocks.length == 1 ? first : null;
        workspaceBytes = total;
        scratchBytes = scratch;
    }

    JvmKernel code() {
        return code;
    }

    /** Bytes that each worker needs. */
    long scratchBytes() {
        return scratchBytes;
    }

    /** Bytes that the launch needs while it runs, for all workers together. */
    long workspaceBytes() {
        return workspaceBytes;
    }

    /** Number of tasks of all phases. */
    long tasks() {
        long sum = 0;
        for (long[] e : ends) sum += e[e.length - 1];
        return sum;
    }

    Preparation preparation() {
        return preparation;
    }

    /** Where {@link #preparation} is kept in the runs to come; null for the workspace. */
    void keep(PreparedOperands.Prepared where) {
        prepared = where;
    }

    /**
     * Runs all phases, but the first if what it computes is there.
     *
     * @param memory address of {@link #workspaceBytes} bytes
     */
    void run(WorkerPool.Team workers, int threads, long memory) {
        team = workers;
        workspace = memory;
        for (phase = 0; phase < ends.length; phase++) {
            long tasks = ends[phase][blocks.length - 1];
            if (tasks == 0 || phase == 0 && prepared != null && prepared.isComplete()) continue;
            boolean alone = threads == 1 || tasks == 1 || serialNanos[phase] != 0 && serialNanos[phase] < SMALL;
            long start = System.nanoTime();
            workers.run(tasks, alone ? tasks : Math.max(1, tasks / (threads * CHUNKS)), this);
            long nanos = System.nanoTime() - start;
            serialNanos[phase] = Math.max(1, alone ? nanos : nanos * threads);
            if (phase == 0 && prepared != null) prepared.complete();
        }
    }

    @Override
    public void run(int worker, long begin, long end) {
        long scratch = team.scratch(worker);
        long[] e = ends[phase];
        int s = 0;
        if (e.length > 1) {
            // The first segment that ends behind begin.
            int high = e.length - 1;
            while (s < high) {
                int middle = (s + high) >>> 1;
                if (e[middle] > begin) high = middle;
                else s = middle + 1;
            }
        }
        for (long at = begin; at < end; s++) {
            long first = s == 0 ? 0 : e[s - 1];
            long last = Math.min(end, e[s]);
            long own = workspace + workspaces[s];
            long kept = prepared == null ? own : prepared.address();
            if (at < last) code.run(phase, blocks[s], at - first, last - first, scratch, own, kept);
            at = Math.max(at, last);
        }
    }
}
