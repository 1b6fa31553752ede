// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Access;
import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder.Section;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Scope;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Writes passes over rows that stay in registers ({@link RowSchedule}). Each step of a thread is a scope that lasts from pass to pass, so that what one has
 * loaded or computed is at hand in the next.
 */
final class HeldRows {
    /** Accesses of 16 bytes, of what no other pass reads, that are under way at a time. */
    private static final int ABREAST = 4;

    private final BodyEmitter c;
    private final StatementEmitter statements;
    private final RowPasses passes;
    private final RowSchedule form;
    private final Set<Access> wide;
    /** A thread's first element. */
    private final Var first = new Var("first", Coef.of(0));

    /** Whether the last step has elements; null if every one has. */
    private final Reg last;

    private final List<Scope<Value, Section>> steps = new ArrayList<>();
    private final Map<Scope<Value, Section>, Value> positions = new HashMap<>();
    /** How much of the body has been written when a pass was last. */
    private int written;

    /** To be made where code of all tasks goes. */
    HeldRows(BodyEmitter c, Team team, StatementEmitter statements, RowPasses passes, RowSchedule form) {
        this.c = c;
        this.statements = statements;
        this.passes = passes;
        this.form = form;
        wide = new HashSet<>(passes.wide());
        Operand lane = c.scalars.mulLong(team.lane(), c.out.constant(passes.width()));
        c.bind(first, Value.of(DType.I64, lane));
        if (form.whole()) {
            last = null;
            return;
        }
        Operand n = c.indices.coef(passes.variable().extent());
        last = c.out.setp(Relation.LT, PtxType.S64, position(lane, form.steps() - 1), n);
    }

    private long ahead(int step) {
        return (long) step * passes.width() * form.threads();
    }

    private Reg position(Operand lane, int step) {
        return (Reg) c.scalars
                .copy(Value.of(DType.I64, c.scalars.addLong(lane, c.out.constant(ahead(step)))))
                .lane(0);
    }

    /** Writes a pass: loads that are held are all under way before anything waits for one of them, others a few steps at a time. */
    void pass(Stmt.Loop l) {
        if (steps.isEmpty()) for (int k = 0; k < form.steps(); k++) steps.add(c.inner(last(k)));
        forgetChanges(l);
        new Uniform(c).before(l);
        List<Expr.Load> early = StepLoops.early(l, x -> wide.contains(new Access(x.buffer(), x.index())));
        List<Expr.Load> held = early.stream().filter(passes.loads()::contains).toList();
        List<Expr.Load> others =
                early.stream().filter(x -> !passes.loads().contains(x)).toList();
        int group = others.isEmpty() ? 1 : Math.max(1, ABREAST / others.size());
        c.afterGap(() -> {
            for (int k = 0; k < form.steps(); k++) step(k, l, () -> held.forEach(c::value));
            for (int from = 0; from < form.steps(); from += group) {
                int end = Math.min(form.steps(), from + group);
                if (group > 1) each(from, end, k -> step(k, l, () -> others.forEach(c::value)));
                each(from, end, k -> step(k, l, () -> statements.run(l.body())));
            }
        });
        c.unbind(l.var());
    }

    private static void each(int from, int end, IntConsumer code) {
        for (int k = from; k < end; k++) code.accept(k);
    }

    private boolean last(int step) {
        return last != null && step == form.steps() - 1;
    }

    private void step(int k, Stmt.Loop l, Runnable code) {
        Scope<Value, Section> scope = steps.get(k);
        Step step = new Step(l.var(), passes.width(), wide, first, ahead(k));
        c.resume(scope, step, () -> {
            String end = last(k) ? c.out.newLabel() : null;
            if (end != null) c.out.branchUnless(last, end);
            Operand lane = c.binding(first).lane(0);
            Value at = positions.computeIfAbsent(scope, _ -> Value.of(DType.I64, position(lane, k)));
            c.bind(l.var(), at);
            code.run();
            if (end != null) c.out.label(end);
        });
    }

    /** What steps know of what has changed since the last pass, and in it. */
    private void forgetChanges(Stmt.Loop l) {
        int now = passes.body().indexOf(l);
        List<Stmt> since = passes.body().subList(written, now);
        written = now;
        for (Scope<Value, Section> s : steps) {
            Facts.walk(since, x -> {
                switch (x) {
                    case Stmt.Accumulate a -> s.changed(a.local());
                    case Stmt.Set a -> s.changed(a.local());
                    case Stmt.Declare d -> s.changed(d.local());
                    case Stmt.Let _, Stmt.Store _, Stmt.If _, Stmt.Loop _ -> {}
                }
            });
        }
    }

    /** Whether a store is of what later passes read, and nobody else. */
    boolean keeps(Stmt.Store s) {
        return passes.kept().containsKey(s.buffer());
    }

    /** In place of such a store. */
    void keep(Stmt.Store s) {
        Value v = c.scalars.copy(c.value(s.value()));
        for (Expr.Load x : passes.kept().get(s.buffer())) c.known(x, v);
    }
}
