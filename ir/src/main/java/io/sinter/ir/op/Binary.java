// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Exprs;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * Functions of two elements, one line each: name, derivatives by both operands, reference functions of floats and integers, scalar code.
 * Operands have one dtype and one shape. Integers wrap; integer division by zero gives 0. Derivatives follow PyTorch: at ties of maximum and minimum
 * half goes to each side.
 */
public final class Binary implements Elementwise {
    private static final List<Binary> ALL = new ArrayList<>();

    public static final Binary ADD = number("add", d(c -> c.g, c -> c.g), (a, b) -> a + b, (a, b) -> a + b, Exprs::add);
    public static final Binary SUB = number("sub", d(c -> c.g, c -> c.g.neg()), (a, b) -> a - b, (a, b) -> a - b, Exprs::sub);
    public static final Binary MUL =
            number("mul", d(c -> c.g.times(c.b), c -> c.g.times(c.a)), (a, b) -> a * b, (a, b) -> a * b, Exprs::mul);
    /** Integers truncate toward zero. */
    public static final Binary DIV = number(
            "div",
            d(c -> c.g.over(c.b), c -> c.g.neg().times(c.y().over(c.b))),
            (a, b) -> a / b,
            (a, b) -> b == 0 ? 0 : a / b,
            Exprs::div);
    /** C's pow. An integer to a negative power is 0, but for bases 1 and -1. */
    public static final Binary POW =
            number("pow", d(BinaryRules::powByBase, BinaryRules::powByExponent), BinaryRules::pow, BinaryRules::pow, prim(Prim2.POW));
    /** The remainder with the sign of the divisor: Python's %. */
    public static final Binary REMAINDER = number(
            "remainder",
            d(c -> c.g, c -> c.g.neg().times(c.a.apply(Binary.FLOORDIV, c.b))),
            BinaryRules::remainder,
            (a, b) -> b == 0 ? 0 : Math.floorMod(a, b),
            BinaryRules::remainder);
    /** The remainder with the sign of the dividend: C's fmod. */
    public static final Binary FMOD = number(
            "fmod",
            d(c -> c.g, c -> c.g.neg().times(c.a.over(c.b).apply(Unary.TRUNC))),
            (a, b) -> a % b,
            (a, b) -> b == 0 ? 0 : a % b,
            prim(Prim2.REM));
    /** The quotient rounded toward minus infinity: Python's //. */
    public static final Binary FLOORDIV = number(
            "floordiv",
            d(c -> c.g.zeros(), c -> c.g.zeros()),
            BinaryRules::floorDiv,
            (a, b) -> b == 0 ? 0 : Math.floorDiv(a, b),
            BinaryRules::floorDiv);
    public static final Binary ATAN2 = new Binary(
            "atan2",
            Takes.FLOAT,
            d(c -> c.g.times(c.b.over(c.normSquare())), c -> c.g.neg().times(c.a.over(c.normSquare()))),
            Math::atan2,
            null,
            prim(Prim2.ATAN2));
    /** NaN if either is; of bool, or. */
    public static final Binary MAX = new Binary(
            "maximum", Takes.ALL, d(c -> c.where(Binary.LT, c.a, c.b), c -> c.where(Binary.LT, c.b, c.a)), Math::max, Math::max, prim(Prim2.MAX));
    /** NaN if either is; of bool, and. */
    public static final Binary MIN = new Binary(
            "minimum", Takes.ALL, d(c -> c.where(Binary.GT, c.a, c.b), c -> c.where(Binary.GT, c.b, c.a)), Math::min, Math::min, prim(Prim2.MIN));

    public static final Binary AND = new Binary("and", Takes.BITS, null, null, (a, b) -> a & b, prim(Prim2.AND));
    public static final Binary OR = new Binary("or", Takes.BITS, null, null, (a, b) -> a | b, prim(Prim2.OR));
    public static final Binary XOR = new Binary("xor", Takes.BITS, null, null, (a, b) -> a ^ b, prim(Prim2.XOR));
    /** A count that is negative or at least the width gives 0. */
    public static final Binary SHL =
            new Binary("shl", Takes.INT, null, null, (a, b) -> b < 0 || b > 63 ? 0 : a << b, prim(Prim2.SHL));
    /** Arithmetic (u8: logical). A count that is negative or at least the width leaves the sign alone. */
    public static final Binary SHR =
            new Binary("shr", Takes.INT, null, null, (a, b) -> a >> (b < 0 || b > 63 ? 63 : b), prim(Prim2.SHR));

    public static final Binary EQ = comparison("eq", (a, b) -> a == b ? 1 : 0, (a, b) -> a == b ? 1 : 0, Prim2.EQ);
    public static final Binary NE = comparison("ne", (a, b) -> a != b ? 1 : 0, (a, b) -> a != b ? 1 : 0, Prim2.NE);
    public static final Binary LT = comparison("lt", (a, b) -> a < b ? 1 : 0, (a, b) -> a < b ? 1 : 0, Prim2.LT);
    public static final Binary LE = comparison("le", (a, b) -> a <= b ? 1 : 0, (a, b) -> a <= b ? 1 : 0, Prim2.LE);
    public static final Binary GT = comparison("gt", (a, b) -> a > b ? 1 : 0, (a, b) -> a > b ? 1 : 0, Prim2.GT);
    public static final Binary GE = comparison("ge", (a, b) -> a >= b ? 1 : 0, (a, b) -> a >= b ? 1 : 0, Prim2.GE);

