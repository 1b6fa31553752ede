// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Access;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToLongFunction;

/**
 * A kernel each of whose tasks goes over the elements of a row several times, as a {@link RowSchedule} needs it.
 *
 * @param body canonical; all passes have one variable, so that what two of them read is one expression
 * @param facts of the body
 * @param variable along the row
 * @param width elements that a thread takes side by side
 * @param manySums whether accumulators leave few registers for what is held
 * @param wide the accesses to neighbours, those to a team's own memory left out
 * @param loads of memory that the kernel does not write, each in several passes
 * @param held values of each element that are held between two passes, at most
 * @param kept the loads of each buffer of a team's own memory: all are of the place at which it was stored
 */
record RowPasses(
        List<Stmt> body,
        Facts facts,
        Var variable,
        int width,
        boolean manySums,
        Set<Access> wide,
        Set<Expr.Load> loads,
        int held,
        Map<Buf, Set<Expr.Load>> kept) {

    private static List<Stmt.Loop> passes(List<Stmt> body) {
        return body.stream()
                .filter(s -> s instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR)
                .map(Stmt.Loop.class::cast)
                .toList();
    }

    /** Null if the kernel is something else, or holds nothing from one pass to another. */
    static RowPasses in(LoopKernel kernel) {
        if (passes(kernel.body()).size() < 2) return null;
        List<Stmt> spelled = new MathCode().stmts(kernel.body());
        List<Stmt.Loop> loops = passes(spelled);
        if (SharedLoop.in(spelled).size() != loops.size()) return null;
        Var variable = loops.getFirst().var();
        for (Stmt.Loop l : loops)
            if (l.limit() != null || !l.var().extent().equals(variable.extent()) || !StepLoops.isPlain(l)) return null;
        List<Stmt> body = new Canon().statements(withOneVariable(spelled, variable));
        loops = passes(body);
        Facts facts = new Facts();
        facts.add(body);

        Set<Access> wide = new LinkedHashSet<>();
        Map<Expr.Load, Live> reads = new LinkedHashMap<>();
        int width = 0;
        int accumulators = 0;
        for (int i = 0; i < loops.size(); i++) {
            Stmt.Loop l = loops.get(i);
            int pass = i;
            Set<Access> of = SharedLoop.wide(l, facts);
            int w = SharedLoop.width(l, of, false);
            if (w == 1 || width != 0 && w != width) return null;
            width = w;
            wide.addAll(of);
            accumulators += StatementEmitter.accumulators(l).size();
            for (Expr.Load x : StepLoops.early(l, x -> isHeld(x, of)))
                reads.merge(x, new Live(pass, pass), (a, _) -> new Live(a.first, pass));
        }
        reads.values().removeIf(r -> r.first == r.last);
        Map<Buf, Set<Expr.Load>> kept = kept(body, facts);
        if (kept == null || accumulators == 0 || kept.isEmpty() && reads.isEmpty()) return null;
        wide.removeIf(a -> a.buffer().kind() == Buf.Kind.SCRATCH);
        List<Live> all = new ArrayList<>(reads.values());
        for (Buf b : kept.keySet()) all.add(live(loops, b));
        int held = 1;
        for (int pass = 1; pass < loops.size(); pass++) {
            int before = pass;
            held = Math.max(held, (int) all.stream()
                    .filter(x -> x.first < before && x.last >= before)
                    .count());
        }
        boolean many = accumulators * width > LoopEmitter.MANY_PARTS;
        return new RowPasses(body, facts, variable, width, many, wide, Set.copyOf(reads.keySet()), held, kept);
    }

    /** The first and the last pass that know a value. */
    private record Live(int first, int last) {}

    private static Live live(List<Stmt.Loop> loops, Buf kept) {
        int first = loops.size();
        int last = 0;
        for (int i = 0; i < loops.size(); i++) {
            boolean[] touches = new boolean[1];
            Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
            for (Stmt s : loops.get(i).body()) {
                touches[0] |= s instanceof Stmt.Store st && st.buffer().equals(kept);
                Facts.roots(s).forEach(e -> touches[0] |= reads(e, kept, seen));
            }
            if (!touches[0]) continue;
            first = Math.min(first, i);
            last = i;
        }
        return new Live(first, last);
    }

    private static boolean reads(Expr e, Buf b, Set<Expr> seen) {
        if (!seen.add(e)) return false;
        if (e instanceof Expr.Load l && l.buffer().equals(b)) return true;
        return Facts.children(e).stream().anyMatch(x -> reads(x, b, seen));
    }

    private static boolean isHeld(Expr.Load x, Set<Access> wide) {
        return x.buffer().kind() == Buf.Kind.IN && wide.contains(new Access(x.buffer(), x.index()));
    }

    private static List<Stmt> withOneVariable(List<Stmt> body, Var variable) {
        Set<Var> passes = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Stmt.Loop l : passes(body)) passes.add(l.var());
        return new Rewriter() {
            @Override
            protected Var var(Var v) {
                return passes.contains(v) ? variable : v;
            }

            @Override
            protected Index.Atom atom(Index.Atom a) {
                return a instanceof Index.VarAtom(Var v) && passes.contains(v)
                        ? new Index.VarAtom(variable)
                        : super.atom(a);
            }
        }.stmts(body);
    }

    /** Null if a team's own memory is more than what a pass leaves to others at the same place, or what a pass writes is read back. */
    private static Map<Buf, Set<Expr.Load>> kept(List<Stmt> body, Facts facts) {
        Map<Buf, Set<Expr.Load>> loads = new HashMap<>();
        Map<Buf, Index> stored = new HashMap<>();
        boolean[] other = new boolean[1];
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Stmt top : body) {
            boolean pass = top instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR;
            Facts.walk(List.of(top), s -> {
                for (Expr e : Facts.roots(s)) other[0] |= readsElsewhere(e, pass, stored, loads, seen);
                if (!(s instanceof Stmt.Store st) || st.buffer().kind() != Buf.Kind.SCRATCH) return;
                DType t = st.buffer().dtype();
                boolean plain = pass && st.mask() == null && t == st.value().dtype() && t == t.compute();
                other[0] |= !plain || stored.putIfAbsent(st.buffer(), st.index()) != null;
                loads.putIfAbsent(st.buffer(), new HashSet<>());
            });
        }
        return other[0] ? null : loads;
    }

    private static boolean readsElsewhere(
            Expr e, boolean pass, Map<Buf, Index> stored, Map<Buf, Set<Expr.Load>> loads, Set<Expr> seen) {
        if (!seen.add(e)) return false;
        if (e instanceof Expr.Load l && l.buffer().kind() != Buf.Kind.IN) {
            if (!pass || l.mask() != null || stored.get(l.buffer()) != l.index()) return true;
            loads.get(l.buffer()).add(l);
        }
        for (Expr child : Facts.children(e)) if (readsElsewhere(child, pass, stored, loads, seen)) return true;
        return false;
    }

    /** Whether each access to neighbours is to one piece of memory that is aligned in every row. */
    boolean isAligned(IntToLongFunction slot) {
        for (Access a : wide) {
            int bytes = a.buffer().dtype().bytes();
            long all = slot.applyAsLong(a.buffer().slot())
                    | LaunchRule.number(a.index().offset(), slot) * bytes;
            for (Index.Term t : a.index().terms()) {
                Coef c = t.coef();
                boolean along = t.atom() instanceof Index.VarAtom(Var v) && v == variable;
                if (!along) all |= LaunchRule.number(c, slot) * bytes;
            }
            if (all % MemoryEmitter.alignment(a.buffer(), width) != 0) return false;
        }
        return true;
    }
}
