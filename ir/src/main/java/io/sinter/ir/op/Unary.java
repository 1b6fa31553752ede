// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.max;
import static io.sinter.ir.loop.Exprs.mul;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Exprs;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.SpecialFunctions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.DoublePredicate;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;

/**
 * Functions of one element, one line each: name, range of smooth samples, derivative (from the operand x or, where that is cheaper, from the
 * result y; g is the incoming gradient), reference function, scalar code. At kinks derivatives follow PyTorch: relu'(0) = 0, abs'(0) = 0,
 * and steps have gradient zero.
 */
public final class Unary implements Elementwise {
    private static final List<Unary> ALL = new ArrayList<>();
    private static final double LN2 = Math.log(2);
    private static final double LN10 = Math.log(10);

    public static final Unary NEG = number("neg", dx((g, x) -> g.neg()), x -> -x, x -> -x, Exprs::neg);
    public static final Unary ABS = number("abs", dx((g, x) -> g.times(x.apply(Unary.SIGN))), Math::abs, Math::abs, Exprs::abs);
    /** -1, 0 or 1; of NaN 0, as in PyTorch. */
    public static final Unary SIGN = number("sign", zero(), x -> x > 0 ? 1 : x < 0 ? -1 : 0, Long::signum, UnaryCode::sign);

    public static final Unary EXP = real("exp", -3, 3, dy((g, y) -> g.times(y)), Math::exp, prim(Prim1.EXP));
    public static final Unary EXP2 = real("exp2", -3, 3, dy((g, y) -> g.times(y).times(LN2)), x -> Math.pow(2, x), UnaryCode::exp2);
    public static final Unary EXPM1 = real("expm1", -3, 3, dy((g, y) -> g.times(y.plus(1))), Math::expm1, prim(Prim1.EXPM1));
    public static final Unary LOG = real("log", .1, 4, dx((g, x) -> g.over(x)), Math::log, prim(Prim1.LOG));
    /** Exact at powers of two. */
    public static final Unary LOG2 = real("log2", .1, 4, dx((g, x) -> g.over(x.times(LN2))), Unary::log2, UnaryCode::log2);
    public static final Unary LOG10 =
            real("log10", .1, 4, dx((g, x) -> g.over(x.times(LN10))), Math::log10, x -> mul(Exprs.log(x), 1 / LN10));
    public static final Unary LOG1P = real("log1p", -.9, 3, dx((g, x) -> g.over(x.plus(1))), Math::log1p, prim(Prim1.LOG1P));

    public static final Unary SQRT = real("sqrt", .1, 4, dy((g, y) -> g.over(y.times(2))), Math::sqrt, prim(Prim1.SQRT));
    public static final Unary RSQRT =
            real("rsqrt", .1, 4, dy((g, y) -> g.times(-.5).times(y.square().times(y))), x -> 1 / Math.sqrt(x), x -> div(1, Exprs.sqrt(x)));
    public static final Unary RECIPROCAL = real("reciprocal", .2, 4, dy((g, y) -> g.neg().times(y.square())), x -> 1 / x, x -> div(1, x));

    public static final Unary SIN = real("sin", -4, 4, dx((g, x) -> g.times(x.apply(Unary.COS))), Math::sin, prim(Prim1.SIN));
    public static final Unary COS = real("cos", -4, 4, dx((g, x) -> g.neg().times(x.apply(SIN))), Math::cos, prim(Prim1.COS));
    public static final Unary TAN = real("tan", -1, 1, dy((g, y) -> g.times(y.square().plus(1))), Math::tan, prim(Prim1.TAN));
    public static final Unary ASIN =
            real("asin", -.9, .9, dx((g, x) -> g.times(x.square().from(1).apply(RSQRT))), Math::asin, prim(Prim1.ASIN));
    public static final Unary ACOS =
            real("acos", -.9, .9, dx((g, x) -> g.neg().times(x.square().from(1).apply(RSQRT))), Math::acos, prim(Prim1.ACOS));
    public static final Unary ATAN = real("atan", -4, 4, dx((g, x) -> g.over(x.square().plus(1))), Math::atan, prim(Prim1.ATAN));
    public static final Unary SINH = real("sinh", -3, 3, dx((g, x) -> g.times(x.apply(Unary.COSH))), Math::sinh, prim(Prim1.SINH));
    public static final Unary COSH = real("cosh", -3, 3, dx((g, x) -> g.times(x.apply(SINH))), Math::cosh, prim(Prim1.COSH));
    public static final Unary TANH = real("tanh", -3, 3, dy((g, y) -> g.times(y.square().from(1))), Math::tanh, prim(Prim1.TANH));
    public static final Unary ASINH =
            real("asinh", -3, 3, dx((g, x) -> g.times(x.square().plus(1).apply(RSQRT))), Unary::asinh, UnaryCode::asinh);
    public static final Unary ACOSH =
            real("acosh", 1.2, 5, dx((g, x) -> g.times(x.square().minus(1).apply(RSQRT))), Unary::acosh, UnaryCode::acosh);
    public static final Unary ATANH = real("atanh", -.9, .9, dx((g, x) -> g.over(x.square().from(1))), Unary::atanh, UnaryCode::atanh);

