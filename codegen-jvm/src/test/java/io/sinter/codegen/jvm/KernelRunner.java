// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Runs a kernel's tasks in any order, in guarded memory. */
final class KernelRunner {
    private static final int GUARD = 64;

    private KernelRunner() {}

    /**
     * Runs all phases; tasks one at a time, in an order that {@code order} shuffles (null: in turn, in
     * one call).
     */
    static void run(JvmKernel kernel, long params, Random order) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = guarded(arena, kernel.scratchBytes(params));
            MemorySegment workspace = guarded(arena, kernel.workspaceBytes(params));
            for (int phase = 0; phase < kernel.phases(); phase++) {
                long tasks = kernel.tasks(phase, params);
                // Templates write no result that they read: a sample before must leave no trace.
                boolean template = kernel instanceof GemmCode || kernel instanceof AttentionCode;
                if (template && tasks > 0) kernel.sample(phase, params, scratch.address(), workspace.address());
                if (order == null) {
                    kernel.run(phase, params, 0, tasks, scratch.address(), workspace.address());
                    continue;
                }
                List<Long> numbers = new ArrayList<>();
                for (long t = 0; t < tasks; t++) numbers.add(t);
                Collections.shuffle(numbers, order);
                for (long t : numbers) kernel.run(phase, params, t, t + 1, scratch.address(), workspace.address());
            }
            check(scratch, "scratch");
            check(workspace, "workspace");
        }
    }

    private static MemorySegment guarded(Arena arena, long bytes) {
        return arena.allocate(bytes + GUARD, 64).fill((byte) 0x7f);
    }

    private static void check(MemorySegment m, String what) {
        for (long i = m.byteSize() - GUARD; i < m.byteSize(); i++) {
            if (m.get(ValueLayout.JAVA_BYTE, i) != 0x7f) throw new AssertionError("write behind " + what + " memory");
        }
    }
}
