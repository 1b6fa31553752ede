// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt.Combine;

/**
 * The loop IR's primitives as PTX, one element at a time. Operands are registers or constants; bools are predicates. Floats are rounded
 * to nearest, explicitly; subnormals are kept.
 */
final class ScalarEmitter {
    private final KernelBuilder out;

    ScalarEmitter(KernelBuilder out) {
        this.out = out;
    }

    /** The type of instructions on a register type, integers as signed. */
    static PtxType type(DType t) {
        return switch (t) {
            case F64 -> PtxType.F64;
            case F32 -> PtxType.F32;
            case I64 -> PtxType.S64;
            case I32 -> PtxType.S32;
            case BOOL -> PtxType.PRED;
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
        };
    }

    private static PtxType bitsOf(DType t) {
        return t == DType.I64 || t == DType.F64 ? PtxType.B64 : PtxType.B32;
    }

    Operand constant(Expr.Const c) {
        return switch (c.dtype()) {
            case F64 -> new Operand.F64(c.bits());
            case F32 -> new Operand.F32((int) c.bits());
            case I64 -> out.constant(c.bits());
            case I32 -> out.constant((int) c.bits());
            case BOOL -> truth(c.bits() != 0);
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(c.dtype() + " is not a register type");
        };
    }

    private Reg truth(boolean v) {
        return out.setp(v ? Relation.EQ : Relation.NE, PtxType.S32, out.constant(0), out.constant(0));
    }

    private Operand constant(DType t, double v) {
        return constant(Expr.Const.of(t, v));
    }

    /** A register with this value. */
    Reg register(DType t, Operand v) {
        if (v instanceof Reg r) return r;
        return copy(t, v);
    }

    private Reg copy(DType t, Operand v) {
        Reg d = out.register(type(t));
        assign(t, d, v);
        return d;
    }

    /** The values in registers of their own. */
    Value copy(Value v) {
        return Value.of(v.dtype(), v.width(), i -> copy(v.dtype(), v.lane(i)));
    }

    /** {@code d = v}. */
    void assign(DType t, Reg d, Operand v) {
        out.assign(t == DType.BOOL || t.isFloat() ? type(t) : bitsOf(t), d, v);
    }

    // ---- 64-bit integers of indices

    Operand addLong(Operand a, Operand b) {
        if (a instanceof Operand.Int x && b instanceof Operand.Int y) return out.constant(x.value() + y.value());
        if (isZero(a)) return b;
        if (isZero(b)) return a;
        return out.add(PtxType.S64, a, b);
    }

    Operand mulLong(Operand a, Operand b) {
        if (a instanceof Operand.Int x && b instanceof Operand.Int y) return out.constant(x.value() * y.value());
        if (isOne(b)) return a;
        if (isOne(a)) return b;
        if (isZero(a) || isZero(b)) return out.constant(0);
        if (b instanceof Operand.Int y && Long.bitCount(y.value()) == 1)
            return out.shl(PtxType.B64, a, out.constant(Long.numberOfTrailingZeros(y.value())));
        return out.mul(PtxType.S64, a, b);
    }

    /**
     * A number to divide by.
     *
     * @param value positive
     * @param inverse a little less than 1 / value, of type f64; null for a power of two
     */
    record Divisor(Operand value, Operand inverse) {}

    /** Prepares divisions by a number: worth it where there are several, or many in a loop. */
    Divisor divisor(Operand n) {
        // Less by more than what roundings add up to: quotients are never too great.
        double less = 1 - 0x1p-50;
        if (n instanceof Operand.Int i)
            return new Divisor(n, Long.bitCount(i.value()) == 1 ? null : out.constant(1.0 / i.value() * less));
        Reg d = out.cvt(FloatMode.RN, PtxType.F64, PtxType.S64, n);
        Reg x = out.apply(Arithmetic.Function.RCP, FloatMode.APPROX.withFtz(), PtxType.F64, d);
        Reg minus = out.neg(PtxType.F64, d);
        // Newton's method: the 20 bits of the approximation double twice.
        for (int i = 0; i < 2; i++) {
            Reg error = out.mad(PtxType.F64, minus, x, out.constant(1.0));
            x = out.mad(PtxType.F64, x, error, x);
        }
        return new Divisor(n, out.mul(PtxType.F64, x, out.constant(less)));
    }

