// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Appends numbers, texts and pieces of memory to an array of bytes; {@link ByteReader} reads them back in the same order. */
public final class ByteWriter {
    private byte[] bytes = new byte[1024];
    private int size;

    /** Number of bytes written. */
    public int size() {
        return size;
    }

    /** What was written, copied. */
    public byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    private void reserve(int more) {
        if (size + more > bytes.length) bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }

    /** One byte, 0 to 255. */
    public ByteWriter u8(int value) {
        reserve(1);
        bytes[size++] = (byte) value;
        return this;
    }

    public ByteWriter bool(boolean value) {
        return u8(value ? 1 : 0);
    }

    /** Four bytes, the lowest first. */
    public ByteWriter int32(int value) {
        for (int i = 0; i < 4; i++) u8(value >>> 8 * i);
        return this;
    }

    /** In one to ten bytes of seven bits, those of small magnitude in few (the zigzag form of protocol buffers). */
    public ByteWriter number(long value) {
        reserve(10);
        long rest = value << 1 ^ value >> 63;
        while ((rest & ~0x7fL) != 0) {
            bytes[size++] = (byte) (rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
        return this;
    }

    /** Their number, then eight bytes each, the lowest first. */
    public ByteWriter longs(long[] values) {
        number(values.length);
        reserve(Math.multiplyExact(values.length, Long.BYTES));
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .position(size)
                .asLongBuffer()
                .put(values);
        size += values.length * Long.BYTES;
        return this;
    }

    /** Their number, then four bytes each, the lowest first. */
    public ByteWriter ints(int[] values) {
        number(values.length);
        reserve(Math.multiplyExact(values.length, Integer.BYTES));
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .position(size)
                .asIntBuffer()
                .put(values);
        size += values.length * Integer.BYTES;
        return this;
    }

    public ByteWriter text(String value) {
        return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    /** Their number, then themselves. */
    public ByteWriter bytes(byte[] value) {
        number(value.length);
        return raw(value);
    }

    /** Themselves alone. */
    public ByteWriter raw(byte[] value) {
        reserve(value.length);
        System.arraycopy(value, 0, bytes, size, value.length);
        size += value.length;
        return this;
    }

    /** An enum constant by its position: reordering an enum is a new version of the format. */
    public ByteWriter constant(Enum<?> value) {
        return u8(value.ordinal());
    }
}
