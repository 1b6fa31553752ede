// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.ref.LoopInterpreter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.util.CheckClassAdapter;

/** Runs loop kernels in the interpreter and as generated code, on equal memory. */
final class KernelHarness {
    /** Scalar code and every vector width. */
    static final List<Options> ALL = List.of(new Options(0), new Options(128), new Options(256), new Options(512));

    private static final int GUARD = 256;
    private static final byte GUARD_BYTE = 0x5a;

    final LoopKernel kernel;
    final long[] slots;
    /**
     * How often generated code is run (for kernels that do not read what they write): the last times
     * compiled.
     */
    int repeats = 1;

    /** Sizes of loop bodies to try. */
    List<Integer> budgets = LoopFission.BUDGETS;

    final Map<Buf, byte[]> inputs = new HashMap<>();

    KernelHarness(LoopKernel kernel) {
        this.kernel = kernel;
        this.slots = new long[kernel.slots()];
    }

    /** Contents of every buffer after a run, and the error record (null: no error). */
    record Outcome(Map<Buf, byte[]> memory, List<Long> error) {}

    Outcome interpret() {
        Map<Buf, ByteBuffer> memory = new HashMap<>();
        inputs.forEach(
                (b, bytes) -> memory.put(b, ByteBuffer.wrap(bytes.clone()).order(ByteOrder.nativeOrder())));
        ByteBuffer scratch = ByteBuffer.allocate((int) kernel.scratchBytes()).order(ByteOrder.nativeOrder());
        Object[] error = new Object[1];
        new LoopInterpreter(new LoopInterpreter.World() {
                    private int at(Buf b, long index) {
                        long start = b.kind() == Buf.Kind.SCRATCH ? slots[b.slot()] : 0;
                        return Math.toIntExact(start + index * b.dtype().bytes());
                    }

                    private ByteBuffer of(Buf b) {
                        return b.kind() == Buf.Kind.SCRATCH ? scratch : memory.get(b);
                    }

                    @Override
                    public long slot(int slot) {
                        return slots[slot];
                    }

                    @Override
                    public long load(Buf b, long index) {
                        return LoopInterpreter.fromMemory(b.dtype(), of(b), at(b, index));
                    }

                    @Override
                    public void store(Buf b, long index, long bits) {
                        LoopInterpreter.toMemory(b.dtype(), of(b), at(b, index), bits);
                    }

                    @Override
                    public void indexError(long site, long value, long bound) {
                        if (error[0] == null) error[0] = List.of(site, value, bound);
                    }
                })
                .run(kernel);
        Map<Buf, byte[]> out = new HashMap<>();
        memory.forEach((b, m) -> out.put(b, m.array()));
        @SuppressWarnings("unchecked")
        List<Long> first = (List<Long>) error[0];
        return new Outcome(out, first);
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
            if (expected.error == null) assertEquals(null, actual.error, what);
            else assertEquals(true, actual.error != null, what + ": no index error was reported");
            if (expected.error != null) continue;
            for (Buf b : expected.memory.keySet()) {
                assertArrayEquals(values(b, expected.memory.get(b)), values(b, actual.memory.get(b)), what + b);
            }
        }
    }

    /** A buffer's elements as register bits, with one NaN. */
    static long[] values(Buf b, byte[] bytes) {
        ByteBuffer m = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        long[] out = new long[bytes.length / b.dtype().bytes()];
        for (int i = 0; i < out.length; i++) {
            long bits = LoopInterpreter.fromMemory(b.dtype(), m, i * b.dtype().bytes());
            if (b.dtype().compute() == DType.F32 && Float.isNaN(Float.intBitsToFloat((int) bits))) bits = 0x7fc00000;
            if (b.dtype() == DType.F64 && Double.isNaN(Double.longBitsToDouble(bits))) bits = 0x7ff8000000000000L;
            out[i] = bits;
        }
        return out;
    }
}