    /**
     * {@code a / by} of indices and numbers of elements, which are not negative and below 2^48. PTX's division of 64 bits is a subroutine of some
     * hundred instructions that spills registers; this takes eight.
     */
    Operand quotient(Operand a, Divisor by) {
        if (isOne(by.value)) return a;
        if (by.inverse == null) {
            int bits = Long.numberOfTrailingZeros(((Operand.Int) by.value).value());
            return out.shr(PtxType.U64, a, out.constant(bits));
        }
        Reg f = out.mul(PtxType.F64, out.cvt(FloatMode.RN, PtxType.F64, PtxType.S64, a), by.inverse);
        Reg q = out.cvt(FloatMode.of(Rounding.RZI), PtxType.S64, PtxType.F64, f);
        // The quotient, or one less.
        Reg tooSmall = out.setp(Relation.GE, PtxType.S64, rest(a, q, by), by.value);
        return out.selp(PtxType.B64, out.add(PtxType.S64, q, out.constant(1)), q, tooSmall);
    }

    /** {@code a} modulo {@code by}, of which {@code quotient} is the quotient. */
    Operand rest(Operand a, Operand quotient, Divisor by) {
        if (isOne(by.value)) return out.constant(0);
        return out.sub(PtxType.S64, a, mulLong(quotient, by.value));
    }

    private static boolean isZero(Operand o) {
        return o instanceof Operand.Int i && i.value() == 0;
    }

    private static boolean isOne(Operand o) {
        return o instanceof Operand.Int i && i.value() == 1;
    }

    // ---- one operand

    Operand unary(Prim1 op, DType t, Operand a) {
        PtxType type = type(t);
        return switch (op) {
            case NEG -> out.neg(type, a);
            // abs of the least integer is not defined in PTX; it is itself.
            case ABS -> t.isFloat() ? out.abs(type, a) : out.max(type, a, out.neg(type, a));
            case SQRT -> out.apply(Arithmetic.Function.SQRT, FloatMode.RN, type, a);
            case FLOOR -> t.isFloat() ? round(Rounding.RMI, type, a) : a;
            case CEIL -> t.isFloat() ? round(Rounding.RPI, type, a) : a;
            case RINT -> t.isFloat() ? round(Rounding.RNI, type, a) : a;
            case TRUNC -> t.isFloat() ? round(Rounding.RZI, type, a) : a;
            case NOT -> out.not(t == DType.BOOL ? PtxType.PRED : bitsOf(t), a);
            case ISNAN -> out.setp(Relation.NAN, type, a, a);
            case EXP -> {
                if (t != DType.F32) throw new IllegalStateException(op + " of " + t + " is to be spelled out first");
                yield new Exponential(out).of(a);
            }
            case EXPM1, LOG, LOG1P, SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, TANH, ERF, LGAMMA, DIGAMMA, ERFINV ->
                throw new IllegalStateException(op + " is to be spelled out first");
        };
    }

    private Operand round(Rounding r, PtxType t, Operand a) {
        return out.cvt(FloatMode.of(r), t, t, a);
    }

    // ---- two operands

