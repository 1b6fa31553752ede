// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmFlags;
import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/**
 * Brings new kernels to full speed before their first run. Until HotSpot has compiled a vector operation it takes about 1.4 µs, so a kernel that
 * meets its full data first crawls for as long as the compiler needs, and keeps a processor from the compiler meanwhile. Here every new kernel runs
 * some tiny tiles, which makes HotSpot compile them all, and then we wait.
 *
 * <p>A tile is made tiny by making the extents of the kernel's inner loops small: it then touches a subset of what the real one would, so it stays
 * inside its buffers. What it reads is whatever is there; what it writes goes to memory that the program has not begun to use, or to a spare buffer
 * where it would be an argument's. Kernels that trust an index which they load are left out.
 */
final class WarmUp {
    /** Iterations of a vector loop: one unrolled step of four vectors of 16, and a masked rest. */
    private static final long VECTOR_EXTENT = 75;

    private static final long SEQUENTIAL_EXTENT = 2;
    /** Products in a sum of a matrix product, over all of the variables that it sums over. */
    private static final double PRODUCTS = 16;
    /** A launch of fewer innermost iterations is through before the compiler would be. */
    private static final double WORTH = 100_000;
    /** With thresholds scaled to three hundredths HotSpot compiles a method after some 150 calls. */
    private static final int CALLS = 200;
    /** A task of a matrix product calls its methods often enough by itself. */
    private static final int GEMM_CALLS = 3;
    /** A kernel is at full speed when a call takes at most this, in nanoseconds, … */
    private static final long FAST = 3_000;
    /** … or this fraction of what its interpreted calls took. */
    private static final long SPEEDUP = 40;
    /** Waits no longer than this for the compiler, in nanoseconds: the program runs anyway, only slower. */
    private static final long PATIENCE = 4_000_000_000L;

    private static final class Flags {
        /** Without early compilation the calls would be too few, and thousands of them too slow; scalar code needs no warming up. */
        static final boolean USEFUL = JvmFlags.hasVectors()
                && ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                        .anyMatch(a -> a.contains("CompileThresholdScaling") && a.contains("sinter"));
    }

    /** A launch whose kernel is new. */
    static final class Candidate {
        private final Plan.Launch launch;
        private final JvmKernel code;
        private final InnerExtents extents;
        /** The program's memory that a place of the launch's plan is in. */
        private final UnaryOperator<Place> outermost;
        /** Address of its parameter block; while warming up, of the changed copy. */
        private long block;

        private long workspace;
        private long slowest;
        private boolean done;

        private Candidate(
                Plan.Launch launch, JvmKernel code, InnerExtents extents, long block, UnaryOperator<Place> outermost) {
            this.outermost = outermost;
            this.launch = launch;
            this.code = code;
            this.extents = extents;
            this.block = block;
        }

        private boolean isGemm() {
            return launch.kernel() instanceof GemmKernel;
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
            for (int slot : extents.vector()) put(slot, Math.min(VECTOR_EXTENT, get(slot)));
            long most = isGemm()
                    ? (long) Math.ceil(Math.pow(
                            PRODUCTS, 1.0 / Math.max(1, extents.sequential().size())))
                    : SEQUENTIAL_EXTENT;
            for (int slot : extents.sequential()) put(slot, Math.min(most, get(slot)));
            List<SlotValue> values = launch.segments().getFirst();
            for (int slot = 0; slot < values.size(); slot++) {
                if (values.get(slot) instanceof SlotValue.ErrorRecord) put(slot, record);
            }
            for (Buf b : launch.kernel().buffers()) if (written(b) instanceof Place.Argument) put(b.slot(), spare);
        }

        private long get(int slot) {
            return Memory.getLong(block + (long) slot * Long.BYTES);
        }

        private void put(int slot, long value) {
            Memory.putLong(block + (long) slot * Long.BYTES, value);
        }

        /** One task of each phase; how long it took. */
        private long call(long scratch) {
            long start = System.nanoTime();
            for (int phase = 0; phase < code.phases(); phase++) {
                if (code.tasks(phase, block) > 0) code.run(phase, block, 0, 1, scratch, workspace);
            }
            return System.nanoTime() - start;
        }

        private boolean isFast(long nanos) {
            return nanos < Math.max(FAST, slowest / SPEEDUP);
        }

        /** Calls it until HotSpot has taken notice. */
        private void start(long scratch) {
            call(scratch); // loads classes
            for (int n = 0; n < (isGemm() ? GEMM_CALLS : CALLS) && !done; n++) {
                long nanos = call(scratch);
                slowest = Math.max(slowest, nanos);
                done = n > 2 && isFast(nanos);
            }
            // A product's time depends on too much to be judged.
            done |= isGemm();
        }
    }

    private WarmUp() {}

    /** True if this JVM compiles early, and to vectors. */
    static boolean isUseful() {
        return Flags.USEFUL;
    }

    /**
     * Adds a launch, if its kernel can be warmed up and is worth it.
     *
     * @param block its first segment's parameter block, ready to run
     * @param outermost the program's memory that a place of the launch's plan is in
     * @param times how often one run of the program launches it
     */
    static void add(
            List<Candidate> cold,
            Plan.Launch launch,
            JvmKernel code,
            long block,
            UnaryOperator<Place> outermost,
            long times) {
        double iterations = times * InnerExtents.iterations(launch.kernel(), block);
        if (launch.kernel() instanceof AttentionKernel || iterations < WORTH) return;
        InnerExtents extents = InnerExtents.of(launch.kernel());
        if (!extents.trusts()) cold.add(new Candidate(launch, code, extents, block, outermost));
    }

    /**
     * Warms up.
     *
     * @param team to run them
     */
    static void run(Plan plan, List<Candidate> cold, WorkerPool.Team team, Allocator allocator) {
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
        Buffer blocks = allocator.allocate(bytes, "parameters for warming up kernels");
        Buffer spare = allocator.allocate(spareBytes, "results of warming up kernels");
        Buffer workspace = null;
        try {
            // First an error record, which nobody looks at.
            long at = blocks.address() + 64;
            for (Candidate c : cold) {
                c.shrink(at, blocks.address(), spare.address());
                at += c.blockBytes();
            }
            long workspaces = 0;
            long scratch = 0;
            for (Candidate c : cold) {
                c.workspace = workspaces;
                workspaces += (c.code.workspaceBytes(c.block) + 63) & -64;
                scratch = Math.max(scratch, c.code.scratchBytes(c.block));
            }
            team.reserveScratch(scratch);
            workspace = allocator.allocate(workspaces, "workspaces for warming up kernels");
            for (Candidate c : cold) c.workspace += workspace.address();
            run(cold, team);
        } finally {
            if (workspace != null) workspace.release();
            blocks.release();
            spare.release();
        }
    }

    private static void run(List<Candidate> cold, WorkerPool.Team team) {
        team.run(cold.size(), 1, (worker, begin, end) -> {
            for (long i = begin; i < end; i++) cold.get((int) i).start(team.scratch(worker));
        });
        List<Candidate> waiting = new ArrayList<>(cold);
        long deadline = System.nanoTime() + PATIENCE;
        while (System.nanoTime() < deadline) {
            waiting.removeIf(c -> c.done || c.isFast(c.call(team.scratch(0))));
            if (waiting.isEmpty()) return;
            LockSupport.parkNanos(2_000_000);
        }
    }
}
