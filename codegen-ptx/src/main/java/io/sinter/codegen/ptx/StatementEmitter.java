// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes statements. Outside of shared loops all threads of a team do the same, and the first one stores; accumulators of shared loops are parts in
 * each thread's registers until the statement in which the loop stands has ended.
 */
final class StatementEmitter {
    /** Steps of a loop that adds up whose loads are under way at a time. */
    private static final int ABREAST = 4;

    /** The same of a loop that does little else than to load. */
    private static final int MANY_ABREAST = 6;

    /** The same of a loop that does nothing else. */
    private static final int MOST_ABREAST = 12;

    /** The same of a loop that does much. */
    private static final int FEW_ABREAST = 2;

    /** Operations of {@link #ABREAST} steps up to which there are registers for them. */
    private static final int MAX_ABREAST_COST = 360;

    /** The same of {@link #FEW_ABREAST}: it is only what is loaded that waits. */
    private static final int MAX_FEW_COST = 720;

    /** Operations of {@link #MANY_ABREAST} steps up to which a loop does little. */
    private static final int LITTLE = 135;

    /** Operations of {@link #MOST_ABREAST} steps up to which a loop only loads. */
    private static final int LEAST = 192;

    private final BodyEmitter c;
    private final Team team;
    private final Hazards hazards;
    private final boolean alone;
    private final boolean roomy;
    private final boolean ample;
    private final int file;
    private final Map<Stmt, Integer> lines;
    private final Map<Local, List<Reg>> partial = new HashMap<>();
    private HeldRows rows;

    /**
     * @param alone whether a task is one thread's always
     * @param roomy whether what loops do not change leaves registers for many loads
     * @param ample whether a thread may have as many registers as there are
     * @param lines lines of statements (by identity) in the kernel's listing
     */
    StatementEmitter(
            BodyEmitter c,
            Team team,
            Hazards hazards,
            boolean alone,
            boolean roomy,
            boolean ample,
            int file,
            Map<Stmt, Integer> lines) {
        this.c = c;
        this.team = team;
        this.hazards = hazards;
        this.alone = alone;
        this.roomy = roomy;
        this.ample = ample;
        this.file = file;
        this.lines = lines;
    }

    /** Shared loops are passes over rows that are in registers. */
    void hold(HeldRows passes) {
        rows = passes;
    }

    void run(List<Stmt> body) {
        for (Stmt s : body) {
            if (c.step() != null) {
                run(s);
                continue;
            }
            if (hazards.before(s)) team.sync();
            Map<Local, Stmt.Combine> shared = sharedAccumulators(s);
            begin(shared, s);
            run(s);
            if (!shared.isEmpty()) end(shared);
        }
    }

    private void run(Stmt s) {
        Integer line = lines.get(s);
        if (line != null) c.out.location(file, line, 0);
        switch (s) {
            case Stmt.Let l -> c.let(l.local(), l.value());
            case Stmt.Declare d -> {
                Value init = c.value(d.init());
                int n = c.step() == null ? 1 : c.step().width();
                c.bind(d.local(), c.scalars.copy(Value.of(init.dtype(), n, init::lane)));
            }
            case Stmt.Accumulate a -> accumulate(a);
            case Stmt.Set a -> {
                Value v = c.value(a.value());
                Value target = c.binding(a.local());
                for (int i = 0; i < target.width(); i++) c.scalars.assign(v.dtype(), (Reg) target.lane(i), v.lane(i));
                c.scope().changed(a.local());
            }
            case Stmt.Store st when rows != null && rows.keeps(st) -> rows.keep(st);
            case Stmt.Store st -> {
                c.memory.store(st, c.step() == null && !alone ? Value.of(DType.BOOL, team.first()) : null);
                c.scope().changed(st.buffer());
            }
            case Stmt.If i -> {
                Reg p = c.scalars.register(DType.BOOL, c.value(i.cond()).lane(0));
                c.memory.when(p, () -> run(i.body()));
            }
            case Stmt.Loop l -> {
                forgetChanges(l.body());
                if (l.kind() != Stmt.Loop.Kind.VECTOR) sequential(l);
                else if (rows != null) rows.pass(l);
                else new SharedLoop(c, team, this).emit(l);
                forgetChanges(l.body());
            }
        }
    }

