// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Prim1;
import java.util.List;

/**
 * Functions of vectors, inlined as arithmetic. The Vector API's own functions are not used: what they compute
 * before C2 has compiled a method differs in the last bit from what they compute after, and a program's
 * results must not depend on when that happens.
 *
 * <p>f32 functions are polynomials, accurate to 2 ulp; in f64 only the roundings are here, the rest goes lane
 * by lane through {@link Math}.
 */
final class VectorMath {
    private final BodyCompiler c;

    VectorMath(BodyCompiler c) {
        this.c = c;
    }

    /** The function of each lane, or null if there is no inline form of it. */
    Vec unary(Prim1 op, Vec a) {
        boolean isFloat = a.species().element().isFloat();
        return switch (op) {
            case NEG -> a.unary("NEG");
            case ABS -> a.unary("ABS");
            case NOT -> a.unary("NOT");
            case SQRT -> a.unary("SQRT");
            case FLOOR, CEIL, RINT, TRUNC -> isFloat ? round(op, c.held(a)) : a;
            case EXP -> isF32(a) ? exp(c.held(a)) : null;
            case EXPM1 -> isF32(a) ? expm1(c.held(a)) : null;
            case TANH -> isF32(a) ? tanh(c.held(a)) : null;
            case LOG -> isF32(a) ? log(c.held(a)) : null;
            case LOG1P -> isF32(a) ? log1p(c.held(a)) : null;
            case ERF -> isF32(a) ? erf(c.held(a)) : null;
            case SIN, COS, TAN -> isF32(a) ? trigonometric(op, c.held(a)) : null;
            case ASIN, ACOS, ATAN, SINH, COSH, LGAMMA, DIGAMMA, ERFINV -> null;
            case ISNAN -> throw new AssertionError(op);
        };
    }

    private static boolean isF32(Vec a) {
        return a.species().element() == DType.F32;
    }

    private Vec k(Vec like, double value) {
        return Vec.constant(like.species(), value);
    }

    /** Horner's scheme in {@code x} (named often: held), highest coefficient first. */
    private Vec polynomial(Vec x, double... coefficients) {
        Vec r = k(x, coefficients[0]);
        for (int i = 1; i < coefficients.length; i++) r = r.fma(x, k(x, coefficients[i]));
        return r;
    }

    private Vec signBit(Vec x) {
        boolean single = x.species().element() == DType.F32;
        return x.asBits().and(Vec.bits(x.species().integral(), single ? Integer.MIN_VALUE : Long.MIN_VALUE));
    }

    /** {@code magnitude}'s bits (its sign bit is 0) with the sign of {@code sign}. */
    private Vec withSignOf(Vec magnitude, Vec sign) {
        return magnitude.asBits().or(signBit(sign)).reinterpret(magnitude.species());
    }

    /**
     * Roundings by adding and subtracting 2^23 (f32) or 2^52 (f64), beyond which every number is an integer.
     */
    private Vec round(Prim1 op, Vec x) {
        double big = x.species().element() == DType.F32 ? 0x1p23 : 0x1p52;
        Vec magnitude = c.held(x.unary("ABS"));
        Vec nearest = magnitude.add(k(x, big)).sub(k(x, big));
        Code isLarge = magnitude.compare("GE", k(x, big));
        Vec zero = k(x, 0);
        Vec one = k(x, 1);
        if (op == Prim1.TRUNC) {
            Vec n = c.held(nearest);
            Vec cut = n.sub(zero.blend(one, n.compare("GT", magnitude)));
            return withSignOf(cut, x).blend(x, isLarge).blend(x, x.compare("NE", x));
        }
        Vec r = c.held(withSignOf(nearest, x));
        Vec result =
                switch (op) {
                    case RINT -> r;
                    case FLOOR -> r.sub(zero.blend(one, r.compare("GT", x)));
                    // -0.3 rounds up to -0: the sign must survive 0 + 0.
                    case CEIL ->
                        withSignOf(r.add(zero.blend(one, r.compare("LT", x))).unary("ABS"), x);
                    default -> throw new AssertionError(op);
                };
        return result.blend(x, isLarge).blend(x, x.compare("NE", x));
    }

    /** The reduced argument of an exponential: {@code shifted} has the bits of n in its lowest ones, {@link #SHIFTER}'s above. */
    private record Reduced(Vec shifted, Vec r) {}

    private static final float SHIFTER = 0x1.8p23f;

