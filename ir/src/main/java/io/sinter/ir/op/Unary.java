// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.max;

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
 * Functions of one element, as a table: name, reference function, scalar code, and derivative from
 * the operand (dx) or, where that is cheaper, from the result (dy), with the range where it is
 * smooth; g is the incoming gradient. At kinks derivatives follow PyTorch: relu'(0) = 0, abs'(0) =
 * 0, and steps have gradient zero.
 */
public final class Unary implements Elementwise {
    private static final List<Unary> ALL = new ArrayList<>();
    private static final double LN2 = Math.log(2);
    private static final double LN10 = Math.log(10);

    public static final Unary NEG = number("neg", x -> -x, x -> -x, Exprs::neg).dx(-3, 3, (g, x) -> g.neg());
    public static final Unary ABS =
            number("abs", Math::abs, Math::abs, Exprs::abs).dx(-3, 3, (g, x) -> g.times(x.apply(Unary.SIGN)));

    /** -1, 0 or 1; of NaN 0, as in PyTorch. */
    public static final Unary SIGN = number("sign", x -> x > 0 ? 1 : x < 0 ? -1 : 0, Long::signum, UnaryCode::sign)
            .step();

    public static final Unary EXP = real("exp", Math::exp, prim(Prim1.EXP)).dy(-3, 3, (g, y) -> g.times(y));
    public static final Unary EXP2 = real("exp2", x -> Math.pow(2, x), UnaryCode::exp2)
            .dy(-3, 3, (g, y) -> g.times(y).times(LN2));
    public static final Unary EXPM1 =
            real("expm1", Math::expm1, prim(Prim1.EXPM1)).dy(-3, 3, (g, y) -> g.times(y.plus(1)));
    public static final Unary LOG = real("log", Math::log, prim(Prim1.LOG)).dx(.1, 4, (g, x) -> g.over(x));

    /** Exact at powers of two. */
    public static final Unary LOG2 =
            real("log2", Unary::log2, UnaryCode::log2).dx(.1, 4, (g, x) -> g.over(x.times(LN2)));

    public static final Unary LOG10 =
            real("log10", Math::log10, UnaryCode::log10).dx(.1, 4, (g, x) -> g.over(x.times(LN10)));
    public static final Unary LOG1P =
            real("log1p", Math::log1p, prim(Prim1.LOG1P)).dx(-.9, 3, (g, x) -> g.over(x.plus(1)));

    public static final Unary SQRT = real("sqrt", Math::sqrt, prim(Prim1.SQRT)).dy(.1, 4, (g, y) -> g.over(y.times(2)));
    public static final Unary RSQRT = real("rsqrt", x -> 1 / Math.sqrt(x), x -> div(1, Exprs.sqrt(x)))
            .dy(.1, 4, (g, y) -> g.times(-.5).times(y.square().times(y)));
    public static final Unary RECIPROCAL = real("reciprocal", x -> 1 / x, x -> div(1, x))
            .dy(.2, 4, (g, y) -> g.neg().times(y.square()));

    public static final Unary SIN =
            real("sin", Math::sin, prim(Prim1.SIN)).dx(-4, 4, (g, x) -> g.times(x.apply(Unary.COS)));
    public static final Unary COS =
            real("cos", Math::cos, prim(Prim1.COS)).dx(-4, 4, (g, x) -> g.neg().times(x.apply(SIN)));
    public static final Unary TAN = real("tan", Math::tan, prim(Prim1.TAN))
            .dy(-1, 1, (g, y) -> g.times(y.square().plus(1)));
    public static final Unary ASIN = real("asin", Math::asin, prim(Prim1.ASIN))
            .dx(-.9, .9, (g, x) -> g.times(x.square().from(1).apply(RSQRT)));
    public static final Unary ACOS = real("acos", Math::acos, prim(Prim1.ACOS))
            .dx(-.9, .9, (g, x) -> g.neg().times(x.square().from(1).apply(RSQRT)));
    public static final Unary ATAN = real("atan", Math::atan, prim(Prim1.ATAN))
            .dx(-4, 4, (g, x) -> g.over(x.square().plus(1)));
    public static final Unary SINH =
            real("sinh", Math::sinh, prim(Prim1.SINH)).dx(-3, 3, (g, x) -> g.times(x.apply(Unary.COSH)));
    public static final Unary COSH =
            real("cosh", Math::cosh, prim(Prim1.COSH)).dx(-3, 3, (g, x) -> g.times(x.apply(SINH)));
    public static final Unary TANH = real("tanh", Math::tanh, prim(Prim1.TANH))
            .dy(-3, 3, (g, y) -> g.times(y.square().from(1)));
    public static final Unary ASINH = real("asinh", Unary::asinh, UnaryCode::asinh)
            .dx(-3, 3, (g, x) -> g.times(x.square().plus(1).apply(RSQRT)));
    public static final Unary ACOSH = real("acosh", Unary::acosh, UnaryCode::acosh)
            .dx(1.2, 5, (g, x) -> g.times(x.square().minus(1).apply(RSQRT)));
    public static final Unary ATANH = real("atanh", Unary::atanh, UnaryCode::atanh)
            .dx(-.9, .9, (g, x) -> g.over(x.square().from(1)));

    public static final Unary ERF =
            real("erf", SpecialFunctions::erf, prim(Prim1.ERF)).dx(-3, 3, (g, x) -> g.times(erfSlope(x)));
    public static final Unary ERFC = real("erfc", SpecialFunctions::erfc, UnaryCode::erfc)
            .dx(-3, 5, (g, x) -> g.neg().times(erfSlope(x)));
    public static final Unary ERFINV =
            real("erfinv", SpecialFunctions::erfinv, prim(Prim1.ERFINV)).dy(-.95, .95, (g, y) -> g.over(erfSlope(y)));

