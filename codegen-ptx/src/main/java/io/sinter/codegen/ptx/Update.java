// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Memory.AtomicOp;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * A store that combines a value with the element that it stores to, in a way that one atomic instruction does: in whatever order several of them reach an
 * element, what comes out is the same but for rounding.
 *
 * @param value what the element is combined with
 */
record Update(Stmt.Store store, AtomicOp op, Expr value) {
    /** What a store does, if it is an update that the GPU has an instruction for; else null. */
    static Update of(Stmt.Store s) {
        if (s.mask() != null
                || !(s.value() instanceof Expr.Bin b)
                || !(b.a() instanceof Expr.Load l)
                || l.mask() != null
                || !l.buffer().equals(s.buffer())
                || !l.index().equals(s.index())) return null;
        DType t = s.buffer().dtype();
        boolean isWhole = t == DType.I32 || t == DType.I64;
        AtomicOp op =
                switch (b.op()) {
                    case ADD -> isWhole || t.isFloat() ? AtomicOp.ADD : null;
                    case MIN -> isWhole ? AtomicOp.MIN : null;
                    case MAX -> isWhole ? AtomicOp.MAX : null;
                    default -> null;
                };
        return op == null ? null : new Update(s, op, b.b());
    }

    /** The type of the instruction for one element. */
    PtxType type() {
        return switch (store.buffer().dtype()) {
            case F64 -> PtxType.F64;
            case F32 -> PtxType.F32;
            case F16 -> PtxType.F16;
            case BF16 -> PtxType.BF16;
            case I64 -> op == AtomicOp.ADD ? PtxType.U64 : PtxType.S64;
            case I32 -> op == AtomicOp.ADD ? PtxType.U32 : PtxType.S32;
            case I16, I8, U8, BOOL -> throw new IllegalArgumentException(store + " is no update");
        };
    }

    /** The type of the instruction for two neighbours; null if there is none. */
    PtxType pair() {
        return switch (store.buffer().dtype()) {
            case F16 -> PtxType.F16X2;
            case BF16 -> PtxType.BF16X2;
            default -> null;
        };
    }

    /** A kernel that updates elements one place after the other, taken apart. */
    private record Places(Var number, List<Stmt> body, Update update) {}

    private static Places places(LoopKernel kernel) {
        if (kernel.scratchBytes() > 0
                || kernel.body().size() != 1
                || !(kernel.body().getFirst() instanceof Stmt.Loop l)
                || l.kind() != Stmt.Loop.Kind.SEQ
                || l.limit() != null
                || l.body().size() != 1) return null;
        Stmt inside = l.body().getFirst();
        if (inside instanceof Stmt.Loop v
                && v.kind() == Stmt.Loop.Kind.VECTOR
                && v.body().size() == 1) inside = v.body().getFirst();
        Update u = inside instanceof Stmt.Store s && Facts.hasData(s.index()) ? of(s) : null;
        if (u == null) return null;
        Facts facts = new Facts();
        facts.add(List.of(u.store));
        return facts.of(u.value).reads().isEmpty() ? new Places(l.var(), l.body(), u) : null;
    }

    /** Whether a kernel is a scatter whose updates a target can do in any order. */
    static boolean canReorder(LoopKernel kernel, Target target) {
        Places p = places(kernel);
        return p != null && (p.update.store.buffer().dtype() != DType.BF16 || target.capability() >= 90);
    }

    /**
     * The kernel with a task for each place, none of which waits for another.
     *
     * @throws IllegalArgumentException if it is no scatter that can be reordered
     */
    static LoopKernel reordered(LoopKernel kernel) {
        Places p = places(kernel);
        if (p == null) throw new IllegalArgumentException(kernel.name() + " is no scatter of updates");
        List<Var> grid = new ArrayList<>(kernel.grid());
        grid.add(p.number);
        return new LoopKernel(kernel.name(), grid, kernel.buffers(), kernel.slots(), 0, p.body);
    }
}
