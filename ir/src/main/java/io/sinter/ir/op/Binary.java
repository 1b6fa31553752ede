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
 * Functions of two elements, as a table: name, reference functions of floats and of integers,
 * scalar code, derivatives by both operands (c is the call: operands a and b, result y(), gradient
 * g). Operands have one dtype and one shape. Integers wrap; integer division by zero gives 0.
 * Derivatives follow PyTorch: at ties of maximum and minimum half goes to each side.
 */
public final class Binary implements Elementwise {
    private static final List<Binary> ALL = new ArrayList<>();

    public static final Binary ADD =
            number("add", (a, b) -> a + b, (a, b) -> a + b, Exprs::add).d(c -> c.g, c -> c.g);
    public static final Binary SUB =
            number("sub", (a, b) -> a - b, (a, b) -> a - b, Exprs::sub).d(c -> c.g, c -> c.g.neg());
    public static final Binary MUL =
            number("mul", (a, b) -> a * b, (a, b) -> a * b, Exprs::mul).d(c -> c.g.times(c.b), c -> c.g.times(c.a));

    /** Integers truncate toward zero. */
    public static final Binary DIV = number("div", (a, b) -> a / b, (a, b) -> b == 0 ? 0 : a / b, Exprs::div)
            .d(c -> c.g.over(c.b), c -> c.g.neg().times(c.y().over(c.b)));

    /** C's pow. An integer to a negative power is 0, but for bases 1 and -1. */
    public static final Binary POW = number("pow", BinaryRules::pow, BinaryRules::pow, prim(Prim2.POW))
            .d(BinaryRules::powByBase, BinaryRules::powByExponent);

    /** The remainder with the sign of the divisor: Python's %. */
    public static final Binary REMAINDER = number(
                    "remainder", BinaryRules::remainder, BinaryRules::floorMod, BinaryRules::remainder)
            .d(c -> c.g, c -> c.g.neg().times(c.a.apply(Binary.FLOORDIV, c.b)));

    /** The remainder with the sign of the dividend: C's fmod. */
    public static final Binary FMOD = number("fmod", (a, b) -> a % b, (a, b) -> b == 0 ? 0 : a % b, prim(Prim2.REM))
            .d(c -> c.g, c -> c.g.neg().times(c.a.over(c.b).apply(Unary.TRUNC)));

    /** The quotient rounded toward minus infinity: Python's //. */
    public static final Binary FLOORDIV = number(
                    "floordiv", BinaryRules::floorDiv, BinaryRules::floorDiv, BinaryRules::floorDiv)
            .d(c -> c.g.zeros(), c -> c.g.zeros());

    public static final Binary ATAN2 = new Row("atan2", Takes.FLOAT, Math::atan2, null, prim(Prim2.ATAN2))
            .d(c -> c.g.times(c.b.over(c.norm2())), c -> c.g.neg().times(c.a.over(c.norm2())));

    /** NaN if either is; of bool, or. */
    public static final Binary MAX = new Row("maximum", Takes.ALL, Math::max, Math::max, prim(Prim2.MAX))
            .d(c -> c.unless(Binary.LT, c.a, c.b), c -> c.unless(Binary.LT, c.b, c.a));

    /** NaN if either is; of bool, and. */
    public static final Binary MIN = new Row("minimum", Takes.ALL, Math::min, Math::min, prim(Prim2.MIN))
            .d(c -> c.unless(Binary.GT, c.a, c.b), c -> c.unless(Binary.GT, c.b, c.a));

    public static final Binary AND = bits("and", Takes.BITS, (a, b) -> a & b, Prim2.AND);
    public static final Binary OR = bits("or", Takes.BITS, (a, b) -> a | b, Prim2.OR);
    public static final Binary XOR = bits("xor", Takes.BITS, (a, b) -> a ^ b, Prim2.XOR);

    /** A count that is negative or at least the width gives 0. */
    public static final Binary SHL = bits("shl", Takes.INT, BinaryRules::shl, Prim2.SHL);

    /** Arithmetic (u8: logical). A count that is negative or at least the width leaves the sign. */
    public static final Binary SHR = bits("shr", Takes.INT, BinaryRules::shr, Prim2.SHR);

    public static final Binary EQ = test("eq", (a, b) -> a == b, (a, b) -> a == b, Prim2.EQ);
    public static final Binary NE = test("ne", (a, b) -> a != b, (a, b) -> a != b, Prim2.NE);
    public static final Binary LT = test("lt", (a, b) -> a < b, (a, b) -> a < b, Prim2.LT);
    public static final Binary LE = test("le", (a, b) -> a <= b, (a, b) -> a <= b, Prim2.LE);
    public static final Binary GT = test("gt", (a, b) -> a > b, (a, b) -> a > b, Prim2.GT);
    public static final Binary GE = test("ge", (a, b) -> a >= b, (a, b) -> a >= b, Prim2.GE);

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

    /** A line of the table up to its derivatives. */
    private record Row(
            String name,
            Takes takes,
            DoubleBinaryOperator reference,
            LongBinaryOperator integer,
            BinaryOperator<Expr> code) {
        /** Derivatives by the first and by the second operand. */
        Binary d(BinaryRules.Rule byA, BinaryRules.Rule byB) {
            return new Binary(this, new BinaryRules.Derivatives(byA, byB), false);
        }
    }

    /** A comparison of floats. */
    private interface DoubleTest {
        boolean holds(double a, double b);
    }

    /** A comparison of integers. */
    private interface LongTest {
        boolean holds(long a, long b);
    }

    private final Row row;
    private final BinaryRules.Derivatives derivatives;
    private final boolean comparison;

    private Binary(Row row, BinaryRules.Derivatives derivatives, boolean comparison) {
        this.row = row;
        this.derivatives = derivatives;
        this.comparison = comparison;
        ALL.add(this);
    }

    private static Row number(
            String name, DoubleBinaryOperator reference, LongBinaryOperator integer, BinaryOperator<Expr> code) {
        return new Row(name, Takes.NUMBER, reference, integer, code);
    }

    private static Binary bits(String name, Takes takes, LongBinaryOperator integer, Prim2 op) {
        return new Binary(new Row(name, takes, null, integer, prim(op)), null, false);
    }

    private static Binary test(String name, DoubleTest floats, LongTest integers, Prim2 op) {
        DoubleBinaryOperator reference = (a, b) -> floats.holds(a, b) ? 1 : 0;
        LongBinaryOperator integer = (a, b) -> integers.holds(a, b) ? 1 : 0;
        return new Binary(new Row(name, Takes.ALL, reference, integer, prim(op)), null, true);
    }

    private static BinaryOperator<Expr> prim(Prim2 op) {
        return (a, b) -> Expr.bin(op, a, b);
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
        return row.name;
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.sameDtype(this, in);
        Rule.sameShape(this, in);
        DType t = in.get(0).dtype();
        if (!row.takes.accepts(t)) {
            throw OpException.of(
                    row.name,
                    in,
                    switch (row.takes) {
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
            if (a.dtype().isFloat()) y.set(i, row.reference.applyAsDouble(a.getDouble(i), b.getDouble(i)));
            else y.set(i, row.integer.applyAsLong(a.getLong(i), b.getLong(i)));
        }
        return List.of(y);
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        return Exprs.wrap(out, row.code.apply(operands.get(0), operands.get(1)));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (DType t : DType.values()) {
            if (!row.takes.accepts(t)) continue;
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
        return row.name;
    }
}
