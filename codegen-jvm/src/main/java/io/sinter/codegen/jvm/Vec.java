// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.Species.MASK;
import static io.sinter.codegen.jvm.Species.PACKAGE;
import static io.sinter.codegen.jvm.Species.SHUFFLE;
import static io.sinter.codegen.jvm.Species.SPECIES;
import static io.sinter.codegen.jvm.Species.VECTOR;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/**
 * Code of a vector value with its species, and the Vector API's operations on it. {@code a.add(b)} here is
 * the code of {@code a.add(b)} there. Naming an operand twice evaluates it twice: hold it in a local first.
 */
public record Vec(Species species, Code code) {
    private static final Type OPERATORS = Code.object(PACKAGE + "VectorOperators");
    private static final Type UNARY = Code.object(PACKAGE + "VectorOperators$Unary");
    private static final Type BINARY = Code.object(PACKAGE + "VectorOperators$Binary");
    private static final Type TERNARY = Code.object(PACKAGE + "VectorOperators$Ternary");
    private static final Type COMPARISON = Code.object(PACKAGE + "VectorOperators$Comparison");
    private static final Type CONVERSION = Code.object(PACKAGE + "VectorOperators$Conversion");

    public static Vec broadcast(Species s, Code scalar) {
        if (Intrinsics.used()) return Intrinsics.broadcast(s, scalar);
        Type v = s.vectorType();
        return new Vec(s, Code.call(v, "broadcast", v, List.of(SPECIES, s.laneType()), s.code(), scalar));
    }

    /** All lanes {@code value}, converted to the element type. */
    public static Vec constant(Species s, double value) {
        return broadcast(
                s,
                switch (s.element()) {
                    case F64 -> Code.constant(value);
                    case F32 -> Code.constant((float) value);
                    case I64 -> Code.constant((long) value);
                    case I32, I16, I8 -> Code.constant((int) value);
                    case F16, BF16, U8, BOOL -> throw new IllegalArgumentException("no vectors of " + s.element());
                });
    }

    /** All lanes {@code bits}, of an integer species. */
    public static Vec bits(Species s, long bits) {
        return broadcast(s, s.element() == DType.I64 ? Code.constant(bits) : Code.constant((int) bits));
    }

    /** Lane numbers 0, 1, 2, … */
    public static Vec iota(Species s) {
        Type v = s.vectorType();
        Vec zero = constant(s, 0);
        return new Vec(s, Code.callVirtual(v, "addIndex", v, List.of(Type.INT_TYPE), zero.code, Code.constant(1)));
    }

    /**
     * Consecutive elements at a byte address; where {@code mask} (null: everywhere) is false nothing is read
     * and the lane is 0.
     */
    public static Vec load(Species s, Code address, Code mask) {
        if (Intrinsics.used()) return Intrinsics.load(s, address, mask);
        Type v = s.vectorType();
        List<Type> types = new ArrayList<>(List.of(SPECIES, Memory.SEGMENT, Type.LONG_TYPE, Memory.BYTE_ORDER));
        List<Code> arguments = new ArrayList<>(List.of(s.code(), Memory.ALL, Memory.within(address), Memory.ORDER));
        if (mask != null) {
            types.add(MASK);
            arguments.add(mask);
        }
        return new Vec(s, Code.call(v, "fromMemorySegment", v, types, arguments.toArray(Code[]::new)));
    }

    /**
     * The sum of all lanes, halves first: {@code reduceLanes} adds in one order when interpreted and in another when compiled. This
     * must be a variable: its code is written for each lane.
     */
    public Code sumLanes() {
        List<Code> lanes = new ArrayList<>();
        for (int i = 0; i < species.lanes(); i++) {
            lanes.add(lane(i));
        }
        while (lanes.size() > 1) {
            int half = lanes.size() / 2;
            List<Code> sums = new ArrayList<>();
            for (int i = 0; i < half; i++) sums.add(Code.add(lanes.get(i), lanes.get(i + half)));
            lanes = sums;
        }
        return lanes.getFirst();
    }

