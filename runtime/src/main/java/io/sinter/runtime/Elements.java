// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Elements of every dtype between raw memory, scalar arguments and the reference evaluator's arrays. */
final class Elements {
    private Elements() {}

    /** The dense array of type {@code type} at {@code address} of the host's memory. */
    static RefArray load(Type type, long address) {
        DType dtype = type.dtype();
        int width = dtype.bytes();
        return switch (dtype) {
            case F64 -> RefArray.of(type, i -> Memory.getDouble(address + (long) i * width));
            case F32 -> RefArray.of(type, i -> Memory.getFloat(address + (long) i * width));
            case F16 -> RefArray.of(type, i -> Float.float16ToFloat(Memory.getShort(address + (long) i * width)));
            case BF16 ->
                RefArray.of(type, i -> Float.intBitsToFloat(Memory.getShort(address + (long) i * width) << 16));
            case I64 -> RefArray.ofLongs(type, i -> Memory.getLong(address + (long) i * width));
            case I32 -> RefArray.ofLongs(type, i -> Memory.getInt(address + (long) i * width));
            case I16 -> RefArray.ofLongs(type, i -> Memory.getShort(address + (long) i * width));
            case I8, U8, BOOL -> RefArray.ofLongs(type, i -> Memory.getByte(address + i));
        };
    }

    /** The dense array of type {@code type} in a buffer of any device. */
    static RefArray load(Type type, Buffer buffer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(Math.max(1, type.bytes()), Long.BYTES);
            buffer.read(0, copy.asSlice(0, type.bytes()));
            return load(type, copy.address());
        }
    }

    /** Writes {@code array} densely into a buffer of any device. */
    static void store(RefArray array, Buffer buffer) {
        try (Arena arena = Arena.ofConfined()) {
            long bytes = array.type().bytes();
            MemorySegment copy = arena.allocate(Math.max(1, bytes), Long.BYTES);
            store(array, copy.address());
            buffer.write(0, copy.asSlice(0, bytes));
        }
    }

    /** Whether a buffer of any device holds no NaN and no infinity. */
    static boolean allFinite(Type type, Buffer buffer) {
        if (!type.dtype().isFloat()) return true;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(Math.max(1, type.bytes()), Long.BYTES);
            buffer.read(0, copy.asSlice(0, type.bytes()));
            return allFinite(type.dtype(), copy.address(), type.numel());
        }
    }

    /** All bits of the exponent are set in a NaN and in an infinity. */
    private static boolean allFinite(DType dtype, long address, long n) {
        int width = dtype.bytes();
        for (long i = 0; i < n; i++) {
            long a = address + i * width;
            boolean odd =
                    switch (dtype) {
                        case F64 -> (Memory.getLong(a) & 0x7ff0L << 48) == 0x7ff0L << 48;
                        case F32 -> (Memory.getInt(a) & 0x7f800000) == 0x7f800000;
                        case F16 -> (Memory.getShort(a) & 0x7c00) == 0x7c00;
                        case BF16 -> (Memory.getShort(a) & 0x7f80) == 0x7f80;
                        case I64, I32, I16, I8, U8, BOOL -> false;
                    };
            if (odd) return false;
        }
        return true;
    }

    /** The value of an argument of type {@code type}. */
    static RefArray load(Type type, Arg arg) {
        return switch (arg) {
            case Buffer b -> load(type, b);
            case Arg.Scalar s -> scalar(type.dtype(), s.bits());
        };
    }

    /** Writes {@code array} densely at {@code address} of the host's memory. */
    static void store(RefArray array, long address) {
        DType dtype = array.dtype();
        int width = dtype.bytes();
        for (int i = 0; i < array.size(); i++) {
            long a = address + (long) i * width;
            switch (dtype) {
                case F64 -> Memory.putDouble(a, array.getDouble(i));
                case F32 -> Memory.putFloat(a, (float) array.getDouble(i));
                case F16 -> Memory.putShort(a, Float.floatToFloat16((float) array.getDouble(i)));
                // Exact: elements of a bf16 array have no lower bits. (A NaN keeps its quiet bit, the highest of the
                // fraction.)
                case BF16 -> Memory.putShort(a, (short) (Float.floatToIntBits((float) array.getDouble(i)) >>> 16));
                case I64 -> Memory.putLong(a, array.getLong(i));
                case I32 -> Memory.putInt(a, (int) array.getLong(i));
                case I16 -> Memory.putShort(a, (short) array.getLong(i));
                case I8, U8, BOOL -> Memory.putByte(a, (byte) array.getLong(i));
            }
        }
    }

    /** Writes a scalar argument, whose raw bits are as {@link Arg.Scalar} says, at {@code address} of the host's memory. */
    static void store(DType dtype, long bits, long address) {
        switch (dtype) {
            case F64, I64 -> Memory.putLong(address, bits);
            case F32, I32 -> Memory.putInt(address, (int) bits);
            case F16, BF16, I16, I8, U8, BOOL -> store(scalar(dtype, bits), address);
        }
    }

    /** The value of a scalar argument, whose raw bits are as {@link Arg.Scalar} says. */
    static RefArray scalar(DType dtype, long bits) {
        Type type = Type.scalar(dtype);
        return switch (dtype) {
            case F64 -> RefArray.of(type, _ -> Double.longBitsToDouble(bits));
            case F32, F16, BF16 -> RefArray.of(type, _ -> Float.intBitsToFloat((int) bits));
            case I64, I32, I16, I8, U8, BOOL -> RefArray.ofLongs(type, _ -> bits);
        };
    }
}
