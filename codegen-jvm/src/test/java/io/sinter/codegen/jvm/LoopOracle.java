// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Evaluates loop-IR expressions one element at a time in double precision: what generated code is
 * compared with.
 */
final class LoopOracle {
    final Map<Var, Long> vars = new IdentityHashMap<>();
    final Map<Local, Double> locals = new IdentityHashMap<>();
    private final ParameterBlock block;

    LoopOracle(ParameterBlock block) {
        this.block = block;
    }

    long index(Index i) {
        long sum = block.number(i.offset());
        for (Index.Term t : i.terms()) {
            long atom =
                    switch (t.atom()) {
                        case Index.VarAtom v -> vars.get(v.var());
                        case Index.DivAtom d -> index(d.a()) / block.number(d.by());
                        case Index.ModAtom d -> index(d.a()) % block.number(d.by());
                        case Index.DataAtom d -> (long) value(d.value());
                    };
            sum += block.number(t.coef()) * atom;
        }
        return sum;
    }

    double value(Expr e) {
        return switch (e) {
            case Expr.Const c ->
                switch (c.dtype()) {
                    case F64 -> Double.longBitsToDouble(c.bits());
                    case F32 -> Float.intBitsToFloat((int) c.bits());
                    case I32 -> (int) c.bits();
                    case I64, BOOL -> c.bits();
                    case F16, BF16, I16, I8, U8 -> throw new AssertionError(c);
                };
            case Expr.Arg a -> value(new Expr.Const(a.dtype(), block.bits(a.slot())));
            case Expr.IndexValue v -> index(v.index());
            case Expr.Ref r -> locals.get(r.local());
            case Expr.Load l ->
                l.mask() == null || value(l.mask()) != 0
                        ? block.get(l.buffer(), index(l.index()))
                        : value(l.otherwise());
            case Expr.Un u -> unary(u);
            case Expr.Bin b -> binary(b);
            case Expr.Select s -> value(s.cond()) != 0 ? value(s.a()) : value(s.b());
            case Expr.Fma f -> value(f.a()) * value(f.b()) + value(f.c());
            case Expr.Convert c -> c.dtype().isInt() ? (long) value(c.a()) : value(c.a());
            case Expr.Narrow _, Expr.Bits _, Expr.Checked _ -> throw new UnsupportedOperationException(e.toString());
        };
    }

    private double unary(Expr.Un u) {
        double a = value(u.a());
        return switch (u.op()) {
            case NEG -> -a;
            case ABS -> Math.abs(a);
            case TANH -> Math.tanh(a);
            case EXP -> Math.exp(a);
            default -> throw new UnsupportedOperationException(u.toString());
        };
    }

    private double binary(Expr.Bin e) {
        double a = value(e.a());
        double b = value(e.b());
        return switch (e.op()) {
            case ADD -> a + b;
            case SUB -> a - b;
            case MUL -> a * b;
            case DIV -> a / b;
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
            case AND -> (long) a & (long) b;
            case OR -> (long) a | (long) b;
            case REM -> a % b;
            case EQ -> a == b ? 1 : 0;
            case NE -> a != b ? 1 : 0;
            case LT -> a < b ? 1 : 0;
            case LE -> a <= b ? 1 : 0;
            case GT -> a > b ? 1 : 0;
            case GE -> a >= b ? 1 : 0;
            default -> throw new UnsupportedOperationException(e.toString());
        };
    }
}
