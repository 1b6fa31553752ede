// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The PTX simulator as a GPU. Launches have ended when they return, and faults are thrown by them. */
final class SimDriver implements GpuDriver {
    private record Entry(SimModule.Entry entry) implements Function {
        @Override
        public String name() {
            return entry.name();
        }
    }

    private final SimDevice device = new SimDevice(SimOptions.DEFAULT);

    @Override
    public long allocate(long bytes) {
        return device.memory().allocate(bytes);
    }

    @Override
    public void free(long address) {
        device.memory().free(address);
    }

    @Override
    public void copyIn(long address, MemorySegment source) {
        if (source.byteSize() > 0) device.memory().copyIn(address, source);
    }

    @Override
    public void copyOut(long address, MemorySegment target) {
        if (target.byteSize() > 0) device.memory().copyOut(address, target);
    }

    @Override
    public void copy(long from, long to, long bytes) {
        device.memory().copy(to, from, bytes);
    }

    @Override
    public Function load(String ptx, String entry) {
        return new Entry(device.load(ptx).kernel(entry));
    }

    @Override
    public void launch(Function kernel, long[] ctas, int[] threads, long... parameters) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * parameters.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long p : parameters) bytes.putLong(p);
        device.launch(
                ((Entry) kernel).entry,
                new Dim3(Math.toIntExact(ctas[0]), Math.toIntExact(ctas[1]), 1),
                new Dim3(threads[0], threads[1], 1),
                0,
                bytes.array());
    }
}
