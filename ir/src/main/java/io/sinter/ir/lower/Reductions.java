// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Reduce;
import java.util.List;
import java.util.function.Supplier;

/** Accumulator code of the reductions. An argmax takes two passes: the extreme, then the first position that has it. */
final class Reductions {
    /** Statements for one pass; {@code result} is the finished value, or null if another pass follows. */
    record Step(List<Stmt> declare, List<Stmt> body, Expr result) {}

    private Reductions() {}

    /** What a reduction computes, of rows or of blocks of them; null if {@code op} is none. */
    static Reduce.Kind kind(Op op) {
        return op instanceof Reduce r ? r.kind() : op instanceof BlockReduce b ? b.kind() : null;
    }

    /** Passes that a reduction takes. */
    static int passes(Op op) {
        return kind(op).isArg() ? 2 : 1;
    }

    /** @param position along the axis, for an argmax */
    static Step step(Node n, Expr x, int pass, Supplier<Index> position, String name, Params params) {
        DType in = n.input(0).dtype();
        return switch (kind(n.op())) {
            case SUM -> simple(Combine.SUM, in, x, name);
            case PROD -> simple(Combine.PROD, in, x, name);
            case MAX -> simple(Combine.MAX, in, x, name);
            case MIN -> simple(Combine.MIN, in, x, name);
            case ARGMAX -> arg(n, Combine.MAX, in, x, pass, position, name, params);
            case ARGMIN -> arg(n, Combine.MIN, in, x, pass, position, name, params);
        };
    }

    private static Step simple(Combine op, DType in, Expr x, String name) {
        DType t = in == DType.BOOL ? DType.I32 : in.compute();
        Local acc = new Local(name, t);
        Expr value = in == DType.BOOL ? new Expr.Convert(DType.I32, x) : x;
        Expr result = new Expr.Ref(acc);
        if (in == DType.BOOL) result = new Expr.Convert(DType.BOOL, result);
        else if (in.isInt() && in != t) result = new Expr.Narrow(in, result);
        return new Step(
                List.of(new Stmt.Declare(acc, identity(op, t))), List.of(new Stmt.Accumulate(acc, op, value)), result);
    }

    private static Step arg(
            Node n, Combine op, DType in, Expr x, int pass, Supplier<Index> position, String name, Params params) {
        if (pass == 0) {
            Step s = simple(op, in, x, name);
            params.remember(n, s.result());
            return new Step(s.declare(), s.body(), null);
        }
        Expr extreme = params.recall(n);
        Expr hit = in == DType.BOOL || in.isInt()
                ? new Expr.Bin(Prim2.EQ, x, extreme)
                // NaN is the extreme where there is one, and equals nothing.
                : new Expr.Bin(Prim2.OR, new Expr.Bin(Prim2.EQ, x, extreme), new Expr.Un(Prim1.ISNAN, x));
        Local acc = new Local(name, DType.I64);
        Expr far = Expr.Const.ofLong(DType.I64, Long.MAX_VALUE);
        Expr i = new Expr.Select(hit, new Expr.IndexValue(DType.I64, position.get()), far);
        return new Step(
                List.of(new Stmt.Declare(acc, far)),
                List.of(new Stmt.Accumulate(acc, Combine.MIN, i)),
                new Expr.Ref(acc));
    }

    /** What an empty reduction gives: the start of an accumulator. */
    static Expr identity(Combine op, DType t) {
        return switch (op) {
            case SUM -> Expr.Const.of(t, 0);
            case PROD -> Expr.Const.of(t, 1);
            case MAX ->
                switch (t) {
                    case I64 -> Expr.Const.ofLong(t, Long.MIN_VALUE);
                    case I32 -> Expr.Const.ofLong(t, Integer.MIN_VALUE);
                    default -> Expr.Const.of(t, Double.NEGATIVE_INFINITY);
                };
            case MIN ->
                switch (t) {
                    case I64 -> Expr.Const.ofLong(t, Long.MAX_VALUE);
                    case I32 -> Expr.Const.ofLong(t, Integer.MAX_VALUE);
                    default -> Expr.Const.of(t, Double.POSITIVE_INFINITY);
                };
        };
    }
}
