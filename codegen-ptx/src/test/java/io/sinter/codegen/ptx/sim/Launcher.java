// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A simulated device with buffers of Java arrays, for tests. */
final class Launcher {
    final SimDevice device;
    private SimModule module;
    int shared;

    Launcher(String ptx) {
        this(ptx, SimOptions.DEFAULT);
    }

    Launcher(String ptx, SimOptions options) {
        device = new SimDevice(options);
        module = device.load(ptx);
    }

    SimModule module() {
        return module;
    }

    long buffer(float... values) {
        return upload(MemorySegment.ofArray(values));
    }

    long buffer(double... values) {
        return upload(MemorySegment.ofArray(values));
    }

    long buffer(int... values) {
        return upload(MemorySegment.ofArray(values));
    }

    long buffer(long[] values) {
        return upload(MemorySegment.ofArray(values));
    }

    long buffer(short... values) {
        return upload(MemorySegment.ofArray(values));
    }

    long buffer(byte... values) {
        return upload(MemorySegment.ofArray(values));
    }

    private long upload(MemorySegment s) {
        long p = device.memory().allocate(s.byteSize());
        device.memory().copyIn(p, s);
        return p;
    }

    /** Memory that holds nothing. */
    long empty(long bytes) {
        return device.memory().allocate(bytes);
    }

    float[] floats(long address, int count) {
        float[] x = new float[count];
        device.memory().copyOut(address, MemorySegment.ofArray(x));
        return x;
    }

    double[] doubles(long address, int count) {
        double[] x = new double[count];
        device.memory().copyOut(address, MemorySegment.ofArray(x));
        return x;
    }

    int[] ints(long address, int count) {
        int[] x = new int[count];
        device.memory().copyOut(address, MemorySegment.ofArray(x));
        return x;
    }

    long[] longs(long address, int count) {
        long[] x = new long[count];
        device.memory().copyOut(address, MemorySegment.ofArray(x));
        return x;
    }

    short[] shorts(long address, int count) {
        short[] x = new short[count];
        device.memory().copyOut(address, MemorySegment.ofArray(x));
        return x;
    }

    /** Launches with arguments that are long (pointers), int, float, double or byte[]. */
    void launch(String kernel, Dim3 grid, Dim3 block, Object... arguments) {
        launch(kernel, grid, block, null, arguments);
    }

    void launch(String kernel, Dim3 grid, Dim3 block, SimOptions options, Object... arguments) {
        SimModule.Entry e = module.kernel(kernel);
        ByteBuffer b = ByteBuffer.allocate(e.parameterBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < arguments.length; i++) {
            b.position(e.parameterOffset(i));
            switch (arguments[i]) {
                case Long v -> b.putLong(v);
                case Integer v -> b.putInt(v);
                case Float v -> b.putFloat(v);
                case Double v -> b.putDouble(v);
                case byte[] v -> b.put(v);
                default -> throw new IllegalArgumentException("argument " + arguments[i]);
            }
        }
        if (options == null) device.launch(e, grid, block, shared, b.array());
        else device.launch(e, grid, block, shared, b.array(), options);
    }
}