    /**
     * x = n ln 2 + r with |r| ≤ ln(2)/2. The rounding constant leaves n in the low bits of the sum.
     */
    private Reduced reduce(Vec x) {
        return reduce(x, shifted(x));
    }

    private Vec shifted(Vec x) {
        return x.fma(k(x, 1.4426950408889634), k(x, SHIFTER));
    }

    /** @param shifted SHIFTER + n, n near x / ln 2 */
    private Reduced reduce(Vec x, Vec shifted) {
        Vec t = c.held(shifted);
        Vec nf = c.held(t.sub(k(x, SHIFTER)));
        // ln 2 in two pieces; the first has few enough bits that n times it is exact.
        Vec r = nf.fma(k(x, -0.693359375), x);
        return new Reduced(c.held(t.asBits()), c.held(nf.fma(k(x, 2.12194440054690583e-4), r)));
    }

    /** n of a reduced argument, as i32. */
    private Vec number(Reduced q) {
        return c.held(q.shifted.sub(Vec.bits(q.shifted.species(), Float.floatToRawIntBits(SHIFTER))));
    }

    /** 2^n as f32 bits, for n in [-126, 127]. */
    private Vec power2(Vec n) {
        return n.add(Vec.bits(n.species(), 127)).shl(23).reinterpret(n.species().of(DType.F32));
    }

    /** 2^n as f32 bits, of an n whose lowest nine bits alone count. */
    private Vec shiftedPower2(Vec n) {
        Vec one = Vec.bits(n.species(), Float.floatToRawIntBits(1));
        return n.shl(23).add(one).reinterpret(n.species().of(DType.F32));
    }

    /** (e^r - 1 - r) / r² on |r| ≤ 0.35. */
    private Vec expTail(Vec r) {
        return polynomial(r, EXP_TAIL);
    }

