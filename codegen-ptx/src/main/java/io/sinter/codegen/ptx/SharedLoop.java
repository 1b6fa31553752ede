// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Access;
import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A loop that the threads of a team share. Where the arrays allow it, each thread takes several neighbouring elements at a time, with loads and
 * stores of 16 bytes; what is left over, or all of it where the arrays are not aligned, goes element by element. Whether they are
 * depends on addresses and strides, never on a task: every row is added up in one order.
 */
final class SharedLoop {
    /** Most elements that a thread takes side by side. */
    static final int MAX_WIDTH = 4;

    /** Operations in a loop's body above which a thread takes one element at a time: more would not fit its registers. */
    private static final int MAX_WIDE_COST = 120;

    /** Steps of a thread whose loads are under way at a time: memory takes longer than what hides one load's latency. */
    private static final int ABREAST = 2;

    /** The same where a body does little else than to load; and where rows are not aligned, and a step is one element. */
    private static final int MANY_ABREAST = 4;

    /** Operations of all elements of a step up to which a body does little, and up to which there are registers for two. */
    private static final int LITTLE = 36;

    private static final int MAX_ABREAST_COST = 256;

    /** Operations of all steps, where each is one element. */
    private static final int MAX_NARROW_COST = 450;

    private final BodyEmitter c;
    private final Team team;
    private final StatementEmitter statements;
    private final StepLoops steps;

    SharedLoop(BodyEmitter c, Team team, StatementEmitter statements) {
        this.c = c;
        this.team = team;
        this.statements = statements;
        steps = new StepLoops(c, statements);
    }

    void emit(Stmt.Loop l) {
        Uniform uniform = new Uniform(c);
        uniform.before(l);
        List<Expr> once = uniform.ofEveryStep(l);
        if (once.isEmpty()) {
            steps(l);
            return;
        }
        Operand n = statements.extent(l);
        c.nested(true, () -> {
            String exit = c.out.newLabel();
            c.out.branchIf(c.out.setp(Relation.LE, PtxType.S64, n, c.out.constant(0)), exit);
            once.forEach(c::value);
            steps(l);
            c.out.label(exit);
        });
    }

    private void steps(Stmt.Loop l) {
        Set<Access> wide = wide(l, c.facts);
        int width = width(l, wide, c.anyOrder);
        Operand n = statements.extent(l);
        if (width == 1) {
            Reg i = steps.counter(team.lane());
            steps.single(l, new Step(l.var(), 1, Set.of()), List.of(), i, n, team.threads());
            return;
        }
        // Only a limit may be less than 0.
        Operand count = l.limit() == null ? n : c.out.max(PtxType.S64, n, c.out.constant(0));
        Operand whole = c.out.and(PtxType.B64, count, c.out.constant(-width));
        Operand wideEnd = c.out.selp(PtxType.B64, whole, c.out.constant(0), aligned(c, l, wide, l.var(), width));
        List<Expr.Load> early = StepLoops.early(l, x -> wide.contains(new Access(x.buffer(), x.index())));
        boolean several = StepLoops.isPlain(l) && !early.isEmpty();
        Step step = new Step(l.var(), width, wide);
        Operand by = c.scalars.mulLong(team.threads(), c.out.constant(width));
        Reg i = steps.counter(c.scalars.mulLong(team.lane(), c.out.constant(width)));
        int work = width * cost(l);
        if (several && work <= MAX_ABREAST_COST)
            steps.abreast(l, step, work <= LITTLE ? MANY_ABREAST : ABREAST, early, i, wideEnd, by);
        steps.single(l, step, early, i, wideEnd, by);
        Step narrow = new Step(l.var(), 1, Set.of());
        Reg k = steps.counter(c.scalars.addLong(wideEnd, team.lane()));
        // Rows whose length is no multiple of 4 go so all along; what is left of others, and of what is no rows, is
        // short.
        boolean ofRows = wide.stream().anyMatch(a -> a.index().terms().size() > 1);
        if (several && ofRows && MANY_ABREAST * cost(l) <= MAX_NARROW_COST)
            steps.abreast(l, narrow, MANY_ABREAST, early, k, count, team.threads());
        steps.single(l, narrow, List.of(), k, count, team.threads());
    }

    /**
     * Whether every wide access is aligned in every task and step.
     *
     * @param what whose accesses they are
     */
    static Operand aligned(BodyEmitter c, Object what, Set<Access> wide, Var v, int width) {
        return c.once(what, "aligned", Facts.Fact.NONE, () -> {
                    Operand bits = null;
                    for (Access a : wide) {
                        int bytes = MemoryEmitter.alignment(a.buffer(), width);
                        Operand at = c.indices.alignment(a.buffer(), a.index(), v);
                        Operand low = c.out.and(PtxType.B64, at, c.out.constant(bytes - 1));
                        bits = bits == null ? low : c.out.or(PtxType.B64, bits, low);
                    }
                    return Value.of(DType.BOOL, c.out.setp(Relation.EQ, PtxType.S64, bits, c.out.constant(0)));
                })
                .lane(0);
    }