    public static final Unary ERF = real("erf", -3, 3, dx((g, x) -> g.times(erfSlope(x))), SpecialFunctions::erf, prim(Prim1.ERF));
    public static final Unary ERFC =
            real("erfc", -3, 5, dx((g, x) -> g.neg().times(erfSlope(x))), SpecialFunctions::erfc, UnaryCode::erfc);
    public static final Unary ERFINV = real(
            "erfinv", -.95, .95,
            dy((g, y) -> g.times(y.square().apply(EXP)).times(Math.sqrt(Math.PI) / 2)),
            SpecialFunctions::erfinv, prim(Prim1.ERFINV));
    /** log |Γ(x)|. */
    public static final Unary LGAMMA =
            real("lgamma", .2, 6, dx((g, x) -> g.times(x.apply(Unary.DIGAMMA))), SpecialFunctions::lgamma, prim(Prim1.LGAMMA));
    public static final Unary DIGAMMA =
            real("digamma", .2, 6, dx((g, x) -> g.times(UnaryCode.trigamma(x))), SpecialFunctions::digamma, prim(Prim1.DIGAMMA));

    public static final Unary SIGMOID =
            real("sigmoid", -4, 4, dy((g, y) -> g.times(y.times(y.from(1)))), x -> 1 / (1 + Math.exp(-x)), UnaryCode::sigmoid);
    public static final Unary RELU = real(
            "relu", -2, 2, dy((g, y) -> y.is(Binary.LE, 0).thenZeroElse(g)), x -> Math.max(x, 0), x -> max(x, c(x, 0)));

    public static final Unary FLOOR = real("floor", -4, 4, zero(), Math::floor, prim(Prim1.FLOOR));
    public static final Unary CEIL = real("ceil", -4, 4, zero(), Math::ceil, prim(Prim1.CEIL));
    /** To the nearest integer, ties to even. */
    public static final Unary ROUND = real("round", -4, 4, zero(), Math::rint, prim(Prim1.RINT));
    public static final Unary TRUNC = real("trunc", -4, 4, zero(), x -> x < 0 ? Math.ceil(x) : Math.floor(x), prim(Prim1.TRUNC));

    /** Logical of bool, bitwise of integers. */
    public static final Unary NOT = new Unary("not", Takes.BITS, 0, 0, null, null, x -> ~x, prim(Prim1.NOT));

    public static final Unary ISNAN = test("isnan", Double::isNaN, prim(Prim1.ISNAN));
    public static final Unary ISINF =
            test("isinf", Double::isInfinite, x -> Exprs.eq(abs(x), c(x, Double.POSITIVE_INFINITY)));
    public static final Unary ISFINITE = test("isfinite", Double::isFinite, x -> lt(abs(x), Double.POSITIVE_INFINITY));

    // ---- how the table is read

    /** Which dtypes an operator takes. */
    private enum Takes {
        FLOAT,
        NUMBER,
        BITS;

        boolean accepts(DType t) {
            return switch (this) {
                case FLOAT -> t.isFloat();
                case NUMBER -> !t.isBool();
                case BITS -> !t.isFloat();
            };
        }
    }

    /** A derivative times the incoming gradient g, from the operand or the result. */
    private record Derivative(boolean ofResult, BinaryOperator<Val> rule) {}

    private final String name;
    private final Takes takes;
    private final double low;
    private final double high;
    private final Derivative derivative;
    private final DoubleUnaryOperator reference;
    private final LongUnaryOperator integer;
    private final UnaryOperator<Expr> code;

    private Unary(
            String name,
            Takes takes,
            double low,
            double high,
            Derivative derivative,
            DoubleUnaryOperator reference,
            LongUnaryOperator integer,
            UnaryOperator<Expr> code) {
        this.name = name;
        this.takes = takes;
        this.low = low;
        this.high = high;
        this.derivative = derivative;
        this.reference = reference;
        this.integer = integer;
        this.code = code;
        ALL.add(this);
    }

