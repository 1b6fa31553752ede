// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * A kernel that combines the elements of lines one after the other and stores each running value, taken apart. What is combined associates (but for
 * rounding), so other orders than the loop's are the same scan.
 *
 * @param lines variables that number the lines
 * @param limit lines whose last variable is not below it do not exist; null if all do
 * @param running the running value
 * @param narrow the type that running values wrap to; null for their own
 * @param along the loop over a line's elements
 * @param value what the element at {@code along}'s variable is
 * @param store of the running value
 */
record ScanLoop(
        List<Var> lines,
        Index limit,
        Local running,
        Combine op,
        DType narrow,
        Stmt.Loop along,
        Expr value,
        Stmt.Store store) {
    ScanLoop {
        lines = List.copyOf(lines);
    }

    /** The scan that is all that a kernel does; null if it does anything else. */
    static ScanLoop in(LoopKernel kernel) {
        return in(kernel, kernel.body());
    }

    /** The same for a kernel's body in another form. */
    static ScanLoop in(LoopKernel kernel, List<Stmt> body) {
        if (kernel.scratchBytes() > 0) return null;
        List<Var> lines = new ArrayList<>(kernel.grid());
        Index limit = null;
        List<Stmt> line = body;
        if (body.size() == 1 && body.getFirst() instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR) {
            lines.add(l.var());
            limit = l.limit();
            line = l.body();
        }
        if (line.size() != 2
                || !(line.getFirst() instanceof Stmt.Declare(Local running, Expr start))
                || !(line.getLast() instanceof Stmt.Loop along)
                || along.kind() != Stmt.Loop.Kind.SEQ
                || along.limit() != null
                || along.body().size() != 2
                || !(along.body().getFirst() instanceof Stmt.Set set)
                || set.local() != running
                || !(along.body().getLast() instanceof Stmt.Store store)) return null;
        DType narrow = set.value() instanceof Expr.Narrow n ? n.to() : null;
        Expr next = set.value() instanceof Expr.Narrow n ? n.a() : set.value();
        if (!(next instanceof Expr.Bin b) || !(b.a() instanceof Expr.Ref r) || r.local() != running) return null;
        Combine op =
                switch (b.op()) {
                    case ADD -> Combine.SUM;
                    case MUL -> Combine.PROD;
                    case MAX -> Combine.MAX;
                    case MIN -> Combine.MIN;
                    default -> null;
                };
        if (op == null || !start.equals(identity(op, running.dtype()))) return null;
        // The greater and the lesser of two are what one of them is; what begins a line of narrow ones is neither.
        if (op == Combine.MAX || op == Combine.MIN) narrow = null;
        Facts facts = new Facts();
        facts.add(body);
        if (facts.of(b.b()).free().contains(running)) return null;
        return new ScanLoop(lines, limit, running, op, narrow, along, b.b(), store);
    }

    /** What a line begins with; null for types that are not scanned. */
    private static Expr.Const identity(Combine op, DType t) {
        boolean greatest = op == Combine.MIN;
        return switch (t) {
            case F64, F32 ->
                Expr.Const.of(
                        t,
                        switch (op) {
                            case SUM -> 0;
                            case PROD -> 1;
                            case MAX, MIN -> greatest ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
                        });
            case I64, I32 -> {
                long most = t == DType.I64 ? Long.MAX_VALUE : Integer.MAX_VALUE;
                yield Expr.Const.ofLong(
                        t,
                        switch (op) {
                            case SUM -> 0;
                            case PROD -> 1;
                            case MAX, MIN -> greatest ? most : ~most;
                        });
            }
            case F16, BF16, I16, I8, U8, BOOL -> null;
        };
    }
}
