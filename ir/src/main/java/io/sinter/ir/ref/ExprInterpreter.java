// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Evaluates scalar code of the loop IR exactly as {@link Prim1} and {@link Prim2} define it: the
 * oracle of both generators. f32 arithmetic is float arithmetic; transcendental functions are
 * computed in double and rounded once.
 *
 * <p>Values are raw bits in a long, as in {@link Expr.Const}: of the double or float, the integer
 * (i32 sign-extended), bool 0 or 1.
 */
public final class ExprInterpreter {
    /** What surrounds the code: locals, loop variables, parameters, memory. */
    public interface Env {
        /** Raw bits of a local. */
        long local(Local local);

        /** Raw bits at a slot of the parameter block. */
        long slot(int slot);

        /** Current value of a loop variable. */
        long var(Var var);

        /** Raw bits, in the register type, of an element of a buffer. */
        long load(Buf buffer, long index);

        /** A data-dependent index was out of range. */
        void indexError(long site, long value, long bound);
    }

    /** The surroundings of code that is a function of some locals and nothing else. */
    public record Locals(Map<Local, Long> values) implements Env {
        @Override
        public long local(Local local) {
            Long v = values.get(local);
            if (v == null) throw new IllegalArgumentException("local " + local + " has no value");
            return v;
        }

        @Override
        public long slot(int slot) {
            throw new IllegalArgumentException("no parameter block");
        }

        @Override
        public long var(Var var) {
            throw new IllegalArgumentException("loop variable " + var + " has no value");
        }

        @Override
        public long load(Buf buffer, long index) {
            throw new IllegalArgumentException("no memory");
        }

        @Override
        public void indexError(long site, long value, long bound) {
            throw new IndexOutOfBoundsException("site " + site + ": index " + value + " of " + bound);
        }
    }

    private final Env env;
    private final Map<Expr, Long> done = new IdentityHashMap<>();

    private ExprInterpreter(Env env) {
        this.env = env;
    }

    /** Raw bits of the value of {@code e}. */
    public static long eval(Expr e, Env env) {
        return new ExprInterpreter(env).value(e);
    }

    /** Value of an index expression. */
    public static long eval(Index index, Env env) {
        return new ExprInterpreter(env).index(index);
    }

    /** Raw bits of {@code v} in the register type {@code t}. */
    public static long encode(DType t, double v) {
        return canonical(t, Expr.Const.of(t, v).bits());
    }

    /** Raw bits as a double (integers convert). */
    public static double decode(DType t, long bits) {
        return switch (t) {
            case F64 -> Double.longBitsToDouble(bits);
            case F32 -> Float.intBitsToFloat((int) bits);
            case I32 -> (int) bits;
            case I64, BOOL -> bits;
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
        };
    }

    /** i32 sign-extended, f32 zero-extended: one representation for each value. */
    private static long canonical(DType t, long bits) {
        return t == DType.I32 ? (int) bits : t == DType.F32 ? bits & 0xffffffffL : bits;
    }

    private long value(Expr e) {
        Long known = done.get(e);
        if (known != null) return known;
        long v = canonical(e.dtype(), compute(e));
        done.put(e, v);
        return v;
    }

    private long compute(Expr e) {
        return switch (e) {
            case Expr.Const x -> x.bits();
            case Expr.Arg x -> env.slot(x.slot());
            case Expr.IndexValue x -> index(x.index());
            case Expr.Ref x -> env.local(x.local());
            case Expr.Load x -> {
                if (x.mask() == null) yield env.load(x.buffer(), index(x.index()));
                long otherwise = value(x.otherwise());
                yield value(x.mask()) != 0 ? env.load(x.buffer(), index(x.index())) : otherwise;
            }
            case Expr.Un x -> unary(x.op(), x.a().dtype(), value(x.a()));
            case Expr.Bin x -> binary(x.op(), x.a().dtype(), value(x.a()), value(x.b()));
            case Expr.Select x -> {
                // Both, as everywhere: their index checks count whatever the condition is.
                long a = value(x.a());
                long b = value(x.b());
                yield value(x.cond()) != 0 ? a : b;
            }
            case Expr.Fma x -> fma(x.dtype(), value(x.a()), value(x.b()), value(x.c()));
            case Expr.Convert x -> convert(x.a().dtype(), x.dtype(), value(x.a()));
            case Expr.Narrow x ->
                x.to().isFloat()
                        ? encode(DType.F32, RefArray.round(x.to(), decode(DType.F32, value(x.a()))))
                        : RefArray.wrap(x.to(), value(x.a()));
            case Expr.Bits x -> value(x.a());
            case Expr.Checked x -> checked(x);
        };
    }