    private static Unary real(
            String name, double low, double high, Derivative d, DoubleUnaryOperator reference, UnaryOperator<Expr> code) {
        return new Unary(name, Takes.FLOAT, low, high, d, reference, null, code);
    }

    private static Unary number(
            String name, Derivative d, DoubleUnaryOperator reference, LongUnaryOperator integer, UnaryOperator<Expr> code) {
        return new Unary(name, Takes.NUMBER, -3, 3, d, reference, integer, code);
    }

    private static Unary test(String name, DoublePredicate reference, UnaryOperator<Expr> code) {
        return new Unary(name, Takes.FLOAT, -3, 3, null, x -> reference.test(x) ? 1 : 0, null, code);
    }

    private static UnaryOperator<Expr> prim(Prim1 op) {
        return x -> Expr.un(op, x);
    }

    private static Derivative dx(BinaryOperator<Val> rule) {
        return new Derivative(false, rule);
    }

    private static Derivative dy(BinaryOperator<Val> rule) {
        return new Derivative(true, rule);
    }

    private static Derivative zero() {
        return new Derivative(false, (g, _) -> g.zeros());
    }

    /** 2/√π exp(-x²). */
    private static Val erfSlope(Val x) {
        return x.square().neg().apply(EXP).times(2 / Math.sqrt(Math.PI));
    }

    private static double log2(double x) {
        int e = Math.getExponent(x);
        boolean power = e >= Double.MIN_EXPONENT && e <= Double.MAX_EXPONENT && x == Math.scalb(1.0, e);
        return power ? e : Math.log(x) / LN2;
    }

    private static double asinh(double x) {
        double a = Math.abs(x);
        double y = a > 1e9 ? Math.log(a) + LN2 : Math.log1p(a + a * a / (1 + Math.sqrt(a * a + 1)));
        return Math.copySign(y, x);
    }

    private static double acosh(double x) {
        double t = x - 1;
        return x > 1e9 ? Math.log(x) + LN2 : x < 1 ? Double.NaN : Math.log1p(t + Math.sqrt(t * (t + 2)));
    }

    private static double atanh(double x) {
        return 0.5 * (Math.log1p(x) - Math.log1p(-x));
    }

    /** All unary operators, in the table's order. */
    public static List<Unary> values() {
        return Collections.unmodifiableList(ALL);
    }

    // ---- the operator

    @Override
    public String name() {
        return name;
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        DType t = in.get(0).dtype();
        if (!takes.accepts(t)) {
            throw OpException.of(name, in, switch (takes) {
                case FLOAT -> "needs a floating-point operand, got " + t + "; cast it to f32 first";
                case NUMBER -> "is not defined on bool; use 'not', or cast to an integer or float";
                case BITS -> "is not defined on " + t + "; it takes bool (logical) or integers (bitwise)";
            });
        }
        boolean test = derivative == null && takes == Takes.FLOAT;
        return List.of(test ? in.get(0).with(DType.BOOL) : in.get(0));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        if (derivative == null || !call.e().type(call.in(0)).dtype().isFloat()) return Op.noGradient(call);
        Val g = Val.of(call.e(), call.grad());
        Val at = Val.of(call.e(), derivative.ofResult ? call.out(0) : call.in(0));
        return List.of(derivative.rule.apply(g, at).<V>get());
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray y = RefArray.zeros(infer(List.of(x.type())).get(0));
        for (int i = 0; i < y.size(); i++) {
            if (x.dtype().isFloat()) y.set(i, reference.applyAsDouble(x.getDouble(i)));
            else if (x.dtype().isBool()) y.set(i, 1 - x.getLong(i));
            else y.set(i, integer.applyAsLong(x.getLong(i)));
        }
        return List.of(y);
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        return Exprs.wrap(out, code.apply(operands.get(0)));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (DType t : DType.values()) {
            if (!takes.accepts(t)) continue;
            samples.add(Sample.values(this, ElementSamples.edges(t)));
            if (t.isFloat()) samples.add(Sample.smooth(this, Sample.uniform(Type.of(t, 3, 5), low, high, 7)));
        }
        samples.add(Sample.values(this, RefArray.zeros(Type.of(samples.get(0).inputs().get(0).dtype(), 0))));
        return samples;
    }

    @Override
    public String toString() {
        return name;
    }
}
