// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.runtime.Buffer;
import io.sinter.runtime.Session;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Elements between Java's memory and buffers. */
final class Host {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private Host() {}

    /** A dense array of elements, read. */
    record Elements(Type type, MemorySegment memory) {
        int size() {
            return Math.toIntExact(type.numel());
        }

        double getDouble(int i) {
            return switch (type.dtype()) {
                case F64 -> memory.get(DOUBLE, 8L * i);
                case F32 -> memory.get(FLOAT, 4L * i);
                case F16 -> Float.float16ToFloat(memory.get(SHORT, 2L * i));
                case BF16 -> Float.intBitsToFloat(memory.get(SHORT, 2L * i) << 16);
                case I64, I32, I16, I8, U8, BOOL -> getLong(i);
            };
        }

        long getLong(int i) {
            return switch (type.dtype()) {
                case F64, F32, F16, BF16 -> (long) getDouble(i);
                case I64 -> memory.get(LONG, 8L * i);
                case I32 -> memory.get(INT, 4L * i);
                case I16 -> memory.get(SHORT, 2L * i);
                case I8, BOOL -> memory.get(ValueLayout.JAVA_BYTE, i);
                case U8 -> memory.get(ValueLayout.JAVA_BYTE, i) & 0xff;
            };
        }

        boolean getBoolean(int i) {
            return type.dtype().isFloat() ? getDouble(i) != 0 : getLong(i) != 0;
        }

        double[] toDoubles() {
            double[] r = new double[size()];
            for (int i = 0; i < r.length; i++) r[i] = getDouble(i);
            return r;
        }

        float[] toFloats() {
            float[] r = new float[size()];
            if (type.dtype() == DType.F32) MemorySegment.copy(memory, FLOAT, 0, r, 0, r.length);
            else for (int i = 0; i < r.length; i++) r[i] = (float) getDouble(i);
            return r;
        }

        long[] toLongs() {
            long[] r = new long[size()];
            for (int i = 0; i < r.length; i++) r[i] = getLong(i);
            return r;
        }
    }

    static Elements single(String name, Tensor x) {
        if (x.numel() != 1)
            throw Errors.argument(name, x, "has " + x.numel() + " elements, not one; use toDoubles() or toLongs()");
        return read(x);
    }

    /** The elements of {@code x}, computed if need be and copied. */
    static Elements read(Tensor x) {
        Buffer b = buffer(x);
        MemorySegment m =
                MemorySegment.ofArray(new byte[Math.toIntExact(x.type().bytes())]);
        if (m.byteSize() > 0) b.read(0, m);
        return new Elements(x.type(), m);
    }

    /** The memory of {@code x}, computed if need be. */
    static Buffer buffer(Tensor x) {
        return buffer(x.value());
    }

    static Buffer buffer(Storage s) {
        return buffer(s.value);
    }

    static Buffer copy(Buffer b) {
        MemorySegment m = MemorySegment.ofArray(new byte[Math.toIntExact(b.bytes())]);
        b.read(0, m);
        return allocate(m, SourceLine.UNKNOWN);
    }

    private static Buffer buffer(Value v) {
        if (v.pending()) {
            v.trace.work.compute(v);
        }
        if (v.data == null && v.scalar) v.data = ofScalar(v);
        if (v.data == null) throw Cut.unreadable(v);
        return v.data;
    }

    private static Buffer ofScalar(Value v) {
        DType d = v.type.dtype();
        long bits = v.bits;
        MemorySegment m = MemorySegment.ofArray(new byte[d.bytes()]);
        switch (d) {
            case F64, I64 -> m.set(LONG, 0, bits);
            case F32, I32 -> m.set(INT, 0, (int) bits);
            case F16 -> m.set(SHORT, 0, Float.floatToFloat16(Float.intBitsToFloat((int) bits)));
            case BF16 -> m.set(SHORT, 0, (short) (bits >>> 16));
            case I16 -> m.set(SHORT, 0, (short) bits);
            case I8, U8, BOOL -> m.set(ValueLayout.JAVA_BYTE, 0, (byte) bits);
        }
        return allocate(m, SourceLine.UNKNOWN);
    }

    private static Buffer allocate(MemorySegment m, SourceLine line) {
        Buffer b = Session.current().allocator().allocate(m.byteSize(), line);
        if (m.byteSize() > 0) b.write(0, m);
        return b;
    }

    /** A tensor of these raw elements, copied. */
    static Tensor tensor(DType dtype, Shape shape, MemorySegment elements) {
        Type type = new Type(dtype, shape);
        if (elements.byteSize() != type.bytes()) {
            throw Errors.argument(elements.byteSize() / dtype.bytes() + " elements do not fill shape " + shape
                    + ", which has " + type.numel());
        }
        Trace t = Trace.current();
        t.work.limit();
        SourceLine line = type.bytes() >= 1 << 20 ? SourceLine.ofCaller() : SourceLine.UNKNOWN;
        Value v = Value.leaf(t, type, allocate(elements, line));
        t.work.holds(v);
        return new Tensor(v);
    }

    static Tensor tensor(DType dtype, Shape shape, boolean[] elements) {
        byte[] b = new byte[elements.length];
        for (int i = 0; i < b.length; i++) b[i] = (byte) (elements[i] ? 1 : 0);
        return tensor(dtype, shape, MemorySegment.ofArray(b));
    }

    static void release(Tensor x) {
        Value v = x.value();
        if (v.pending()) {
            v.op = null;
            v.in = Value.NONE;
        }
        v.dead = "a tensor %s that was released";
        if (v.data != null && (v.flags & Value.SHARED) == 0) v.data.release();
        v.data = null;
        v.scalar = false;
    }
}