    /**
     * @param t type of the operands
     * @param nonzero whether {@code b} is known not to be zero
     */
    Operand binary(Prim2 op, DType t, Operand a, Operand b, boolean nonzero) {
        if (op.isComparison()) return compare(op, t, a, b);
        if (t == DType.BOOL) return logic(op, a, b);
        PtxType type = type(t);
        return switch (op) {
            case ADD -> out.add(type, a, b);
            case SUB -> out.sub(type, a, b);
            case MUL -> out.mul(type, a, b);
            case DIV -> t.isFloat() ? out.div(type, a, b) : divide(t, a, b, nonzero);
            case REM -> t.isFloat() ? new Remainder(out, t).of(a, b) : remainder(t, a, b);
            case MAX -> t.isFloat() ? extreme(Arithmetic.BinaryOp.MAX, t, a, b) : out.max(type, a, b);
            case MIN -> t.isFloat() ? extreme(Arithmetic.BinaryOp.MIN, t, a, b) : out.min(type, a, b);
            case AND -> out.and(bitsOf(t), a, b);
            case OR -> out.or(bitsOf(t), a, b);
            case XOR -> out.xor(bitsOf(t), a, b);
            case SHL -> out.shl(bitsOf(t), a, count(t, b));
            case SHR -> out.shr(type, a, count(t, b));
            case USHR -> out.shr(t == DType.I64 ? PtxType.U64 : PtxType.U32, a, count(t, b));
            case UMULHI -> out.multiply(Arithmetic.Part.HI, PtxType.U32, a, b);
            case POW -> power(t, a, b);
            case ATAN2 -> throw new IllegalStateException(op + " is to be spelled out first");
            case EQ, NE, LT, LE, GT, GE -> throw new AssertionError(op);
        };
    }

    /** {@code a op b}, as accumulators combine. */
    Operand combine(Combine op, DType t, Operand a, Operand b) {
        return binary(
                switch (op) {
                    case SUM -> Prim2.ADD;
                    case PROD -> Prim2.MUL;
                    case MAX -> Prim2.MAX;
                    case MIN -> Prim2.MIN;
                },
                t,
                a,
                b,
                false);
    }

    /** The value that combines with x to x. */
    Operand identity(Combine op, DType t) {
        boolean greatest = op == Combine.MIN;
        return switch (op) {
            case SUM -> constant(t, 0);
            case PROD -> constant(t, 1);
            case MAX, MIN ->
                switch (t) {
                    case F64, F32 -> constant(t, greatest ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY);
                    case I64 -> out.constant(greatest ? Long.MAX_VALUE : Long.MIN_VALUE);
                    case I32 -> out.constant(greatest ? Integer.MAX_VALUE : Integer.MIN_VALUE);
                    case BOOL -> truth(greatest);
                    case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
                };
        };
    }

    private Operand logic(Prim2 op, Operand a, Operand b) {
        return switch (op) {
            case AND, MIN, MUL -> out.and(PtxType.PRED, a, b);
            case OR, MAX, ADD -> out.or(PtxType.PRED, a, b);
            case XOR -> out.xor(PtxType.PRED, a, b);
            case SUB, DIV, REM, POW, ATAN2, SHL, SHR, USHR, UMULHI, EQ, NE, LT, LE, GT, GE ->
                throw new IllegalArgumentException(op + " of bool");
        };
    }

    private Operand compare(Prim2 op, DType t, Operand a, Operand b) {
        if (t == DType.BOOL) {
            return switch (op) {
                case EQ -> out.not(PtxType.PRED, out.xor(PtxType.PRED, a, b));
                case NE -> out.xor(PtxType.PRED, a, b);
                case LT -> out.and(PtxType.PRED, out.not(PtxType.PRED, a), b);
                case LE -> out.or(PtxType.PRED, out.not(PtxType.PRED, a), b);
                case GT -> out.and(PtxType.PRED, a, out.not(PtxType.PRED, b));
                case GE -> out.or(PtxType.PRED, a, out.not(PtxType.PRED, b));
                default -> throw new AssertionError(op);
            };
        }
        Relation r =
                switch (op) {
                    case EQ -> Relation.EQ;
                    case NE -> t.isFloat() ? Relation.NEU : Relation.NE;
                    case LT -> Relation.LT;
                    case LE -> Relation.LE;
                    case GT -> Relation.GT;
                    case GE -> Relation.GE;
                    default -> throw new AssertionError(op);
                };
        return out.setp(r, type(t), a, b);
    }

