// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.Numerics;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.ref.KernelCase;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;

/** Runs loop kernels as PTX on the simulator. */
final class SimRun {
    private SimRun() {}

    /**
     * Contents of all buffers after a run, and the error record.
     *
     * @param seed order of warps and CTAs
     * @param shift elements by which every buffer lies beside an aligned address
     */
    static KernelCase.Outcome run(KernelCase k, long seed, int shift) {
        return run(k, (_, _) -> PtxCodegen.anySchedule(k.kernel), seed, shift);
    }

    /** As {@link #run(KernelCase, long, int)}, in the form that a launch with these addresses takes. */
    static KernelCase.Outcome runChosen(KernelCase k, long seed, int shift) {
        return run(k, SimRun::chosen, seed, shift);
    }

    /** The form that a launch takes. */
    static Schedule chosen(Kernel k, IntToLongFunction slot) {
        return PtxCodegen.schedule(k, slot, Target.SM_80, Numerics.DEFAULT);
    }

    private static KernelCase.Outcome run(KernelCase k, SimPlan.Choice choice, long seed, int shift) {
        SimDevice device = new SimDevice(SimOptions.DEFAULT.withSeed(seed).withMaxInstructions(20_000_000));
        long[] slots = k.slots.clone();
        Map<Buf, Long> at = new HashMap<>();
        k.inputs.forEach((b, bytes) -> {
            long base = device.memory()
                    .allocate(bytes.length + (long) shift * b.dtype().bytes());
            long address = base + (long) shift * b.dtype().bytes();
            if (bytes.length > 0) device.memory().copyIn(address, MemorySegment.ofArray(bytes));
            at.put(b, address);
            slots[b.slot()] = address;
        });
        long record = device.memory().allocate(32);
        device.memory().fill(record, (byte) 0, 32);
        slots[0] = record;
        Schedule form = choice.of(k.kernel, i -> slots[i]);
        PtxKernel code = PtxCodegen.generate(k.kernel, form, PtxModule.identifier(k.kernel.name()), 1);
        SimModule module =
                device.load(PtxCodegen.module(Target.SM_80, List.of(code)).toString());
        long block = device.memory().allocate(8L * slots.length);
        ByteBuffer bytes = ByteBuffer.allocate(8 * slots.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long s : slots) bytes.putLong(s);
        device.memory().copyIn(block, MemorySegment.ofArray(bytes.array()));
        LaunchRule.Shape shape = code.rule().shape(i -> slots[i]);
        long scratch = shape.scratchBytes() == 0 ? 0 : device.memory().allocate(shape.scratchBytes());
        if (shape.ctas() > 0) {
            byte[] parameters = ByteBuffer.allocate(24)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(block)
                    .putLong(0)
                    .putLong(scratch)
                    .array();
            device.launch(
                    module.kernel(code.name()),
                    new Dim3((int) shape.ctas(), 1, 1),
                    new Dim3(shape.threads(), shape.teams(), 1),
                    shape.sharedBytes(),
                    parameters);
        }
        Map<Buf, byte[]> out = new HashMap<>();
        at.forEach((b, address) -> out.put(b, read(device, address, k.inputs.get(b).length)));
        ByteBuffer error = ByteBuffer.wrap(read(device, record, 32)).order(ByteOrder.LITTLE_ENDIAN);
        boolean failed = error.getLong(0) != 0;
        return new KernelCase.Outcome(
                out, failed ? List.of(error.getLong(8), error.getLong(16), error.getLong(24)) : null);
    }

    private static byte[] read(SimDevice device, long address, int n) {
        byte[] bytes = new byte[n];
        if (n > 0) device.memory().copyOut(address, MemorySegment.ofArray(bytes));
        return bytes;
    }

    /** The interpreter's bits in every buffer, NaN standing for NaN, with buffers aligned and not, in a form for all launches and in this one's. */
    static void checkExact(KernelCase k) {
        KernelCase.Outcome expected = k.interpret();
        for (int round = 0; round < 3; round++) {
            int shift = round % 2;
            boolean chosen = round == 2;
            if (chosen && !(chosen(k.kernel, i -> k.slots[i]) instanceof RowSchedule)) continue;
            String what = "shift " + shift + (chosen ? ", in the form that is chosen," : "")
                    + " differs from the interpreter in\n" + KernelText.print(k.kernel) + "slots "
                    + Arrays.toString(k.slots) + "\nbuffer ";
            KernelCase.Outcome actual;
            try {
                actual = chosen ? runChosen(k, 7, 0) : run(k, 7 + shift, shift);
            } catch (RuntimeException e) {
                throw new AssertionError(what + e.getMessage(), e);
            }
            if (expected.error() != null) {
                assertEquals(true, actual.error() != null, what + ": no index error was reported");
                continue;
            }
            assertEquals(null, actual.error(), what);
            for (Buf b : expected.memory().keySet())
                assertArrayEquals(
                        KernelCase.values(b, expected.memory().get(b)),
                        KernelCase.values(b, actual.memory().get(b)),
                        what + b);
        }
    }
}