    private static final double[] EXP_TAIL = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5};

    /** e^r on |r| ≤ 0.3466, relative error 4e-9 before rounding: 1, 1, and a minimax fit of the rest. */
    private static final double[] EXP = {
        0x1.6a2444p-10, 0x1.1239d6p-7, 0x1.5558f2p-5, 0x1.555492p-3, 0x1.fffffcp-2, 1, 1
    };

    /** Where the power of two is a normal number, so is e^x: bits of its exponent are added. */
    private static final double NORMAL_EXP = 87;

    /** Accurate to 1 ulp. A lane's bits do not depend on the other lanes', which decide how all are computed: scaling is exact both ways. */
    Vec exp(Vec x) {
        Reduced q = reduce(x);
        Vec p = c.held(polynomial(q.r, EXP));
        LocalVar result = c.method.local("exp", x.species().vectorType());
        // The shift drops the shifter's bits.
        c.block()
                .add(result.set(p.asBits()
                        .add(q.shifted.shl(23))
                        .reinterpret(x.species())
                        .code()));
        Code ordinary = x.unary("ABS").compare("LE", k(x, NORMAL_EXP));
        Block ends =
                c.nested(true, () -> c.block().add(result.set(expAtTheEnds(x).code())));
        c.block().ifThen(Code.not(Masks.allTrue(ordinary)), ends);
        return new Vec(x.species(), result);
    }

    /** Of any number: subnormal results are rounded once, what overflows is infinite, NaN stays NaN. */
    private Vec expAtTheEnds(Vec x) {
        // What overflows does so with the largest n of two factors: the bits of positive floats are in order, and a
        // minimum of integers is one instruction where one of floats is six.
        int most = Float.floatToRawIntBits(SHIFTER + 254);
        Vec shifted = shifted(x).asBits();
        Reduced q = reduce(
                x, shifted.binary("MIN", Vec.bits(shifted.species(), most)).reinterpret(x.species()));
        Vec p = polynomial(q.r, EXP);
        // Two factors, each a normal number: together they reach into the subnormals and to infinity. The shift drops
        // the shifter's bits.
        Vec half = c.held(q.shifted.shr(1));
        Vec e = p.mul(shiftedPower2(half)).mul(shiftedPower2(q.shifted.sub(half)));
        return e.blend(k(x, 0), x.compare("LT", k(x, -103.972084)));
    }

    /**
     * e^x - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)): one rounding in the sum, and no overflow before the
     * result's.
     */
    Vec expm1(Vec x) {
        Reduced q = reduce(c.held(x.blend(k(x, -30), x.compare("LT", k(x, -30)))));
        Vec r = q.r;
        Vec em = expTail(r).mul(r.mul(r)).add(r);
        Vec n = number(q);
        Vec scale = c.held(power2(n.sub(Vec.bits(n.species(), 1))));
        Vec y = scale.fma(em, scale.sub(k(x, 0.5)));
        Vec result = y.mul(k(x, 2));
        Vec bounded = result.blend(k(x, Float.POSITIVE_INFINITY), x.compare("GT", k(x, 88.7228394)));
        return bounded.blend(x, x.compare("EQ", k(x, 0)));
    }

    /** (e^2a - 1) / (e^2a + 1) for a = |x|, with x's sign. */
    Vec tanh(Vec x) {
        Vec a = x.unary("ABS");
        // 1 in f32 from 9.02 on.
        Vec twice = c.held(a.add(a));
        Reduced q = reduce(c.held(twice.blend(k(x, 40), twice.compare("GT", k(x, 40)))));
        Vec r = q.r;
        Vec em = expTail(r).mul(r.mul(r)).add(r);
        Vec scale = c.held(power2(number(q)));
        Vec m = c.held(scale.fma(em, scale.sub(k(x, 1))));
        return withSignOf(m.div(m.add(k(x, 2))), x);
    }

    /**
     * log of a number and nothing else special: x = 2^e m, m in [√½, √2); log m = f - (f²/2 - s (f²/2 +
     * R(s²))), s = f / (2 + f).
     */
    Vec log(Vec x) {
        Species i32 = x.species().integral();
        // Subnormals are scaled up first.
        Code tiny = c.held(x.compare("LT", k(x, 0x1p-126)));
        Vec scaled = c.held(x.blend(x.mul(k(x, 0x1p25)), tiny));
        Vec u = c.held(scaled.asBits().sub(Vec.bits(i32, 0x3f3504f3)));
        Vec exponent = u.shr(23).sub(Vec.bits(i32, 0).blend(Vec.bits(i32, 25), Masks.cast(tiny, i32)));
        Vec e = c.held(exponent.convert("I2F", x.species()));
        Vec m = u.and(Vec.bits(i32, 0x7fffff)).add(Vec.bits(i32, 0x3f3504f3)).reinterpret(x.species());
        Vec f = c.held(m.sub(k(x, 1)));
        Vec s = c.held(f.div(f.add(k(x, 2))));
        Vec z = c.held(s.mul(s));
        Vec tail = z.mul(polynomial(z, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3));
        Vec h = c.held(f.mul(f).mul(k(x, 0.5)));
        // ln 2 in two pieces, the large one exact in products with e.
        Vec small = e.fma(k(x, -2.12194440054690583e-4), s.mul(h.add(tail)));
        Vec low = h.sub(small);
        Vec result = e.fma(k(x, 0.693359375), f.sub(low));
        Vec edge = result.blend(k(x, Float.NEGATIVE_INFINITY), x.compare("EQ", k(x, 0)))
                .blend(k(x, Float.NaN), x.compare("LT", k(x, 0)));
        // Infinity and NaN pass through.
        return edge.blend(x, x.compare("EQ", k(x, Float.POSITIVE_INFINITY))).blend(x, x.compare("NE", x));
    }

    /**
     * log(1 + x) = log(u) + (x - (u - 1)) / u for u = 1 + x rounded: what rounding lost comes back to first
     * order.
     */
    Vec log1p(Vec x) {
        Vec u = c.held(x.add(k(x, 1)));
        Vec l = c.held(log(u));
        Vec lost = x.sub(u.sub(k(x, 1)));
        Vec corrected = l.add(lost.div(u));
        Code plain = Masks.or(u.compare("EQ", k(x, 0)), u.compare("EQ", k(x, Float.POSITIVE_INFINITY)));
        Vec result = corrected.blend(l, plain);
        return result.blend(x, x.unary("ABS").compare("LT", k(x, 0x1p-25)));
    }

    /**
     * x (1 + Q(x²)) up to 1; beyond, 1 - exp(-a²) R(a) for a = |x|: fitted by weighted least squares, errors
     * 1.2e-9 and 1.4e-8.
     */
    Vec erf(Vec x) {
        Vec a = c.held(x.unary("ABS"));
        Vec z = c.held(a.mul(a));
        Vec near = c.held(a.fma(polynomial(z, ERF_NEAR), a));
        // 1 in f32 from 3.84 on.
        Vec b = c.held(a.blend(k(x, 4), a.compare("GT", k(x, 4))));
        Vec e = exp(c.held(b.mul(b).unary("NEG")));
        Vec far = k(x, 1).sub(e.mul(polynomial(b, ERF_FAR)));
        return withSignOf(near.blend(far, a.compare("GT", k(x, 1))), x).blend(x, x.compare("NE", x));
    }

    private static final double[] ERF_NEAR = {
        7.88911952913189e-05,
        -0.0008020841279018279,
        0.005189535339262319,
        -0.02685444459186847,
        0.11283600176256267,
        -0.3761262713596566,
        0.12837916591375131
    };

    private static final double[] ERF_FAR = {
        -0.0003888819264159947,
        0.006005097852412879,
        -0.040998016823629885,
        0.164133196521075,
        -0.43167882632074406,
        0.7925939921147769,
        -1.048210183266616,
        0.9861271619507681
    };

    /** Largest argument that {@link #trigonometric} reduces itself: its multiple of π/2 has 15 bits. */
    private static final double LARGE_ANGLE = 48000;

    /**
     * sin, cos or tan: the quadrant is taken off in three pieces of π/2; lanes with large angles are computed
     * one by one.
     */
    private Vec trigonometric(Prim1 op, Vec x) {
        double shifter = 0x1.8p23;
        Vec t = c.held(x.fma(k(x, 2 / Math.PI), k(x, shifter)));
        Vec quadrant = c.held(t.asBits());
        Vec n = c.held(t.sub(k(x, shifter)).unary("NEG"));
        // π/2 in pieces of 24 bits.
        float high = (float) (Math.PI / 2);
        float middle = (float) (Math.PI / 2 - high);
        float low = (float) (6.123233995736766e-17 + (Math.PI / 2 - high - middle));
        Vec r = c.held(n.fma(k(x, low), n.fma(k(x, middle), n.fma(k(x, high), x))));
        Vec z = c.held(r.mul(r));
        Vec sine = c.held(z.mul(r).fma(polynomial(z, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6), r));
        Vec cosine = c.held(z.mul(z)
                .fma(polynomial(z, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24), z.fma(k(x, -0.5), k(x, 1))));
        Species i32 = x.species().integral();
        Vec one = Vec.bits(i32, 1);
        Code odd = c.held(Masks.cast(quadrant.and(one).compare("NE", Vec.bits(i32, 0)), x.species()));
        Vec result;
        if (op == Prim1.TAN) {
            Vec ratio = sine.blend(cosine, odd).div(cosine.blend(sine, odd));
            result = ratio.asBits().xor(quadrant.shl(31)).reinterpret(x.species());
        } else {
            Vec value = op == Prim1.SIN ? sine.blend(cosine, odd) : cosine.blend(sine, odd);
            Vec turns = op == Prim1.SIN ? quadrant : quadrant.add(one);
            result = value.asBits().xor(turns.shr(1).shl(31)).reinterpret(x.species());
        }
        // Small angles are their own sine and tangent, -0 included.
        if (op != Prim1.COS) result = result.blend(x, x.unary("ABS").compare("LT", k(x, 0x1p-13)));
        return largeAnglesOneByOne(op, x, result);
    }

    private Vec largeAnglesOneByOne(Prim1 op, Vec x, Vec fast) {
        LocalVar result = c.method.local("angle", x.species().vectorType());
        c.block().add(result.set(fast.code()));
        Code large = x.unary("ABS").compare("GT", k(x, LARGE_ANGLE));
        Block slow = c.nested(true, () -> {
            Vec exact = c.memory.perLane(x.species(), List.of(x), v -> ScalarOps.unary(op, DType.F32, v.get(0)));
            c.block().add(result.set(exact.code()));
        });
        c.block().ifThen(Masks.anyTrue(large), slow);
        return new Vec(x.species(), result);
    }

    /**
     * High halves of the unsigned 32×32-bit products: even and odd lanes as 64-bit products, which are one
     * instruction each where both factors are known to fit 32 bits.
     */
    Vec umulhi(Vec a, Vec b) {
        Species i32 = a.species();
        Species i64 = new Species(DType.I64, i32.lanes() / 2);
        Vec x = c.held(a.reinterpret(i64));
        Vec y = c.held(b.reinterpret(i64));
        Vec low = Vec.bits(i64, 0xffffffffL);
        Vec even = x.and(low).mul(y.and(low)).ushr(32);
        Vec odd = x.ushr(32).mul(y.ushr(32)).and(Vec.bits(i64, 0xffffffff00000000L));
        return even.or(odd).reinterpret(i32);
    }
}
