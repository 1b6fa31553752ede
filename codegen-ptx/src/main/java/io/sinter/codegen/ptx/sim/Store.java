// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Bytes, and which of them have been written. Values are little-endian, of 1, 2, 4 or 8 bytes, zero-extended. */
final class Store {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    final byte[] data;
    final Bitmap written;

    Store(int bytes) {
        this(new byte[bytes], new Bitmap(bytes));
    }

    private Store(byte[] data, Bitmap written) {
        this.data = data;
        this.written = written;
    }

    Store copy() {
        return new Store(data.clone(), written.copy());
    }

    /** Whether another one has the same bytes, and the same of them have been written. */
    boolean isLike(Store other) {
        return Arrays.equals(data, other.data) && written.isLike(other.written);
    }

    long get(int at, int bytes) {
        return switch (bytes) {
            case 1 -> data[at] & 0xffL;
            case 2 -> (short) SHORT.get(data, at) & 0xffffL;
            case 4 -> (int) INT.get(data, at) & 0xffff_ffffL;
            case 8 -> (long) LONG.get(data, at);
            default -> throw new IllegalArgumentException(bytes + " bytes");
        };
    }

    void put(int at, int bytes, long value) {
        switch (bytes) {
            case 1 -> data[at] = (byte) value;
            case 2 -> SHORT.set(data, at, (short) value);
            case 4 -> INT.set(data, at, (int) value);
            case 8 -> LONG.set(data, at, value);
            default -> throw new IllegalArgumentException(bytes + " bytes");
        }
        written.put(at, bytes, true);
    }
}