    /** Stores this at a byte address, where {@code mask} (null: everywhere) is true. */
    public Code store(Code address, Code mask) {
        if (Intrinsics.used()) return Intrinsics.store(this, address, mask);
        List<Type> types = new ArrayList<>(List.of(Memory.SEGMENT, Type.LONG_TYPE, Memory.BYTE_ORDER));
        List<Code> arguments = new ArrayList<>(List.of(code, Memory.ALL, Memory.within(address), Memory.ORDER));
        if (mask != null) {
            types.add(MASK);
            arguments.add(mask);
        }
        return Code.callVirtual(
                species.vectorType(), "intoMemorySegment", Type.VOID_TYPE, types, arguments.toArray(Code[]::new));
    }

    /** The lanes moved around: lane i is what lane i + {@code by} was; {@code by} is a power of two below the number of lanes. */
    public Vec rotate(int by) {
        Type v = species.vectorType();
        String name = species.element().name() + "_" + species.lanes() + "_" + by;
        Code shuffle = Code.getStatic(Memory.LANES, name, SHUFFLE);
        if (Intrinsics.used()) return Intrinsics.rearrange(this, shuffle);
        return with(Code.callVirtual(v, "rearrange", v, List.of(SHUFFLE), code, shuffle));
    }

    /** {@code lanewise} of a one-operand operator, by its name in VectorOperators. */
    public Vec unary(String operator) {
        if (Intrinsics.used() && Intrinsics.isUnary(operator)) return Intrinsics.unary(operator, this);
        Type v = species.vectorType();
        return with(
                Code.callVirtual(v, "lanewise", v, List.of(UNARY), code, Code.getStatic(OPERATORS, operator, UNARY)));
    }

    /** {@code lanewise} of a two-operand operator, by its name in VectorOperators. */
    public Vec binary(String operator, Vec b) {
        if (Intrinsics.used() && Intrinsics.isBinary(operator, species))
            return Intrinsics.binary(operator, this, same(b), null);
        Type v = species.vectorType();
        Code op = Code.getStatic(OPERATORS, operator, isAssociative(operator) ? ASSOCIATIVE : BINARY);
        return with(Code.callVirtual(v, "lanewise", v, List.of(BINARY, VECTOR), code, op, same(b).code));
    }

    /** {@link #binary} where {@code mask} is true; this elsewhere. */
    public Vec binary(String operator, Vec b, Code mask) {
        if (mask == null) return binary(operator, b);
        if (Intrinsics.used() && Intrinsics.isBinary(operator, species))
            return Intrinsics.binary(operator, this, same(b), mask);
        Type v = species.vectorType();
        Code op = Code.getStatic(OPERATORS, operator, isAssociative(operator) ? ASSOCIATIVE : BINARY);
        return with(Code.callVirtual(v, "lanewise", v, List.of(BINARY, VECTOR, MASK), code, op, same(b).code, mask));
    }

    private static final Type ASSOCIATIVE = Code.object(PACKAGE + "VectorOperators$Associative");

    private static boolean isAssociative(String operator) {
        return switch (operator) {
            case "ADD", "MUL", "MIN", "MAX", "UMIN", "UMAX", "AND", "OR", "XOR" -> true;
            default -> false;
        };
    }

    /** Shifts every lane by one scalar count (an int), taken modulo the width. */
    public Vec shift(String operator, Code count) {
        Type v = species.vectorType();
        Code n = Code.cast(species.laneType(), count);
        Code op = Code.getStatic(OPERATORS, operator, BINARY);
        return with(Code.callVirtual(v, "lanewise", v, List.of(BINARY, species.laneType()), code, op, n));
    }

    private Vec shift(String operator, int count) {
        int n = count & species.element().bytes() * 8 - 1;
        return Intrinsics.used() ? Intrinsics.shift(operator, this, n) : shift(operator, Code.constant(n));
    }

    public Vec shl(int count) {
        return shift("LSHL", count);
    }

    public Vec shr(int count) {
        return shift("ASHR", count);
    }

    public Vec ushr(int count) {
        return shift("LSHR", count);
    }

    public Vec add(Vec b) {
        return binary("ADD", b);
    }

    public Vec sub(Vec b) {
        return binary("SUB", b);
    }

    public Vec mul(Vec b) {
        return binary("MUL", b);
    }