    /** NaN if either is. The instruction that says so is there for f32 alone. */
    private Operand extreme(Arithmetic.BinaryOp op, DType t, Operand a, Operand b) {
        if (t == DType.F32) return out.binary(op, FloatMode.DEFAULT.withNan(), PtxType.F32, a, b);
        Operand r = out.binary(op, FloatMode.DEFAULT, PtxType.F64, a, b);
        Reg unordered = out.setp(Relation.NAN, PtxType.F64, a, b);
        return out.selp(PtxType.F64, new Operand.F64(Double.NaN), r, unordered);
    }

    /** By zero 0; the quotient by -1 wraps. Neither is defined in PTX. */
    private Operand divide(DType t, Operand a, Operand b, boolean nonzero) {
        PtxType type = type(t);
        if (b instanceof Operand.Int i && i.value() != 0 && i.value() != -1)
            return out.binary(Arithmetic.BinaryOp.DIV, FloatMode.DEFAULT, type, a, b);
        Reg isZero = out.setp(Relation.EQ, type, b, out.constant(0));
        Reg isMinusOne = out.setp(Relation.EQ, type, b, out.constant(-1));
        Operand safe = out.selp(bitsOf(t), out.constant(1), b, out.or(PtxType.PRED, isZero, isMinusOne));
        Operand q = out.binary(Arithmetic.BinaryOp.DIV, FloatMode.DEFAULT, type, a, safe);
        q = out.selp(bitsOf(t), out.neg(type, a), q, isMinusOne);
        return nonzero ? q : out.selp(bitsOf(t), out.constant(0), q, isZero);
    }

    private Operand remainder(DType t, Operand a, Operand b) {
        PtxType type = type(t);
        Reg isZero = out.setp(Relation.EQ, type, b, out.constant(0));
        Reg isMinusOne = out.setp(Relation.EQ, type, b, out.constant(-1));
        // By 1 the remainder is 0, as it is by -1 and shall be by 0.
        Operand safe = out.selp(bitsOf(t), out.constant(1), b, out.or(PtxType.PRED, isZero, isMinusOne));
        return out.rem(type, a, safe);
    }

    /** Shift counts are 32 bits, unsigned, and large ones shift everything out: so do negative ones. */
    private Operand count(DType t, Operand b) {
        if (t == DType.I32) return b;
        if (b instanceof Operand.Int i) return out.constant(i.value() < 0 || i.value() > 64 ? 64 : i.value());
        return out.cvt(FloatMode.DEFAULT, PtxType.U32, PtxType.U64, out.min(PtxType.U64, b, out.constant(64)));
    }

    /** Of integers, by squaring; a negative exponent gives 0 unless the base is 1 or -1. */
    private Operand power(DType t, Operand a, Operand n) {
        if (t.isFloat()) throw new IllegalStateException("pow of floats is to be spelled out first");
        PtxType type = type(t);
        Operand zero = out.constant(0);
        Operand one = out.constant(1);
        Reg negative = out.setp(Relation.LT, type, n, zero);
        Reg isOne = out.setp(Relation.EQ, type, a, one);
        Reg isMinusOne = out.setp(Relation.EQ, type, a, out.constant(-1));
        Reg odd = out.setp(Relation.NE, type, out.and(bitsOf(t), n, one), zero);
        Operand sign = out.selp(bitsOf(t), out.constant(-1), one, odd);
        Operand inverse = out.selp(bitsOf(t), sign, out.selp(bitsOf(t), one, zero, isOne), isMinusOne);
        Reg result = copy(t, one);
        Reg base = copy(t, a);
        Reg left = copy(t, out.max(type, n, zero));
        String head = out.newLabel();
        String end = out.newLabel();
        out.label(head);
        out.branchIf(out.setp(Relation.EQ, type, left, zero), end);
        Reg low = out.setp(Relation.NE, type, out.and(bitsOf(t), left, one), zero);
        out.add(Guard.when(low), new Arithmetic.Multiply(Arithmetic.Part.LO, type, result, result, base));
        out.add(new Arithmetic.Multiply(Arithmetic.Part.LO, type, base, base, base));
        out.add(new Bitwise.Shift(false, type, left, left, one));
        out.branch(head);
        out.label(end);
        return out.selp(bitsOf(t), inverse, result, negative);
    }

