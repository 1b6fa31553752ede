// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Access;
import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
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

    /** Steps of a thread whose loads are under way at a time, where a body is cheap: memory takes longer than what hides one load's latency. */
    private static final int ABREAST = 2;

    /** Operations of all elements of a step up to which a body is cheap. */
    private static final int MAX_ABREAST_COST = 120;

    private final BodyEmitter c;
    private final Team team;
    private final StatementEmitter statements;

    SharedLoop(BodyEmitter c, Team team, StatementEmitter statements) {
        this.c = c;
        this.team = team;
        this.statements = statements;
    }

    void emit(Stmt.Loop l) {
        Set<Access> wide = wide(l, c.facts);
        int width = width(l, wide, c.anyOrder);
        Operand n = statements.extent(l);
        if (width == 1) {
            part(l, new Step(l.var(), 1, Set.of()), team.lane(), n, team.threads());
            return;
        }
        // Only a limit may be less than 0.
        Operand count = l.limit() == null ? n : c.out.max(PtxType.S64, n, c.out.constant(0));
        Operand whole = c.out.and(PtxType.B64, count, c.out.constant(-width));
        Operand wideEnd = c.out.selp(PtxType.B64, whole, c.out.constant(0), aligned(c, l, wide, l.var(), width));
        part(
                l,
                new Step(l.var(), width, wide),
                c.scalars.mulLong(team.lane(), c.out.constant(width)),
                wideEnd,
                c.scalars.mulLong(team.threads(), c.out.constant(width)));
        part(l, new Step(l.var(), 1, Set.of()), c.scalars.addLong(wideEnd, team.lane()), count, team.threads());
    }

    private void part(Stmt.Loop l, Step step, Operand from, Operand end, Operand by) {
        Reg i = (Reg) c.scalars.copy(Value.of(DType.I64, from)).lane(0);
        List<Expr.Load> early = step.width() > 1 ? early(l, step.wide()) : List.of();
        if (!early.isEmpty() && isPlain(l) && step.width() * cost(l) <= MAX_ABREAST_COST)
            abreast(l, step, early, i, end, by);
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

    /** Takes several steps at a time, as long as there are so many. */
    private void abreast(Stmt.Loop l, Step step, List<Expr.Load> early, Reg i, Operand end, Operand by) {
        c.nested(true, () -> {
            String head = c.out.newLabel();
            String exit = c.out.newLabel();
            c.out.label(head);
            List<Reg> at = new ArrayList<>(List.of(i));
            while (at.size() < ABREAST) at.add(c.out.add(PtxType.S64, at.getLast(), by));
            c.out.branchIf(c.out.setp(Relation.GE, PtxType.S64, at.getLast(), end), exit);
            c.abreast(
                    step,
                    ABREAST,
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
    private static boolean isPlain(Stmt.Loop l) {
        return l.body().stream().noneMatch(s -> s instanceof Stmt.Loop || s instanceof Stmt.If);
    }

    /** The wide loads that may come before everything else in a body, as it does not write what they read. */
    private static List<Expr.Load> early(Stmt.Loop l, Set<Access> wide) {
        Set<Buf> written = new HashSet<>();
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Expr.Load> found = new ArrayList<>();
        Facts.walk(l.body(), s -> {
            if (s instanceof Stmt.Store st) written.add(st.buffer());
        });
        for (Stmt s : l.body())
            if (!(s instanceof Stmt.Loop) && !(s instanceof Stmt.If))
                Facts.roots(s).forEach(e -> early(e, wide, written, seen, found));
        return found;
    }

    private static void early(Expr e, Set<Access> wide, Set<Buf> written, Set<Expr> seen, List<Expr.Load> found) {
        if (!seen.add(e)) return;
        if (e instanceof Expr.Load x
                && x.mask() == null
                && !Facts.hasData(x.index())
                && !written.contains(x.buffer())
                && wide.contains(new Access(x.buffer(), x.index()))) found.add(x);
        for (Expr child : Facts.children(e)) early(child, wide, written, seen, found);
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
        List<Stmt.Loop> found = new ArrayList<>();
        Facts.walk(body, s -> {
            if (s instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR) found.add(l);
        });
        return found;
    }
}
