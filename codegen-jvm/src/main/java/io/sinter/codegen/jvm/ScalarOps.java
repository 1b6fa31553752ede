// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import org.objectweb.asm.Type;

/** The loop IR's primitives as scalar JVM code. */
final class ScalarOps {
    private static final Type MATH = Code.object("java/lang/Math");

    private ScalarOps() {}

    static Code constant(Expr.Const c) {
        return switch (c.dtype()) {
            case F64 -> Code.constant(Double.longBitsToDouble(c.bits()));
            case F32 -> Code.constant(Float.intBitsToFloat((int) c.bits()));
            case I64 -> Code.constant(c.bits());
            case I32 -> Code.constant((int) c.bits());
            case BOOL -> Code.constant(c.bits() != 0);
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(c.dtype() + " is not a register type");
        };
    }

    static Code zero(DType t) {
        return constant(Expr.Const.of(t, 0));
    }

    static Code unary(Prim1 op, DType t, Code a) {
        Type type = Memory.jvmType(t);
        return switch (op) {
            case NEG -> Code.neg(a);
            case NOT -> t.isBool() ? Code.not(a) : Code.xor(a, constant(Expr.Const.ofLong(t, -1)));
            case ABS -> Code.call(MATH, "abs", type, a);
            case ISNAN ->
                Code.call(
                        Code.object(t == DType.F64 ? "java/lang/Double" : "java/lang/Float"),
                        "isNaN",
                        Type.BOOLEAN_TYPE,
                        a);
            case SQRT, FLOOR, CEIL, RINT -> viaDouble(MATH, op.name().toLowerCase(java.util.Locale.ROOT), t, a);
            case EXP, EXPM1, LOG, LOG1P, SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, TANH ->
                viaDouble(MATH, op.name().toLowerCase(java.util.Locale.ROOT), t, a);
            case TRUNC, ERF, LGAMMA, DIGAMMA, ERFINV ->
                viaDouble(Memory.MATH, op.name().toLowerCase(java.util.Locale.ROOT), t, a);
        };
    }

    /** A {@code double -> double} method on a double, or on a float by way of doubles. */
    private static Code viaDouble(Type owner, String name, DType t, Code... args) {
        Code[] wide = new Code[args.length];
        for (int i = 0; i < args.length; i++) wide[i] = Code.cast(Type.DOUBLE_TYPE, args[i]);
        return Code.cast(Memory.jvmType(t), Code.call(owner, name, Type.DOUBLE_TYPE, wide));
    }

    static Code binary(Prim2 op, DType t, Code a, Code b) {
        if (op.isComparison()) return Code.compare(Compare.Op.valueOf(op.name()), a, b);
        Type type = Memory.jvmType(t);
        return switch (op) {
            case ADD -> t.isBool() ? Code.or(a, b) : Code.add(a, b);
            case SUB -> Code.sub(a, b);
            case MUL -> t.isBool() ? Code.and(a, b) : Code.mul(a, b);
            case DIV -> t.isFloat() ? Code.div(a, b) : Code.call(Memory.MATH, "div", type, a, b);
            case REM -> t.isFloat() ? Code.rem(a, b) : Code.call(Memory.MATH, "rem", type, a, b);
            case MAX -> t.isBool() ? Code.or(a, b) : Code.call(MATH, "max", type, a, b);
            case MIN -> t.isBool() ? Code.and(a, b) : Code.call(MATH, "min", type, a, b);
            case POW ->
                t.isFloat() ? viaDouble(Memory.MATH, "pow", t, a, b) : Code.call(Memory.MATH, "pow", type, a, b);
            case ATAN2 -> viaDouble(MATH, "atan2", t, a, b);
            case AND -> Code.and(a, b);
            case OR -> Code.or(a, b);
            case XOR -> Code.xor(a, b);
            case SHL -> Code.call(Memory.MATH, "shl", type, a, b);
            case SHR -> Code.call(Memory.MATH, "shr", type, a, b);
            case USHR -> Code.call(Memory.MATH, "ushr", type, a, b);
            case UMULHI -> Code.call(Memory.MATH, "umulhi", type, a, b);
            case EQ, NE, LT, LE, GT, GE -> throw new AssertionError(op);
        };
    }