    // ---- how the table is read

    /** Which dtypes an operator takes. */
    private enum Takes {
        FLOAT,
        NUMBER,
        INT,
        BITS,
        ALL;

        boolean accepts(DType t) {
            return switch (this) {
                case FLOAT -> t.isFloat();
                case NUMBER -> !t.isBool();
                case INT -> t.isInt();
                case BITS -> !t.isFloat();
                case ALL -> true;
            };
        }
    }

    private final String name;
    private final Takes takes;
    private final BinaryRules.Derivatives derivatives;
    private final DoubleBinaryOperator reference;
    private final LongBinaryOperator integer;
    private final BinaryOperator<Expr> code;
    private final boolean comparison;

    private Binary(
            String name,
            Takes takes,
            BinaryRules.Derivatives derivatives,
            DoubleBinaryOperator reference,
            LongBinaryOperator integer,
            BinaryOperator<Expr> code) {
        this(name, takes, derivatives, reference, integer, code, false);
    }

    private Binary(
            String name,
            Takes takes,
            BinaryRules.Derivatives derivatives,
            DoubleBinaryOperator reference,
            LongBinaryOperator integer,
            BinaryOperator<Expr> code,
            boolean comparison) {
        this.name = name;
        this.takes = takes;
        this.derivatives = derivatives;
        this.reference = reference;
        this.integer = integer;
        this.code = code;
        this.comparison = comparison;
        ALL.add(this);
    }

    private static Binary number(
            String name,
            BinaryRules.Derivatives derivatives,
            DoubleBinaryOperator reference,
            LongBinaryOperator integer,
            BinaryOperator<Expr> code) {
        return new Binary(name, Takes.NUMBER, derivatives, reference, integer, code);
    }

    private static Binary comparison(String name, DoubleBinaryOperator reference, LongBinaryOperator integer, Prim2 op) {
        return new Binary(name, Takes.ALL, null, reference, integer, prim(op), true);
    }

    private static BinaryOperator<Expr> prim(Prim2 op) {
        return (a, b) -> Expr.bin(op, a, b);
    }

    private static BinaryRules.Derivatives d(BinaryRules.Rule byA, BinaryRules.Rule byB) {
        return new BinaryRules.Derivatives(byA, byB);
    }

    /** All binary operators, in the table's order. */
    public static List<Binary> values() {
        return Collections.unmodifiableList(ALL);
    }

    /** True for eq, ne, lt, le, gt, ge: the result is bool. */
    public boolean isComparison() {
        return comparison;
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
        Rule.arity(this, in, 2);
        Rule.sameDtype(this, in);
        Rule.sameShape(this, in);
        DType t = in.get(0).dtype();
        if (!takes.accepts(t)) {
            throw OpException.of(name, in, switch (takes) {
                case FLOAT -> "needs floating-point operands, got " + t + "; cast them to f32 first";
                case NUMBER -> "is not defined on bool; use and, or, xor, or cast to an integer or float";
                case INT -> "takes integers, got " + t;
                case BITS -> "takes bool (logical) or integers (bitwise), got " + t;
                case ALL -> throw new IllegalStateException("takes everything");
            });
        }
        return List.of(comparison ? in.get(0).with(DType.BOOL) : in.get(0));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        if (derivatives == null || !call.e().type(call.in(0)).dtype().isFloat()) return Op.noGradient(call);
        BinaryRules.Call c = BinaryRules.Call.of(call);
        List<V> grads = new ArrayList<>(Collections.nCopies(2, null));
        if (call.needs(0)) grads.set(0, derivatives.byA().apply(c).<V>get());
        if (call.needs(1)) grads.set(1, derivatives.byB().apply(c).<V>get());
        return grads;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray a = in.get(0);
        RefArray b = in.get(1);
        RefArray y = RefArray.zeros(infer(List.of(a.type(), b.type())).get(0));
        for (int i = 0; i < y.size(); i++) {
            if (a.dtype().isFloat()) y.set(i, reference.applyAsDouble(a.getDouble(i), b.getDouble(i)));
            else y.set(i, integer.applyAsLong(a.getLong(i), b.getLong(i)));
        }
        return List.of(y);
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        return Exprs.wrap(out, code.apply(operands.get(0), operands.get(1)));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (DType t : DType.values()) {
            if (!takes.accepts(t)) continue;
            samples.add(Sample.values(this, ElementSamples.pairs(t, false), ElementSamples.pairs(t, true)));
            if (t.isFloat()) {
                // Positive, without ties, no quotient near an integer.
                RefArray a = Sample.distinct(Type.of(t, 3, 5), 0.71, 0.23, 11);
                RefArray b = Sample.distinct(Type.of(t, 3, 5), 0.62, 0.19, 12);
                samples.add(new Sample(this, List.of(a, b), derivatives != null));
            }
        }
        return samples;
    }

    @Override
    public String toString() {
        return name;
    }
}
