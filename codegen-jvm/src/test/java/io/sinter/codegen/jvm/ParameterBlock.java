// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongToDoubleFunction;

/**
 * A kernel's parameters and buffers as a test builds them: numbers become slots, buffers are guarded
 * memory.
 */
final class ParameterBlock {
    private static final int GUARD = 128;
    private static final byte PATTERN = 0x5a;

    private final Arena arena;
    private final List<Long> slots = new ArrayList<>(List.of(0L));
    private final Map<Buf, MemorySegment> memory = new IdentityHashMap<>();

    ParameterBlock(Arena arena) {
        this.arena = arena;
        slots.set(0, arena.allocate(32, 8).address());
    }

    /** 0 and 1 are part of the code, as lowering does it; other numbers are parameters. */
    Coef number(long value) {
        return value == 0 || value == 1 ? Coef.of(value) : new Coef.Slot(slot(value));
    }

    int slot(long bits) {
        slots.add(bits);
        return slots.size() - 1;
    }

    int slots() {
        return slots.size();
    }

    Var var(String name, long extent) {
        return new Var(name, number(extent));
    }

    /** {@code Σ coefs[i] · vars[i] + offset}. */
    Index index(List<Var> vars, List<Long> coefs, long offset) {
        List<Index.Term> terms = new ArrayList<>();
        for (int i = 0; i < vars.size(); i++) {
            if (coefs.get(i) != 0) terms.add(new Index.Term(number(coefs.get(i)), new Index.VarAtom(vars.get(i))));
        }
        return new Index(terms, number(offset));
    }

    /** A buffer of {@code count} elements, filled. */
    Buf buffer(DType dtype, long count, Buf.Kind kind, LongToDoubleFunction fill) {
        MemorySegment m = arena.allocate(count * dtype.bytes() + 2 * GUARD, 64).fill(PATTERN);
        Buf b = new Buf(slot(m.address() + GUARD), dtype, kind);
        memory.put(b, m.asSlice(GUARD, count * dtype.bytes()));
        for (long i = 0; i < count; i++) set(b, i, fill.applyAsDouble(i));
        guards.add(m);
        return b;
    }

    private final List<MemorySegment> guards = new ArrayList<>();

    /** Throws if anything was written beside a buffer. */
    void checkGuards() {
        for (MemorySegment m : guards) {
            for (int i = 0; i < GUARD; i++) {
                boolean intact = m.get(ValueLayout.JAVA_BYTE, i) == PATTERN
                        && m.get(ValueLayout.JAVA_BYTE, m.byteSize() - 1 - i) == PATTERN;
                if (!intact)
                    throw new AssertionError(
                            "write beside a buffer of " + (m.byteSize() - 2 * GUARD) + " bytes, at distance " + i);
            }
        }
    }

    long count(Buf b) {
        return memory.get(b).byteSize() / b.dtype().bytes();
    }

    double get(Buf b, long i) {
        MemorySegment m = memory.get(b);
        return switch (b.dtype()) {
            case F64 -> m.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            case F32 -> m.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case F16 -> Float.float16ToFloat(m.getAtIndex(ValueLayout.JAVA_SHORT, i));
            case BF16 -> Float.intBitsToFloat(m.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
            case I64 -> m.getAtIndex(ValueLayout.JAVA_LONG, i);
            case I32 -> m.getAtIndex(ValueLayout.JAVA_INT, i);
            case I16 -> m.getAtIndex(ValueLayout.JAVA_SHORT, i);
            case I8 -> m.get(ValueLayout.JAVA_BYTE, i);
            case U8 -> m.get(ValueLayout.JAVA_BYTE, i) & 0xff;
            case BOOL -> m.get(ValueLayout.JAVA_BYTE, i);
        };
    }

    void set(Buf b, long i, double v) {
        MemorySegment m = memory.get(b);
        switch (b.dtype()) {
            case F64 -> m.setAtIndex(ValueLayout.JAVA_DOUBLE, i, v);
            case F32 -> m.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) v);
            case F16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) v));
            case BF16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits((float) v) >>> 16));
            case I64 -> m.setAtIndex(ValueLayout.JAVA_LONG, i, (long) v);
            case I32 -> m.setAtIndex(ValueLayout.JAVA_INT, i, (int) v);
            case I16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) v);
            case I8, U8, BOOL -> m.set(ValueLayout.JAVA_BYTE, i, (byte) v);
        }
    }

    long number(Coef c) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s -> slots.get(s.slot());
        };
    }

    long bits(int slot) {
        return slots.get(slot);
    }

    /** Moves every buffer elsewhere, as a step of a loop does, and says so in the block at {@code params}; where they were is nonsense then. */
    void move(long params) {
        MemorySegment block = MemorySegment.ofAddress(params).reinterpret(slots.size() * 8L);
        memory.replaceAll((b, old) -> {
            MemorySegment m = arena.allocate(old.byteSize() + 2 * GUARD, 64).fill(PATTERN);
            guards.add(m);
            MemorySegment moved = m.asSlice(GUARD, old.byteSize());
            moved.copyFrom(old);
            old.fill((byte) 0x35);
            slots.set(b.slot(), moved.address());
            block.setAtIndex(ValueLayout.JAVA_LONG, b.slot(), moved.address());
            return moved;
        });
    }

    /** The block's address, for the slots so far. */
    long address() {
        MemorySegment m = arena.allocate(slots.size() * 8L, 8);
        for (int i = 0; i < slots.size(); i++) m.setAtIndex(ValueLayout.JAVA_LONG, i, slots.get(i));
        return m.address();
    }
}