    static Code combine(Stmt.Combine op, DType t, Code a, Code b) {
        return binary(primitive(op), t, a, b);
    }

    static Prim2 primitive(Stmt.Combine op) {
        return switch (op) {
            case SUM -> Prim2.ADD;
            case PROD -> Prim2.MUL;
            case MAX -> Prim2.MAX;
            case MIN -> Prim2.MIN;
        };
    }

    /** The value that combines with x to x. */
    static Expr.Const identity(Stmt.Combine op, DType t) {
        double huge = Double.POSITIVE_INFINITY;
        return switch (op) {
            case SUM -> Expr.Const.of(t, 0);
            case PROD -> Expr.Const.of(t, 1);
            case MAX ->
                switch (t) {
                    case F64, F32 -> Expr.Const.of(t, -huge);
                    case I64 -> Expr.Const.ofLong(t, Long.MIN_VALUE);
                    case I32 -> Expr.Const.ofLong(t, Integer.MIN_VALUE);
                    case BOOL -> Expr.Const.of(t, 0);
                    case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
                };
            case MIN ->
                switch (t) {
                    case F64, F32 -> Expr.Const.of(t, huge);
                    case I64 -> Expr.Const.ofLong(t, Long.MAX_VALUE);
                    case I32 -> Expr.Const.ofLong(t, Integer.MAX_VALUE);
                    case BOOL -> Expr.Const.of(t, 1);
                    case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
                };
        };
    }

    static Code fma(DType t, Code a, Code b, Code c) {
        return Code.call(MATH, "fma", Memory.jvmType(t), a, b, c);
    }

    static Code convert(DType from, DType to, Code a) {
        if (from == to) return a;
        if (to.isBool()) return Code.compare(Compare.Op.NE, a, zero(from));
        if (from.isBool()) return Code.choose(a, constant(Expr.Const.of(to, 1)), zero(to));
        return Code.cast(Memory.jvmType(to), a);
    }

    static Code narrow(DType to, Code a) {
        return switch (to) {
            case F16 ->
                Code.call(Memory.MATH, "fromF16", Type.FLOAT_TYPE, Code.call(Memory.MATH, "toF16", Type.SHORT_TYPE, a));
            case BF16 ->
                Code.call(
                        Memory.MATH, "fromBf16", Type.FLOAT_TYPE, Code.call(Memory.MATH, "toBf16", Type.SHORT_TYPE, a));
            case I16 -> Code.cast(Type.INT_TYPE, Code.cast(Type.SHORT_TYPE, a));
            case I8 -> Code.cast(Type.INT_TYPE, Code.cast(Type.BYTE_TYPE, a));
            case U8 -> Code.and(a, Code.constant(0xff));
            case F64, F32, I64, I32, BOOL -> a;
        };
    }

    static Code bits(DType from, DType to, Code a) {
        if (from == to) return a;
        return switch (to) {
            case F64 -> Code.call(Code.object("java/lang/Double"), "longBitsToDouble", Type.DOUBLE_TYPE, a);
            case F32 -> Code.call(Code.object("java/lang/Float"), "intBitsToFloat", Type.FLOAT_TYPE, a);
            case I64 -> Code.call(Code.object("java/lang/Double"), "doubleToRawLongBits", Type.LONG_TYPE, a);
            case I32 -> Code.call(Code.object("java/lang/Float"), "floatToRawIntBits", Type.INT_TYPE, a);
            case F16, BF16, I16, I8, U8, BOOL -> throw new IllegalArgumentException("bits of " + from + " as " + to);
        };
    }
}
