// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Writes loops over a counter: step by step, or several steps at a time whose loads are all under way before anything waits for one. */
final class StepLoops {
    private final BodyEmitter c;
    private final StatementEmitter statements;

    StepLoops(BodyEmitter c, StatementEmitter statements) {
        this.c = c;
        this.statements = statements;
    }

    /** A register that counts from a number on. */
    Reg counter(Operand from) {
        return (Reg) c.scalars.copy(Value.of(DType.I64, from)).lane(0);
    }

    /**
     * Takes steps one by one.
     *
     * @param step what the body is written for; null outside of shared loops
     * @param early loads that come first
     * @param i counts
     */
    void single(Stmt.Loop l, Step step, List<Expr.Load> early, Reg i, Operand end, Operand by) {
        c.nestedStep(step, true, () -> {
            String head = c.out.newLabel();
            String exit = c.out.newLabel();
            c.out.label(head);
            c.out.branchIf(c.out.setp(Relation.GE, PtxType.S64, i, end), exit);
            c.bind(l.var(), Value.of(DType.I64, i));
            early.forEach(c::value);
            statements.run(l.body());
            c.scalars.assign(DType.I64, i, c.out.add(PtxType.S64, i, by));
            c.out.branch(head);
            c.out.label(exit);
        });
        c.unbind(l.var());
    }

    /** Takes several steps at a time, as long as there are so many; parameters as of {@link #single}. */
    void abreast(Stmt.Loop l, Step step, int steps, List<Expr.Load> early, Reg i, Operand end, Operand by) {
        c.nested(true, () -> {
            String head = c.out.newLabel();
            String exit = c.out.newLabel();
            c.out.label(head);
            List<Reg> at = new ArrayList<>(List.of(i));
            while (at.size() < steps) at.add(c.out.add(PtxType.S64, at.getLast(), by));
            c.out.branchIf(c.out.setp(Relation.GE, PtxType.S64, at.getLast(), end), exit);
            c.abreast(
                    step,
                    steps,
                    k -> {
                        c.bind(l.var(), Value.of(DType.I64, at.get(k)));
                        early.forEach(c::value);
                    },
                    _ -> statements.run(l.body()));
            c.scalars.assign(DType.I64, i, c.out.add(PtxType.S64, at.getLast(), by));
            c.out.branch(head);
            c.out.label(exit);
        });
        c.unbind(l.var());
    }

    /** Whether a body is no more than values, stores and sums. */
    static boolean isPlain(Stmt.Loop l) {
        return l.body().stream().noneMatch(s -> s instanceof Stmt.Loop || s instanceof Stmt.If);
    }

    /** Loads without a mask, at places that are known before, that may come before everything else in a body, as it does not write what they read. */
    static List<Expr.Load> early(Stmt.Loop l, Predicate<Expr.Load> which) {
        Set<Buf> written = new HashSet<>();
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Expr.Load> found = new ArrayList<>();
        Facts.walk(l.body(), s -> {
            if (s instanceof Stmt.Store st) written.add(st.buffer());
        });
        for (Stmt s : l.body())
            if (!(s instanceof Stmt.Loop) && !(s instanceof Stmt.If))
                Facts.roots(s).forEach(e -> early(e, x -> !written.contains(x.buffer()) && which.test(x), seen, found));
        return found;
    }

    private static void early(Expr e, Predicate<Expr.Load> which, Set<Expr> seen, List<Expr.Load> found) {
        if (!seen.add(e)) return;
        if (e instanceof Expr.Load x && x.mask() == null && !Facts.hasData(x.index()) && which.test(x)) found.add(x);
        for (Expr child : Facts.children(e)) early(child, which, seen, found);
    }
}
