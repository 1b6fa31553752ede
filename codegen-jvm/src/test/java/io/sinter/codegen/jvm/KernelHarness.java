// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.ref.KernelCase;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.util.CheckClassAdapter;

/** Runs loop kernels in the interpreter and as generated code, on equal memory. */
final class KernelHarness extends KernelCase {
    /** Scalar code, every vector width, and the Vector API's calls where intrinsics are there. */
    static final List<Options> ALL = Intrinsics.available()
            ? List.of(new Options(0), new Options(128), new Options(256), new Options(512), new Options(512, false))
            : List.of(new Options(0), new Options(128), new Options(256), new Options(512));

    private static final int GUARD = 256;
    private static final byte GUARD_BYTE = 0x5a;

    /**
     * How often generated code is run (for kernels that do not read what they write): the last times
     * compiled.
     */
    int repeats = 1;

    /** Sizes of loop bodies to try. */
    List<Integer> budgets = LoopFission.BUDGETS;

    KernelHarness(LoopKernel kernel) {
        super(kernel);
    }

    KernelHarness(KernelCase c) {
        super(c.kernel);
        System.arraycopy(c.slots, 0, slots, 0, slots.length);
        inputs.putAll(c.inputs);
    }

    /**
     * Runs the tasks in ranges of {@code taskStep}, after checking the class with ASM's verifier; fails if
     * memory around a buffer was written.
     */
    Outcome generated(Options options, int taskStep) {
        GeneratedClass generated = JvmCodegen.generate(kernel, options, budgets);
        verify(generated);
        JvmKernel code = JvmCodegen.define(generated);
        assertEquals(kernel.name(), code.name());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = arena.allocate(8L * slots.length, 64);
            MemorySegment.copy(slots, 0, params, ValueLayout.JAVA_LONG, 0, slots.length);
            MemorySegment error = arena.allocate(32, 64);
            params.setAtIndex(ValueLayout.JAVA_LONG, 0, error.address());
            Map<Buf, MemorySegment> memory = new HashMap<>();
            inputs.forEach((b, bytes) -> {
                MemorySegment m = guarded(arena, bytes);
                memory.put(b, m);
                params.setAtIndex(ValueLayout.JAVA_LONG, b.slot(), m.address() + GUARD);
            });
            byte[] noise = new byte[Math.toIntExact(code.scratchBytes(params.address()))];
            Arrays.fill(noise, (byte) 0xc3);
            MemorySegment scratch = guarded(arena, noise);
            long tasks = code.tasks(0, params.address());
            for (int i = 0; i < repeats; i++) {
                for (long t = 0; t < tasks; t += taskStep) {
                    code.run(0, params.address(), t, Math.min(tasks, t + taskStep), scratch.address() + GUARD, 0);
                }
            }
            Map<Buf, byte[]> out = new HashMap<>();
            memory.forEach((b, m) -> out.put(b, unguard(m, b.toString())));
            unguard(scratch, "scratch");
            boolean failed = error.get(ValueLayout.JAVA_LONG, 0) != 0;
            return new Outcome(
                    out,
                    !failed
                            ? null
                            : List.of(
                                    error.getAtIndex(ValueLayout.JAVA_LONG, 1),
                                    error.getAtIndex(ValueLayout.JAVA_LONG, 2),
                                    error.getAtIndex(ValueLayout.JAVA_LONG, 3)));
        }
    }

    private static MemorySegment guarded(Arena arena, byte[] bytes) {
        MemorySegment m = arena.allocate(bytes.length + 2L * GUARD, 64);
        m.fill(GUARD_BYTE);
        MemorySegment.copy(bytes, 0, m, ValueLayout.JAVA_BYTE, GUARD, bytes.length);
        return m;
    }

    private static byte[] unguard(MemorySegment m, String what) {
        byte[] all = m.toArray(ValueLayout.JAVA_BYTE);
        for (int i = 0; i < GUARD; i++) {
            assertEquals(GUARD_BYTE, all[i], "written before " + what);
            assertEquals(GUARD_BYTE, all[all.length - 1 - i], "written after " + what);
        }
        return Arrays.copyOfRange(all, GUARD, all.length - GUARD);
    }

    static void verify(GeneratedClass generated) {
        StringWriter faults = new StringWriter();
        CheckClassAdapter.verify(
                new ClassReader(generated.bytes()), JvmCodegen.class.getClassLoader(), false, new PrintWriter(faults));
        assertEquals("", faults.toString(), "faults in generated bytecode");
    }

    /** Every variant gives the interpreter's bits in every buffer, NaN standing for NaN. */
    void checkExact(int taskStep) {
        Outcome expected = interpret();
        for (Options o : ALL) {
            Outcome actual = generated(o, taskStep);
            String what = o + " differs from the interpreter in\n" + KernelText.print(kernel) + "slots "
                    + Arrays.toString(slots) + "\nbuffer ";
            if (expected.error() == null) assertEquals(null, actual.error(), what);
            else assertEquals(true, actual.error() != null, what + ": no index error was reported");
            if (expected.error() != null) continue;
            for (Buf b : expected.memory().keySet()) {
                assertArrayEquals(
                        values(b, expected.memory().get(b)),
                        values(b, actual.memory().get(b)),
                        what + b);
            }
        }
    }

    /** Holds what ranges of several tasks leave in these buffers against {@code alone}, what tasks one by one do: to the bit. */
    void checkRanges(Options o, String what, Map<Buf, byte[]> alone, List<Buf> of, int... steps) {
        for (int step : steps) {
            Map<Buf, byte[]> some = generated(o, step).memory();
            for (Buf b : of) assertArrayEquals(alone.get(b), some.get(b), o + what + ", " + step + " tasks at a time");
        }
    }
}
