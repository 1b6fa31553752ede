// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A description of a tensor in global memory for bulk tensor copies, as {@code cuTensorMapEncodeTiled} makes it of the same arguments. Its
 * bytes are the simulator's own; a driver's differ.
 */
public final class TensorMap {
    /** Bytes of an encoded map, which lies at a multiple of 64. */
    public static final int BYTES = 128;

    private static final long MAGIC = 0x5350_414d_5458_5450L;
    private static final int MAX_RANK = 5;

    final int elementBytes;
    final long address;
    final long[] extents;
    /** Bytes from one element to the next, along each dimension. */
    final long[] strides;

    final int[] box;
    final Swizzle swizzle;

    private TensorMap(int elementBytes, long address, long[] extents, long[] strides, int[] box, Swizzle swizzle) {
        this.elementBytes = elementBytes;
        this.address = address;
        this.extents = extents;
        this.strides = strides;
        this.box = box;
        this.swizzle = swizzle;
    }

    /**
     * Encodes a map of a tensor without interleave, whose elements out of bounds are read as zeros.
     *
     * @param elementBytes 1, 2, 4 or 8
     * @param address of its first element, a multiple of 16
     * @param extents the innermost dimension first
     * @param strides in bytes, multiples of 16, of every dimension but the innermost
     * @param box extents of what one copy moves, each at most 256
     * @param swizzleBytes 0, 32, 64 or 128; the box is no wider
     * @throws IllegalArgumentException where the driver would refuse
     */
    public static byte[] encode(
            int elementBytes, long address, long[] extents, long[] strides, int[] box, int swizzleBytes) {
        int rank = extents.length;
        if (rank < 1 || rank > MAX_RANK || box.length != rank || strides.length != rank - 1) {
            throw new IllegalArgumentException(
                    "a tensor map of rank " + rank + ", box " + box.length + ", strides " + strides.length);
        }
        if (address % 16 != 0) throw new IllegalArgumentException("a tensor map's address is a multiple of 16");
        for (long s : strides)
            if (s % 16 != 0 || s <= 0)
                throw new IllegalArgumentException("stride of " + s + " bytes is no multiple of 16");
        for (int b : box)
            if (b < 1 || b > 256) throw new IllegalArgumentException("box extent " + b + " is not in 1 … 256");
        if (box[0] * elementBytes % 16 != 0)
            throw new IllegalArgumentException("rows of a box are multiples of 16 bytes");
        Swizzle swizzle =
                switch (swizzleBytes) {
                    case 0 -> Swizzle.NONE;
                    case 32 -> Swizzle.BYTES_32;
                    case 64 -> Swizzle.BYTES_64;
                    case 128 -> Swizzle.BYTES_128;
                    default -> throw new IllegalArgumentException("no swizzle of " + swizzleBytes + " bytes");
                };
        if (swizzle != Swizzle.NONE && box[0] * elementBytes > swizzleBytes) {
            throw new IllegalArgumentException(
                    "rows of " + box[0] * elementBytes + " bytes in a swizzle of " + swizzleBytes);
        }
        ByteBuffer b = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        b.putLong(MAGIC).putLong(address);
        b.put((byte) elementBytes)
                .put((byte) rank)
                .put((byte) swizzle.ordinal())
                .put((byte) 0)
                .putInt(0);
        for (int i = 0; i < MAX_RANK; i++) b.putLong(i < rank ? extents[i] : 1);
        for (int i = 0; i < MAX_RANK - 1; i++) b.putLong(i < strides.length ? strides[i] : 0);
        for (int i = 0; i < MAX_RANK; i++) b.putShort((short) (i < rank ? box[i] : 1));
        return b.array();
    }

    /** Reads an encoded map; null if the bytes are none. */
    static TensorMap decode(byte[] data, int at) {
        ByteBuffer b = ByteBuffer.wrap(data, at, BYTES).slice().order(ByteOrder.LITTLE_ENDIAN);
        if (b.getLong() != MAGIC) return null;
        long address = b.getLong();
        int elementBytes = b.get();
        int rank = b.get();
        Swizzle swizzle = Swizzle.values()[b.get()];
        b.get();
        b.getInt();
        long[] extents = new long[MAX_RANK];
        for (int i = 0; i < MAX_RANK; i++) extents[i] = b.getLong();
        long[] strides = new long[MAX_RANK];
        strides[0] = elementBytes;
        for (int i = 1; i < MAX_RANK; i++) strides[i] = b.getLong();
        int[] box = new int[MAX_RANK];
        for (int i = 0; i < MAX_RANK; i++) box[i] = b.getShort();
        return new TensorMap(
                elementBytes,
                address,
                Arrays.copyOf(extents, rank),
                Arrays.copyOf(strides, rank),
                Arrays.copyOf(box, rank),
                swizzle);
    }

    int rank() {
        return extents.length;
    }

    /** Bytes of a box in shared memory. */
    int boxBytes() {
        int n = elementBytes;
        for (int b : box) n *= b;
        return n;
    }
}
