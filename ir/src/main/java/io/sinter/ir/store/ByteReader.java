// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads what {@link ByteWriter} wrote. Believes nothing: every length is compared with what is left before anything is allocated, so damaged bytes
 * cost no more memory than their own number times a constant.
 */
public final class ByteReader {
    private final byte[] bytes;
    private final int end;
    private int at;

    public ByteReader(byte[] bytes) {
        this(bytes, 0, bytes.length);
    }

    /** Of {@code length} bytes from {@code start} on. */
    public ByteReader(byte[] bytes, int start, int length) {
        if (start < 0 || length < 0 || length > bytes.length - start) {
            throw new FormatException("no " + length + " bytes at " + start + " of " + bytes.length);
        }
        this.bytes = bytes;
        at = start;
        end = start + length;
    }

    /** Bytes that are left. */
    public int left() {
        return end - at;
    }

    public int u8() {
        if (at == end) throw new FormatException("ends too early");
        return bytes[at++] & 0xff;
    }

    public boolean bool() {
        int b = u8();
        if (b > 1) throw new FormatException("neither true nor false: " + b);
        return b == 1;
    }

    public int int32() {
        int value = 0;
        for (int i = 0; i < 4; i++) value |= u8() << 8 * i;
        return value;
    }

    public long number() {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            // Not by u8: most of a plan is numbers, which are read before any of this is compiled.
            if (at == end) throw new FormatException("ends too early");
            int b = bytes[at++];
            if (shift == 63 && (b & 0xff) > 1) throw new FormatException("a number of more than 64 bits");
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) return value >>> 1 ^ -(value & 1);
        }
    }

    /** A number from 0 to below {@code bound}. */
    public int index(int bound) {
        long n = number();
        if (n < 0 || n >= bound) throw new FormatException(n + " is not below " + bound);
        return (int) n;
    }

    /** A number that an int holds. */
    public int integer() {
        long n = number();
        if (n != (int) n) throw new FormatException(n + " is not an int");
        return (int) n;
    }

    /** The length of a list whose elements take at least one byte each. */
    public int count() {
        long n = number();
        if (n < 0 || n > left()) throw new FormatException("a list of " + n + " in " + left() + " bytes");
        return (int) n;
    }

    /** What {@link ByteWriter#longs} wrote. */
    public long[] longs() {
        long n = number();
        if (n < 0 || n > left() / Long.BYTES) throw new FormatException(n + " longs in " + left() + " bytes");
        long[] values = new long[(int) n];
        // As a whole: a number that is read by itself takes some fifty steps of HotSpot's interpreter.
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .position(at)
                .asLongBuffer()
                .get(values);
        at += values.length * Long.BYTES;
        return values;
    }

    /** What {@link ByteWriter#ints} wrote. */
    public int[] ints() {
        long n = number();
        if (n < 0 || n > left() / Integer.BYTES) throw new FormatException(n + " ints in " + left() + " bytes");
        int[] values = new int[(int) n];
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .position(at)
                .asIntBuffer()
                .get(values);
        at += values.length * Integer.BYTES;
        return values;
    }

    public byte[] bytes() {
        return raw(count());
    }

    /** That many bytes as they are. */
    public byte[] raw(int length) {
        if (length < 0 || length > left()) throw new FormatException(length + " of " + left() + " bytes");
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    public String text() {
        int length = count();
        at += length;
        return new String(bytes, at - length, length, StandardCharsets.UTF_8);
    }

    /** One of these constants. */
    public <E extends Enum<E>> E constant(E[] values) {
        int n = u8();
        if (n >= values.length) throw new FormatException("no constant " + n + " of " + values.length);
        return values[n];
    }

    /** Nothing may follow. */
    public void end() {
        if (at != end) throw new FormatException(left() + " bytes too many");
    }
}