    // ---- the rest

    Operand select(DType t, Operand c, Operand a, Operand b) {
        if (t != DType.BOOL) return out.selp(t.isFloat() ? type(t) : bitsOf(t), a, b, c);
        return out.or(PtxType.PRED, out.and(PtxType.PRED, c, a), out.and(PtxType.PRED, out.not(PtxType.PRED, c), b));
    }

    Operand fma(DType t, Operand a, Operand b, Operand c) {
        return out.mad(type(t), a, b, c);
    }

    Operand convert(DType from, DType to, Operand a) {
        if (from == to) return a;
        if (to == DType.BOOL) {
            return out.setp(from.isFloat() ? Relation.NEU : Relation.NE, type(from), a, constant(from, 0));
        }
        if (from == DType.BOOL)
            return out.selp(to.isFloat() ? type(to) : bitsOf(to), constant(to, 1), constant(to, 0), a);
        if (from.isFloat() && to.isFloat())
            return out.cvt(to == DType.F32 ? FloatMode.RN : FloatMode.DEFAULT, type(to), type(from), a);
        if (to.isFloat()) return out.cvt(FloatMode.RN, type(to), type(from), a);
        if (from.isFloat()) {
            Operand i = out.cvt(FloatMode.of(Rounding.RZI), type(to), type(from), a);
            // NaN is 0; PTX has it so where both types have 32 bits.
            if (from == DType.F32 && to == DType.I32) return i;
            return out.selp(bitsOf(to), out.constant(0), i, out.setp(Relation.NAN, type(from), a, a));
        }
        if (a instanceof Operand.Int i) return out.constant(to == DType.I32 ? (int) i.value() : i.value());
        return out.cvt(FloatMode.DEFAULT, type(to), type(from), a);
    }

    Operand narrow(DType to, Operand a) {
        return switch (to) {
            case F16 -> fromHalf(toHalf(a));
            case BF16 -> fromBf16(toBf16(a));
            case I16 -> extract(PtxType.S32, a, 16);
            case I8 -> extract(PtxType.S32, a, 8);
            case U8 -> out.and(PtxType.B32, a, out.constant(0xff));
            case F64, F32, I64, I32, BOOL -> a;
        };
    }

    private Operand extract(PtxType t, Operand a, int bits) {
        Reg d = out.register(t);
        out.add(new Bitwise.Extract(t, d, a, out.constant(0), out.constant(bits)));
        return d;
    }

    /** f32 to f16 in 16 bits, nearest even. */
    Reg toHalf(Operand a) {
        return out.cvt(FloatMode.RN, PtxType.F16, PtxType.F32, a);
    }

    Reg fromHalf(Operand a) {
        return out.cvt(FloatMode.DEFAULT, PtxType.F32, PtxType.F16, a);
    }

    /** f32 to bf16 in 16 bits, nearest even. */
    Reg toBf16(Operand a) {
        return out.cvt(FloatMode.RN, PtxType.BF16, PtxType.F32, a);
    }

    Reg fromBf16(Reg a) {
        Reg pair = out.register(PtxType.B32);
        out.assign(PtxType.B32, pair, Operand.Vector.of(zero16(), a));
        return out.mov(PtxType.F32, bits(DType.F32, pair));
    }

    private Reg zero16() {
        return out.mov(PtxType.B16, out.constant(0));
    }

    /** The same bits as another type. */
    Operand bits(DType to, Operand a) {
        if (a instanceof Operand.Int i)
            return to == DType.F32
                    ? new Operand.F32((int) i.value())
                    : to == DType.F64 ? new Operand.F64(i.value()) : a;
        if (a instanceof Operand.F32 f) return to == DType.I32 ? out.constant(f.bits()) : a;
        if (a instanceof Operand.F64 f) return to == DType.I64 ? out.constant(f.bits()) : a;
        Reg d = out.register(type(to));
        out.assign(bitsOf(to), d, a);
        return d;
    }
}