    private void accumulate(Stmt.Accumulate a) {
        Value v = c.value(a.value());
        List<Reg> parts = c.step() == null ? null : partial.get(a.local());
        Value target = c.binding(a.local());
        int n = parts != null ? c.step().width() : target.width();
        List<Operand> sums = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Operand old = parts != null ? parts.get(i) : target.lane(i);
            sums.add(c.scalars.combine(a.op(), v.dtype(), old, v.lane(i)));
        }
        for (int i = 0; i < n; i++) {
            Reg d = parts != null ? parts.get(i) : (Reg) target.lane(i);
            c.scalars.assign(v.dtype(), d, sums.get(i));
        }
        c.scope().changed(a.local());
    }

    // ---- accumulators of shared loops

    /** The accumulators of this list of statements into which shared loops inside {@code s} accumulate. */
    private Map<Local, Stmt.Combine> sharedAccumulators(Stmt s) {
        Map<Local, Stmt.Combine> found = new LinkedHashMap<>();
        Facts.walk(List.of(s), x -> {
            if (x instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR) found.putAll(accumulators(l));
        });
        found.keySet().removeIf(l -> !c.isBound(l) || c.depth(l) != c.scope().depth());
        return found;
    }

    /** What a shared loop accumulates into outside of itself. */
    static Map<Local, Stmt.Combine> accumulators(Stmt.Loop l) {
        Map<Local, Stmt.Combine> into = new LinkedHashMap<>();
        Set<Local> own = new HashSet<>();
        Facts.walk(l.body(), s -> {
            if (s instanceof Stmt.Declare d) own.add(d.local());
            if (s instanceof Stmt.Accumulate a
                    && into.putIfAbsent(a.local(), a.op()) instanceof Stmt.Combine other
                    && other != a.op()) {
                throw new IllegalStateException(a.local() + " is accumulated in two ways");
            }
        });
        into.keySet().removeAll(own);
        return into;
    }

    private void begin(Map<Local, Stmt.Combine> shared, Stmt s) {
        int most = 1;
        for (Stmt.Loop l : SharedLoop.in(List.of(s)))
            most = Math.max(most, SharedLoop.width(l, SharedLoop.wide(l, c.facts), c.anyOrder));
        int width = most;
        shared.forEach((l, op) -> {
            List<Reg> parts = new ArrayList<>();
            for (int i = 0; i < width; i++)
                parts.add((Reg) c.scalars
                        .copy(Value.of(l.dtype(), c.scalars.identity(op, l.dtype())))
                        .lane(0));
            partial.put(l, parts);
        });
    }

    private void end(Map<Local, Stmt.Combine> shared) {
        List<Team.Part> parts = new ArrayList<>();
        shared.forEach((l, op) -> {
            List<Operand> all = new ArrayList<>(partial.remove(l));
            while (all.size() > 1) {
                List<Operand> half = new ArrayList<>();
                for (int i = 0; i < all.size(); i += 2)
                    half.add(c.scalars.combine(op, l.dtype(), all.get(i), all.get(i + 1)));
                all = half;
            }
            parts.add(new Team.Part(l.dtype(), op, (Reg) all.getFirst()));
        });
        team.reduce(parts);
        int i = 0;
        for (Map.Entry<Local, Stmt.Combine> e : shared.entrySet()) {
            Local l = e.getKey();
            Reg acc = (Reg) c.binding(l).lane(0);
            Reg sum = parts.get(i++).register();
            c.scalars.assign(l.dtype(), acc, c.scalars.combine(e.getValue(), l.dtype(), acc, sum));
            c.scope().changed(l);
        }
    }

    // ---- loops

    private void sequential(Stmt.Loop l) {
        Operand n = extent(l);
        List<Expr.Load> early = early(l);
        if (!early.isEmpty()) {
            StepLoops steps = new StepLoops(c, this);
            Reg i = steps.counter(c.out.constant(0));
            int cost = width() * SharedLoop.cost(l);
            int many = ABREAST * cost > MAX_ABREAST_COST
                    ? FEW_ABREAST
                    : MOST_ABREAST * cost <= LEAST
                            ? MOST_ABREAST
                            : MANY_ABREAST * cost <= LITTLE ? MANY_ABREAST : ABREAST;
            steps.abreast(l, c.step(), roomy ? many : Math.min(many, ABREAST), early, i, n, c.out.constant(1));
            steps.single(l, c.step(), List.of(), i, n, c.out.constant(1));
            return;
        }
        c.loop(c.out.constant(0), n, c.out.constant(1), i -> {
            c.bind(l.var(), Value.of(DType.I64, i));
            run(l.body());
            if (hazards.afterEachStep(l)) team.sync();
        });
        c.unbind(l.var());
    }

    /** Loads of a loop that adds up, and may store: one step's need not wait for another's sums. None if that takes too many registers. */
    private List<Expr.Load> early(Stmt.Loop l) {
        boolean adds = StepLoops.isPlain(l)
                && (l.body().stream().anyMatch(Stmt.Accumulate.class::isInstance)
                        || l.body().stream().noneMatch(Stmt.Store.class::isInstance));
        int cost = width() * SharedLoop.cost(l);
        boolean fits = ABREAST * cost <= MAX_ABREAST_COST || ample && FEW_ABREAST * cost <= MAX_FEW_COST;
        if (!adds || hazards.afterEachStep(l) || !fits) return List.of();
        return StepLoops.early(l, x -> c.facts.of(x).free().contains(l.var()));
    }

    /** Elements that are taken side by side here. */
    private int width() {
        return c.step() == null ? 1 : c.step().width();
    }

    /** The number of iterations of a loop. */
    Operand extent(Stmt.Loop l) {
        Operand extent = c.indices.coef(l.var().extent());
        if (l.limit() == null) return extent;
        return c.out.min(PtxType.S64, extent, c.indices.value(l.limit()).lane(0));
    }

    /** Values that a loop's body changes are not known in it, as its first line may run after its last, nor after it. */
    private void forgetChanges(List<Stmt> body) {
        Facts.walk(body, s -> {
            switch (s) {
                case Stmt.Accumulate a -> c.scope().changed(a.local());
                case Stmt.Set a -> c.scope().changed(a.local());
                case Stmt.Store st -> c.scope().changed(st.buffer());
                case Stmt.Loop _, Stmt.Let _, Stmt.Declare _, Stmt.If _ -> {}
            }
        });
    }

    /** Each statement's line in a listing, where statements stand last, one to a line, outer before inner. */
    static Map<Stmt, Integer> number(List<Stmt> body, String listing) {
        List<Stmt> all = new ArrayList<>();
        Facts.walk(body, all::add);
        long before = listing.lines().count() - all.size();
        Map<Stmt, Integer> lines = new IdentityHashMap<>();
        for (int i = 0; i < all.size(); i++) lines.put(all.get(i), (int) before + 1 + i);
        return lines;
    }
}
