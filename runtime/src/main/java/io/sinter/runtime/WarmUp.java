// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmFlags;
import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Brings new kernels to full speed before they run. Until HotSpot has compiled a vector operation it takes about 1.4 µs, so a kernel that
 * meets its full data first crawls for as long as the compiler needs, and its first run waits for one method after the other. Here every new kernel
 * runs some tiny {@linkplain JvmKernel#sample samples}, several kernels at a time, each until HotSpot has compiled its methods: the call of
 * a generated method that reaches the threshold waits for the compiled code (see {@link JvmFlags#EARLY_COMPILATION}).
 *
 * <p>A nest of loops is made tiny by making the extents of the inner loops small: it then touches a subset of what the real one would, so it stays
 * inside its buffers. What it reads is whatever is there; what it writes goes to memory that the program has not begun to use, or to a spare buffer
 * where it would be an argument's. Kernels that trust an index which they load are left out.
 */
final class WarmUp {
    /**
     * Iterations of a vector loop in every other sample: one unrolled step of four vectors of 16. C2 leaves out what it has never seen: a loop that had
     * never been without a rest would be compiled again when it meets the first.
     */
    private static final long VECTOR_EXTENT = 64;
    /** And in the others a masked rest beside. */
    private static final long VECTOR_REST = 11;

    private static final long SEQUENTIAL_EXTENT = 2;
    /** A launch of fewer innermost iterations is through before the compiler would be. */
    private static final double WORTH = 100_000;
    /** A program that runs for the second time is likely to run a thousand times, as training steps do: what is worth the compiler's time then. */
    private static final double WORTH_AGAIN = 1_000;
    /** At this run of a program everything is worth it: interpreted, even a kernel of one element takes 100 µs. */
    private static final int OFTEN = 8;
    /** With these thresholds HotSpot compiles a method after some 150 calls. */
    private static final int CALLS = 200;
    /** Spends no longer than this on one kernel, in nanoseconds: the program runs anyway, only slower. */
    private static final long PATIENCE = 1_000_000_000L;

    private static final class Flags {
        /** Without early compilation the calls would be too few, and thousands of them too slow; scalar code needs no warming up. */
        static final boolean USEFUL = JvmFlags.hasVectors()
                && JvmFlags.compileEarly(ManagementFactory.getRuntimeMXBean().getInputArguments());
    }

    /** A launch whose kernel is new. */
    static final class Candidate {
        private final Plan.Launch launch;
        private final JvmKernel code;
        private final InnerExtents extents;
        /** The extents of vector loops, by slot. */
        private final Map<Integer, Long> vectors = new HashMap<>();
        /** The program's memory that a place of the launch's plan is in. */
        private final UnaryOperator<Place> outermost;
        /** Address of its parameter block; while warming up, of the changed copy. */
        private long block;

        private Candidate(
                Plan.Launch launch, JvmKernel code, InnerExtents extents, long block, UnaryOperator<Place> outermost) {
            this.outermost = outermost;
            this.launch = launch;
            this.code = code;
            this.extents = extents;
            this.block = block;
        }

        private long blockBytes() {
            return launch.kernel().slots() * (long) Long.BYTES;
        }

        /** The place of a buffer that the first segment writes; null for another buffer. */
        private Place written(Buf buffer) {
            SlotValue value = launch.segments().getFirst().get(buffer.slot());
            return buffer.kind() == Buf.Kind.OUT && value instanceof SlotValue.Address a
                    ? outermost.apply(a.place())
                    : null;
        }

        /** Moves to a block of its own at {@code copy}, with small extents; writes go to {@code spare} instead of arguments. */
        private void shrink(long copy, long record, long spare) {
            Memory.copy(block, copy, blockBytes());
            block = copy;
            for (int slot : extents.vector()) vectors.put(slot, get(slot));
            shrinkVectors(VECTOR_EXTENT + VECTOR_REST);
            for (int slot : extents.sequential()) put(slot, Math.min(SEQUENTIAL_EXTENT, get(slot)));
            List<SlotValue> values = launch.segments().getFirst();
            for (int slot = 0; slot < values.size(); slot++) {
                if (values.get(slot) instanceof SlotValue.ErrorRecord) put(slot, record);
            }
            for (Buf b : launch.kernel().buffers()) if (written(b) instanceof Place.Argument) put(b.slot(), spare);
        }

        private void shrinkVectors(long most) {
            vectors.forEach((slot, extent) -> put(slot, Math.min(most, extent)));
        }

        private long get(int slot) {
            return Memory.getLong(block + (long) slot * Long.BYTES);
        }

        private void put(int slot, long value) {
            Memory.putLong(block + (long) slot * Long.BYTES, value);
        }

        /** Runs samples until HotSpot has compiled what they call. */
        private void run(long scratch, long workspace) {
            long start = System.nanoTime();
            for (int n = 0; n < CALLS / code.callsPerSample() && System.nanoTime() - start < PATIENCE; n++) {
                shrinkVectors(n % 2 == 0 ? VECTOR_EXTENT + VECTOR_REST : VECTOR_EXTENT);
                for (int phase = 0; phase < code.phases(); phase++) {
                    if (code.tasks(phase, block) > 0) code.sample(phase, block, scratch, workspace);
                }
            }
        }
    }

    private WarmUp() {}

    /** True if this JVM compiles early, and to vectors. */
    static boolean isUseful() {
        return Flags.USEFUL;
    }

    /**
     * Whether a launch is long enough to be warmed up.
     *
     * @param blocks its segments' parameter blocks, ready to run
     * @param times how often one run of the program launches it
     * @param run number of the program's run, from 1
     */
    static boolean isWorth(Plan.Launch launch, long[] blocks, long times, int run) {
        if (run >= OFTEN) return true;
        double iterations = 0;
        for (long b : blocks) iterations += times * InnerExtents.iterations(launch.kernel(), b);
        return iterations >= (run == 1 ? WORTH : WORTH_AGAIN);
    }

    /**
     * Adds a launch, if its kernel can be warmed up.
     *
     * @param blocks its segments' parameter blocks, ready to run
     * @param outermost the program's memory that a place of the launch's plan is in
     */
    static void add(
            List<Candidate> cold, Plan.Launch launch, JvmKernel code, long[] blocks, UnaryOperator<Place> outermost) {
        InnerExtents extents = InnerExtents.of(launch.kernel());
        if (!extents.trusts() && hasVectors(launch.kernel()))
            cold.add(new Candidate(launch, code, extents, blocks[0], outermost));
    }

    /**
     * Scalar code is not so slow before it is compiled, and is better compiled by what the real data show: of a scan HotSpot made code that was ten
     * times slower when all it had seen was a sample's short rows.
     */
    private static boolean hasVectors(Kernel kernel) {
        if (!(kernel instanceof LoopKernel k)) return true;
        boolean[] found = new boolean[1];
        Facts.walk(k.body(), s -> found[0] |= s instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR);
        return found[0];
    }

    /**
     * Warms up.
     *
     * @param team to run them
     * @param threads workers of the team
     */
    static void run(Plan plan, List<Candidate> cold, WorkerPool.Team team, int threads, Allocator allocator) {
        if (cold.isEmpty()) return;
        long bytes = 64;
        long spareBytes = 0;
        for (Candidate c : cold) {
            bytes += c.blockBytes();
            for (Buf b : c.launch.kernel().buffers()) {
                if (c.written(b) instanceof Place.Argument a) {
                    spareBytes =
                            Math.max(spareBytes, plan.argTypes().get(a.index()).bytes());
                }
            }
        }
        Buffer blocks = allocator.allocateTemporary(bytes, "parameters for warming up kernels");
        Buffer spare = allocator.allocateTemporary(spareBytes, "results of warming up kernels");
        Buffer workspace = null;
        try {
            // First an error record, which nobody looks at.
            long at = blocks.address() + 64;
            for (Candidate c : cold) {
                c.shrink(at, blocks.address(), spare.address());
                at += c.blockBytes();
            }
            long most = 0;
            long scratch = 0;
            for (Candidate c : cold) {
                most = Math.max(most, (c.code.workspaceBytes(c.block) + 63) & -64);
                scratch = Math.max(scratch, c.code.scratchBytes(c.block));
            }
            team.reserveScratch(scratch);
            // One for each worker.
            long bytesEach = most;
            workspace = allocator.allocateTemporary(threads * bytesEach, "workspaces for warming up kernels");
            long first = workspace.address();
            team.run(cold.size(), 1, (worker, begin, end) -> {
                for (long i = begin; i < end; i++)
                    cold.get((int) i).run(team.scratch(worker), first + worker * bytesEach);
            });
        } finally {
            if (workspace != null) workspace.release();
            blocks.release();
            spare.release();
        }
    }
}