    /** log |Γ(x)|. */
    public static final Unary LGAMMA = real("lgamma", SpecialFunctions::lgamma, prim(Prim1.LGAMMA))
            .dx(.2, 6, (g, x) -> g.times(x.apply(Unary.DIGAMMA)));

    public static final Unary DIGAMMA = real("digamma", SpecialFunctions::digamma, prim(Prim1.DIGAMMA))
            .dx(.2, 6, (g, x) -> g.times(UnaryCode.trigamma(x)));

    public static final Unary SIGMOID = real("sigmoid", x -> 1 / (1 + Math.exp(-x)), UnaryCode::sigmoid)
            .dy(-4, 4, (g, y) -> g.times(y.times(y.from(1))));
    public static final Unary RELU = real("relu", x -> Math.max(x, 0), x -> max(x, c(x, 0)))
            .dy(-2, 2, (g, y) -> y.is(Binary.LE, 0).thenZeroElse(g));

    public static final Unary FLOOR =
            real("floor", Math::floor, prim(Prim1.FLOOR)).step();
    public static final Unary CEIL = real("ceil", Math::ceil, prim(Prim1.CEIL)).step();

    /** To the nearest integer, ties to even. */
    public static final Unary ROUND =
            real("round", Math::rint, prim(Prim1.RINT)).step();

    public static final Unary TRUNC = real("trunc", x -> x < 0 ? Math.ceil(x) : Math.floor(x), prim(Prim1.TRUNC))
            .step();

    /** Logical of bool, bitwise of integers. */
    public static final Unary NOT = new Row("not", Takes.BITS, null, x -> ~x, prim(Prim1.NOT)).noGradient();

    public static final Unary ISNAN = test("isnan", Double::isNaN, prim(Prim1.ISNAN));
    public static final Unary ISINF = test("isinf", Double::isInfinite, UnaryCode::isInfinite);
    public static final Unary ISFINITE = test("isfinite", Double::isFinite, UnaryCode::isFinite);

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

    /** A line of the table up to its derivative. */
    private record Row(
            String name,
            Takes takes,
            DoubleUnaryOperator reference,
            LongUnaryOperator integer,
            UnaryOperator<Expr> code) {
        /** Derivative from g and the operand; smooth between low and high. */
        Unary dx(double low, double high, BinaryOperator<Val> rule) {
            return new Unary(this, low, high, new Derivative(false, rule));
        }

        /** Derivative from g and the result; smooth for operands between low and high. */
        Unary dy(double low, double high, BinaryOperator<Val> rule) {
            return new Unary(this, low, high, new Derivative(true, rule));
        }

        /** Constant between jumps: derivative 0. */
        Unary step() {
            return dx(-4, 4, (g, _) -> g.zeros());
        }

        Unary noGradient() {
            return new Unary(this, -3, 3, null);
        }
    }

    private final Row row;
    private final double low;
    private final double high;
    private final Derivative derivative;

    private Unary(Row row, double low, double high, Derivative derivative) {
        this.row = row;
        this.low = low;
        this.high = high;
        this.derivative = derivative;
        ALL.add(this);
    }

    private static Row real(String name, DoubleUnaryOperator reference, UnaryOperator<Expr> code) {
        return new Row(name, Takes.FLOAT, reference, null, code);
    }

    private static Row number(
            String name, DoubleUnaryOperator reference, LongUnaryOperator integer, UnaryOperator<Expr> code) {
        return new Row(name, Takes.NUMBER, reference, integer, code);
    }

    private static Unary test(String name, DoublePredicate reference, UnaryOperator<Expr> code) {
        return real(name, x -> reference.test(x) ? 1 : 0, code).noGradient();
    }

    private static UnaryOperator<Expr> prim(Prim1 op) {
        return x -> Expr.un(op, x);
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
        return row.name;
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        DType t = in.get(0).dtype();
        if (!row.takes.accepts(t)) {
            throw OpException.of(
                    row.name,
                    in,
                    switch (row.takes) {
                        case FLOAT -> "needs a floating-point operand, got " + t + "; cast it to f32 first";
                        case NUMBER -> "is not defined on bool; use 'not', or cast to an integer or float";
                        case BITS -> "is not defined on " + t + "; it takes bool (logical) or integers (bitwise)";
                    });
        }
        boolean test = derivative == null && row.takes == Takes.FLOAT;
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
            if (x.dtype().isFloat()) y.set(i, row.reference.applyAsDouble(x.getDouble(i)));
            else if (x.dtype().isBool()) y.set(i, 1 - x.getLong(i));
            else y.set(i, row.integer.applyAsLong(x.getLong(i)));
        }
        return List.of(y);
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        return Exprs.wrap(out, row.code.apply(operands.get(0)));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (DType t : DType.values()) {
            if (!row.takes.accepts(t)) continue;
            samples.add(Sample.values(this, ElementSamples.edges(t)));
            if (t.isFloat()) samples.add(Sample.smooth(this, Sample.uniform(Type.of(t, 3, 5), low, high, 7)));
        }
        samples.add(Sample.values(
                this, RefArray.zeros(Type.of(samples.get(0).inputs().get(0).dtype(), 0))));
        return samples;
    }

    @Override
    public String toString() {
        return row.name;
    }
}
