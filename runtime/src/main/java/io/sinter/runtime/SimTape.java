// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.sim.DeviceMemory;
import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.LongUnaryOperator;

/**
 * All that was done on a simulated device, in the order in which it was done. It can be done again, with another kernel in the place of one, without the
 * compiler and the host's code.
 */
final class SimTape {
    /** Something done. */
    sealed interface Op {
        record Allocate(long bytes) implements Op {}

        record Free(long address) implements Op {}

        record Renew(long address, long bytes) implements Op {}

        record CopyIn(long to, byte[] bytes) implements Op {}

        /** @param bytes what the host was given */
        record CopyOut(long from, byte[] bytes) implements Op {}

        record Copy(long to, long from, long bytes) implements Op {}

        record Fill(long address, byte value, long bytes) implements Op {}

        record Load(String text) implements Op {}

        /**
         * @param module its number among the modules
         * @param instructions of warps that it took
         * @param effect what it has changed in memory
         */
        record Launch(
                int module,
                String entry,
                Dim3 grid,
                Dim3 block,
                int shared,
                byte[] parameters,
                long instructions,
                DeviceMemory.Contents effect)
                implements Op {}
    }

    private final List<Op> ops = new ArrayList<>();

    int size() {
        return ops.size();
    }

    /** What was done, in order. */
    List<Op> ops() {
        return Collections.unmodifiableList(ops);
    }

    void add(Op op) {
        ops.add(op);
    }

    /** Copies from the device, and notes what came. */
    void copyOut(SimDevice device, long from, MemorySegment to) {
        device.memory().copyOut(from, to);
        add(new Op.CopyOut(from, to.toArray(ValueLayout.JAVA_BYTE)));
    }

    /** Runs a kernel, and notes what it has done. */
    void launch(
            SimDevice device, int module, SimModule.Entry entry, Dim3 grid, Dim3 block, int shared, byte[] parameters) {
        DeviceMemory.Contents before = device.memory().contents();
        long start = device.instructions();
        device.launch(entry, grid, block, shared, parameters);
        add(new Op.Launch(
                module,
                entry.name(),
                grid,
                block,
                shared,
                parameters,
                device.instructions() - start,
                device.memory().changesSince(before)));
    }

    /**
     * Does all of it again on a new device, but for launches that find memory as it was: what these have done is known.
     *
     * @param changed whether the kernel of a module's text and of a name is another one than it was
     * @param modules gives the module to be used for one that was loaded
     * @param patience instructions, at most, of a launch that took so many
     * @return for each thing done what the host was given, where that is something else than it was; else null
     */
    List<byte[]> again(
            SimOptions options,
            BiPredicate<String, String> changed,
            BiFunction<Op.Load, SimDevice, SimModule> modules,
            LongUnaryOperator patience) {
        SimDevice device = new SimDevice(options);
        DeviceMemory memory = device.memory();
        List<Op.Load> loaded = new ArrayList<>();
        List<byte[]> others = new ArrayList<>();
        boolean asItWas = true;
        for (Op op : ops) {
            byte[] other = null;
            switch (op) {
                case Op.Allocate a -> memory.allocate(a.bytes);
                case Op.Free f -> memory.free(f.address);
                case Op.Renew r -> memory.renew(r.address, r.bytes);
                case Op.CopyIn c -> memory.copyIn(c.to, MemorySegment.ofArray(c.bytes));
                case Op.CopyOut c -> {
                    byte[] now = new byte[c.bytes.length];
                    memory.copyOut(c.from, MemorySegment.ofArray(now));
                    if (!Arrays.equals(now, c.bytes)) other = now;
                }
                case Op.Copy c -> memory.copy(c.to, c.from, c.bytes);
                case Op.Fill f -> memory.fill(f.address, f.value, f.bytes);
                case Op.Load l -> loaded.add(l);
                case Op.Launch l -> {
                    Op.Load module = loaded.get(l.module);
                    if (asItWas && !changed.test(module.text, l.entry)) {
                        memory.restore(l.effect);
                        break;
                    }
                    DeviceMemory.Contents before = asItWas ? memory.contents() : null;
                    device.launch(
                            modules.apply(module, device).kernel(l.entry),
                            l.grid,
                            l.block,
                            l.shared,
                            l.parameters,
                            options.withMaxInstructions(patience.applyAsLong(l.instructions)));
                    asItWas = asItWas && memory.changesSince(before).isLike(l.effect);
                }
            }
            others.add(other);
        }
        return others;
    }
}