    public Vec div(Vec b) {
        return binary("DIV", b);
    }

    public Vec and(Vec b) {
        return binary("AND", b);
    }

    public Vec or(Vec b) {
        return binary("OR", b);
    }

    public Vec xor(Vec b) {
        return binary("XOR", b);
    }

    /** {@code this * b + c}, rounded once. */
    public Vec fma(Vec b, Vec c) {
        if (Intrinsics.used()) return Intrinsics.fma(this, same(b), same(c));
        Type v = species.vectorType();
        Code op = Code.getStatic(OPERATORS, "FMA", TERNARY);
        return with(Code.callVirtual(
                v, "lanewise", v, List.of(TERNARY, VECTOR, VECTOR), code, op, same(b).code, same(c).code));
    }

    /** Mask of a comparison, by its name in VectorOperators: EQ NE LT LE GT GE. */
    public Code compare(String operator, Vec b) {
        if (Intrinsics.used()) return Intrinsics.compare(operator, this, same(b));
        Code op = Code.getStatic(OPERATORS, operator, COMPARISON);
        return Code.callVirtual(
                species.vectorType(), "compare", MASK, List.of(COMPARISON, VECTOR), code, op, same(b).code);
    }

    /** {@code b} where {@code mask} is true, this elsewhere. */
    public Vec blend(Vec b, Code mask) {
        if (Intrinsics.used()) return Intrinsics.blend(this, same(b), mask);
        Type v = species.vectorType();
        return with(Code.callVirtual(v, "blend", v, List.of(VECTOR, MASK), code, same(b).code, mask));
    }

    /** A lane-for-lane conversion, by its name in VectorOperators, to a species with as many lanes. */
    public Vec convert(String conversion, Species to) {
        if (Intrinsics.used() && Intrinsics.isConversion(conversion)) return Intrinsics.convert(conversion, this, to);
        Code c = Code.getStatic(OPERATORS, conversion, CONVERSION);
        List<Type> types = List.of(CONVERSION, SPECIES, Type.INT_TYPE);
        Type v = species.vectorType();
        Code any = Code.callVirtual(v, "convertShape", VECTOR, types, code, c, to.code(), Code.constant(0));
        return new Vec(to, Code.checkCast(to.vectorType(), any));
    }

    /** The same bits as a vector of another element type and shape of the same size. */
    public Vec reinterpret(Species to) {
        if (to.equals(species)) return this;
        if (to.bits() != species.bits()) throw new IllegalArgumentException(species + " as " + to);
        if (Intrinsics.used()) return Intrinsics.reinterpret(this, to);
        String method =
                switch (to.element()) {
                    case F64 -> "reinterpretAsDoubles";
                    case F32 -> "reinterpretAsFloats";
                    case I64 -> "reinterpretAsLongs";
                    case I32 -> "reinterpretAsInts";
                    case I16 -> "reinterpretAsShorts";
                    case I8 -> "reinterpretAsBytes";
                    case F16, BF16, U8, BOOL -> throw new IllegalArgumentException("no vectors of " + to.element());
                };
        return new Vec(to, Code.callVirtual(species.vectorType(), method, to.vectorType(), List.of(), code));
    }

    /** The bits of a float vector as integers. */
    public Vec asBits() {
        return reinterpret(species.integral());
    }

    /** For each lane of these lane numbers, that lane of {@code a} followed by {@code b}. */
    public Vec selectFrom(Vec a, Vec b) {
        Type v = species.vectorType();
        return with(Code.callVirtual(v, "selectFrom", v, List.of(VECTOR, VECTOR), code, same(a).code, same(b).code));
    }

    public Code lane(int index) {
        return Intrinsics.used() ? Intrinsics.lane(this, index) : lane(Code.constant(index));
    }

    /** Lane {@code index}, an int. */
    public Code lane(Code index) {
        return Code.callVirtual(species.vectorType(), "lane", species.laneType(), List.of(Type.INT_TYPE), code, index);
    }

    private Vec with(Code result) {
        return new Vec(species, result);
    }

    private Vec same(Vec b) {
        if (!b.species.equals(species)) throw new IllegalArgumentException(species + " with " + b.species);
        return b;
    }
}