    private long checked(Expr.Checked x) {
        long v = value(x.value());
        long bound = coef(x.bound());
        if (v >= (x.wrap() ? -bound : 0) && v < bound) return v < 0 ? v + bound : v;
        env.indexError(coef(x.site()), v, bound);
        return 0;
    }

    private long coef(Coef c) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s -> env.slot(s.slot());
        };
    }

    private long index(Index index) {
        long sum = coef(index.offset());
        for (Index.Term t : index.terms()) {
            long atom =
                    switch (t.atom()) {
                        case Index.VarAtom a -> env.var(a.var());
                        case Index.DivAtom a -> Math.floorDiv(index(a.a()), coef(a.by()));
                        case Index.ModAtom a -> Math.floorMod(index(a.a()), coef(a.by()));
                        case Index.DataAtom a -> value(a.value());
                    };
            sum += coef(t.coef()) * atom;
        }
        return sum;
    }

    private static long fma(DType t, long a, long b, long c) {
        return t == DType.F32
                ? Float.floatToRawIntBits(Math.fma(f32(a), f32(b), f32(c)))
                : Double.doubleToRawLongBits(Math.fma(f64(a), f64(b), f64(c)));
    }

    private static float f32(long bits) {
        return Float.intBitsToFloat((int) bits);
    }

    private static double f64(long bits) {
        return Double.longBitsToDouble(bits);
    }

    private static long convert(DType from, DType to, long v) {
        if (from == to) return v;
        if (to == DType.BOOL) return decode(from, v) != 0 || (from == DType.I64 && v != 0) ? 1 : 0;
        if (from.isFloat()) {
            double d = decode(from, v);
            return to == DType.I32 ? (int) d : to == DType.I64 ? (long) d : encode(to, d);
        }
        return switch (to) {
            case F64 -> Double.doubleToRawLongBits((double) v);
            case F32 -> Float.floatToRawIntBits((float) v); // one rounding, not by way of double
            case I32 -> (int) v;
            case I64 -> v;
            case F16, BF16, I16, I8, U8, BOOL -> throw new IllegalArgumentException("convert to " + to);
        };
    }

    private static long unary(Prim1 op, DType t, long bits) {
        if (t.isFloat()) {
            double x = decode(t, bits);
            return op == Prim1.ISNAN ? (Double.isNaN(x) ? 1 : 0) : encode(t, ofFloat(op, x));
        }
        return switch (op) {
            case NEG -> -bits;
            case ABS -> t == DType.I32 ? Math.abs((int) bits) : Math.abs(bits);
            case NOT -> t == DType.BOOL ? bits ^ 1 : ~bits;
            case SQRT,
                    EXP,
                    EXPM1,
                    LOG,
                    LOG1P,
                    SIN,
                    COS,
                    TAN,
                    ASIN,
                    ACOS,
                    ATAN,
                    SINH,
                    COSH,
                    TANH,
                    ERF,
                    LGAMMA,
                    DIGAMMA,
                    ERFINV,
                    FLOOR,
                    CEIL,
                    RINT,
                    TRUNC,
                    ISNAN -> throw new IllegalArgumentException(op + " of " + t);
        };
    }

    private static double ofFloat(Prim1 op, double x) {
        return switch (op) {
            case NEG -> -x;
            case ABS -> Math.abs(x);
            case SQRT -> Math.sqrt(x);
            case EXP -> Math.exp(x);
            case EXPM1 -> Math.expm1(x);
            case LOG -> Math.log(x);
            case LOG1P -> Math.log1p(x);
            case SIN -> Math.sin(x);
            case COS -> Math.cos(x);
            case TAN -> Math.tan(x);
            case ASIN -> Math.asin(x);
            case ACOS -> Math.acos(x);
            case ATAN -> Math.atan(x);
            case SINH -> Math.sinh(x);
            case COSH -> Math.cosh(x);
            case TANH -> Math.tanh(x);
            case ERF -> SpecialFunctions.erf(x);
            case LGAMMA -> SpecialFunctions.lgamma(x);
            case DIGAMMA -> SpecialFunctions.digamma(x);
            case ERFINV -> SpecialFunctions.erfinv(x);
            case FLOOR -> Math.floor(x);
            case CEIL -> Math.ceil(x);
            case RINT -> Math.rint(x);
            case TRUNC -> x < 0 ? Math.ceil(x) : Math.floor(x);
            case NOT, ISNAN -> throw new IllegalArgumentException(op + " of a float");
        };
    }

    private static long binary(Prim2 op, DType t, long a, long b) {
        if (op.isComparison()) return compare(op, t, a, b) ? 1 : 0;
        return switch (t) {
            case F32 -> encode(t, ofFloats(op, f32(a), f32(b), true));
            case F64 -> encode(t, ofFloats(op, f64(a), f64(b), false));
            case I32 -> ofInts(op, (int) a, (int) b, 32);
            case I64 -> ofInts(op, a, b, 64);
            case BOOL ->
                switch (op) {
                    case AND, MIN -> a & b;
                    case OR, MAX -> a | b;
                    case XOR -> a ^ b;
                    case ADD, SUB, MUL, DIV, REM, POW, ATAN2, SHL, SHR, USHR, UMULHI, EQ, NE, LT, LE, GT, GE ->
                        throw new IllegalArgumentException(op + " of bool");
                };
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
        };
    }

    private static boolean compare(Prim2 op, DType t, long a, long b) {
        if (t.isFloat()) {
            double x = decode(t, a);
            double y = decode(t, b);
            return switch (op) {
                case EQ -> x == y;
                case NE -> x != y;
                case LT -> x < y;
                case LE -> x <= y;
                case GT -> x > y;
                case GE -> x >= y;
                default -> throw new IllegalArgumentException(op.toString());
            };
        }
        return switch (op) {
            case EQ -> a == b;
            case NE -> a != b;
            case LT -> a < b;
            case LE -> a <= b;
            case GT -> a > b;
            case GE -> a >= b;
            default -> throw new IllegalArgumentException(op.toString());
        };
    }

    /**
     * A double holds the sum, difference, product or quotient of two floats well enough that
     * rounding it again is rounding once.
     */
    private static double ofFloats(Prim2 op, double x, double y, boolean single) {
        return switch (op) {
            case ADD -> x + y;
            case SUB -> x - y;
            case MUL -> x * y;
            case DIV -> x / y;
            case REM -> x % y;
            case MAX -> Math.max(x, y);
            case MIN -> Math.min(x, y);
            case POW -> pow(x, y);
            case ATAN2 -> Math.atan2(x, y);
            case AND, OR, XOR, SHL, SHR, USHR, UMULHI, EQ, NE, LT, LE, GT, GE ->
                throw new IllegalArgumentException(op + " of " + (single ? DType.F32 : DType.F64));
        };
    }

    /**
     * C's pow, which differs from Java's where the base is ±1: 1 to any power is 1, and -1 to an
     * infinite one too.
     */
    static double pow(double x, double y) {
        if (x == 1 || (x == -1 && Double.isInfinite(y))) return 1;
        return Math.pow(x, y);
    }

    /** Integer primitives at a width of 32 or 64 bits; operands sign-extended. */
    static long ofInts(Prim2 op, long a, long b, int width) {
        return switch (op) {
            case ADD -> a + b;
            case SUB -> a - b;
            case MUL -> a * b;
            case DIV -> b == 0 ? 0 : a / b;
            case REM -> b == 0 ? 0 : a % b;
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
            case POW -> powInt(a, b);
            case AND -> a & b;
            case OR -> a | b;
            case XOR -> a ^ b;
            case SHL -> b < 0 || b >= width ? 0 : a << b;
            case SHR -> a >> (b < 0 || b >= width ? 63 : b);
            case USHR -> b < 0 || b >= width ? 0 : (width == 32 ? (a & 0xffffffffL) >>> b : a >>> b);
            case UMULHI -> {
                if (width != 32) throw new IllegalArgumentException("UMULHI of i64");
                yield ((a & 0xffffffffL) * (b & 0xffffffffL)) >>> 32;
            }
            case ATAN2, EQ, NE, LT, LE, GT, GE -> throw new IllegalArgumentException(op + " of integers");
        };
    }

    private static long powInt(long a, long b) {
        if (b < 0) return a == 1 ? 1 : a == -1 ? ((b & 1) == 0 ? 1 : -1) : 0;
        long r = 1;
        for (; b != 0; b >>= 1) {
            if ((b & 1) != 0) r *= a;
            a *= a;
        }
        return r;
    }
}