    /**
     * Elements that a thread takes side by side: those of 16 bytes, 4 at most.
     *
     * @param anyOrder whether updates are atomic
     */
    static int width(Stmt.Loop l, Set<Access> wide, boolean anyOrder) {
        if (wide.isEmpty()) return 1;
        int bytes = 1;
        for (Access a : wide) bytes = Math.max(bytes, a.buffer().dtype().bytes());
        // Atomic instructions take 4 bytes, or one element; a warp's are to be neighbours.
        return anyOrder ? Math.min(width(l, bytes), Math.max(1, 4 / bytes)) : width(l, bytes);
    }

    /** The same for elements of so many bytes, whether or not one instruction may take several. */
    static int width(Stmt.Loop l, int bytes) {
        if (cost(l) > MAX_WIDE_COST || limitsVary(l) || checksUnderMask(l)) return 1;
        return Math.min(MAX_WIDTH, 16 / bytes);
    }

    /** A loop inside that runs differently often in neighbouring elements, or a branch. */
    private static boolean limitsVary(Stmt.Loop l) {
        boolean[] found = new boolean[1];
        Facts facts = new Facts();
        facts.add(l.body());
        Facts.walk(l.body(), s -> {
            if (s instanceof Stmt.Loop x && x.limit() != null)
                found[0] |= facts.of(x.limit()).free().stream().anyMatch(o -> o == l.var() || o instanceof Local);
        });
        return found[0];
    }

    /** An index that is checked only where a mask is true: side by side, one element's branch would check its neighbours' too. */
    private static boolean checksUnderMask(Stmt.Loop l) {
        boolean[] found = new boolean[1];
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Facts.walk(l.body(), s -> {
            if (s instanceof Stmt.Store st && st.mask() != null) found[0] |= Facts.hasData(st.index());
            Facts.roots(s).forEach(e -> found[0] |= checksUnderMask(e, seen));
        });
        return found[0];
    }

    private static boolean checksUnderMask(Expr e, Set<Expr> seen) {
        if (!seen.add(e)) return false;
        if (e instanceof Expr.Load x && x.mask() != null && Facts.hasData(x.index())) return true;
        for (Expr child : Facts.children(e)) if (checksUnderMask(child, seen)) return true;
        return false;
    }

    /** Operations of a loop's body, those on 64 bits twice. */
    static int cost(Stmt.Loop l) {
        int[] sum = new int[1];
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Facts.walk(l.body(), s -> Facts.roots(s).forEach(e -> cost(e, seen, sum)));
        return sum[0];
    }

    private static void cost(Expr e, Set<Expr> seen, int[] sum) {
        if (!seen.add(e)) return;
        // A load also holds an address.
        int one = Facts.isExpensive(e) ? 16 : e instanceof Expr.Load ? 4 : 1;
        sum[0] += one * (e.dtype().bytes() == 8 ? 2 : 1);
        Facts.children(e).forEach(x -> cost(x, seen, sum));
    }

    /**
     * The accesses without mask to elements that are neighbours where the loop's variable is: their other terms are the same for all
     * elements.
     */
    static Set<Access> wide(Stmt.Loop l, Facts facts) {
        Set<Object> varying = new HashSet<>(Set.of(l.var()));
        Facts.walk(l.body(), s -> {
            // Locals of the body may differ between elements; loop variables in it do not.
            if (s instanceof Stmt.Let x) varying.add(x.local());
            if (s instanceof Stmt.Declare x) varying.add(x.local());
        });
        Set<Access> found = new LinkedHashSet<>();
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Facts.walk(l.body(), s -> {
            if (s instanceof Stmt.Store st && st.mask() == null && isUnit(st.index(), l.var(), varying, facts))
                found.add(new Access(st.buffer(), st.index()));
            Facts.roots(s).forEach(e -> loads(e, l.var(), varying, facts, seen, found));
        });
        return found;
    }

    private static void loads(Expr e, Var v, Set<Object> varying, Facts facts, Set<Expr> seen, Set<Access> found) {
        if (!seen.add(e)) return;
        if (e instanceof Expr.Load x && x.mask() == null && isUnit(x.index(), v, varying, facts))
            found.add(new Access(x.buffer(), x.index()));
        for (Expr child : Facts.children(e)) loads(child, v, varying, facts, seen, found);
    }

    private static boolean isUnit(Index i, Var v, Set<Object> varying, Facts facts) {
        boolean unit = false;
        for (Index.Term t : i.terms()) {
            if (t.atom() instanceof Index.VarAtom a && a.var() == v) {
                if (!t.coef().is(1)) return false;
                unit = true;
            } else if (!Collections.disjoint(facts.of(t.atom()).free(), varying)) {
                return false;
            }
        }
        return unit;
    }

    /** The shared loops among statements. */
    static List<Stmt.Loop> in(List<Stmt> body) {
        List<Stmt.Loop> found = new java.util.ArrayList<>();
        Facts.walk(body, s -> {
            if (s instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR) found.add(l);
        });
        return found;
    }
}
