// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Splits a vector loop whose code would be too large for one method into several that run one after the other
 * on each chunk. The body's values are cut, in program order, where a part has reached its budget; values
 * that a later part needs go through arrays of one chunk in scratch memory.
 *
 * <p>Bodies with inner loops, branches or mutable locals are left whole, and bodies that read what they write, unless that is an element which the same
 * step overwrites afterwards.
 */
final class LoopFission {
    /** Sizes of parts to try, in estimated bytes of bytecode: first all in one. */
    static final List<Integer> BUDGETS = List.of(Integer.MAX_VALUE, 3000, 1500, 700, 350, 150);

    private final Stmt.Loop loop;
    private final Facts facts;
    private final VectorAnalysis analysis;

    /** The part in which each value is computed. */
    private final Map<Expr, Integer> partOf = new IdentityHashMap<>();

    private final List<List<Expr>> values = new ArrayList<>();
    private final List<List<Stmt>> statements = new ArrayList<>();
    private final Map<Expr, Buf> arrays = new IdentityHashMap<>();
    private final List<Buf> arrayOrder = new ArrayList<>();
    private final List<Stmt.Loop> parts;
    private int used;

    LoopFission(Stmt.Loop loop, Facts facts, VectorAnalysis analysis, int budget) {
        this.loop = loop;
        this.facts = facts;
        this.analysis = analysis;
        List<Stmt> body = budget == Integer.MAX_VALUE || !isSimple() ? List.of() : readsFirst(withoutLets());
        this.parts = body.isEmpty() ? List.of(loop) : split(body, budget);
    }

    /** The loops, to be run in order on each chunk. */
    List<Stmt.Loop> parts() {
        return parts;
    }

    /** The arrays between them, with room for a chunk each. */
    List<Buf> arrays() {
        return arrayOrder;
    }

    /** Whether a buffer is such an array: its elements are addressed by the loop's variable. */
    static boolean isChunkArray(Buf b) {
        return b.slot() < 0;
    }

    /** Whether every statement has its place in some part, and nothing is read of a buffer after it has been written to. */
    private boolean isSimple() {
        Set<Buf> written = new HashSet<>();
        for (Stmt s : loop.body()) {
            for (Expr e : Facts.roots(s)) if (!Collections.disjoint(facts.of(e).reads(), written)) return false;
            switch (s) {
                case Stmt.Store st -> written.add(st.buffer());
                case Stmt.Let _, Stmt.Accumulate _ -> {}
                case Stmt.Loop _, Stmt.If _, Stmt.Declare _, Stmt.Set _ -> {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * The statements of a body without locals, such that what is read of a buffer that is also written to is read before; empty if there is no such order, or
     * if other elements are read than the one written: a part runs for all of a chunk before the next one.
     */
    private List<Stmt> readsFirst(List<Stmt> body) {
        facts.add(body);
        Map<Buf, Index> places = new HashMap<>();
        for (Stmt s : body) {
            if (!(s instanceof Stmt.Store st)) continue;
            Index other = places.put(st.buffer(), st.index());
            if (other != null && !other.equals(st.index())) places.put(st.buffer(), null);
        }
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Stmt s : body) for (Expr e : Facts.roots(s)) if (!readsAt(e, places, seen)) return List.of();
        List<Stmt> rest = new ArrayList<>(body);
        List<Stmt> out = new ArrayList<>();
        while (!rest.isEmpty()) {
            Stmt next = null;
            for (int i = 0; i < rest.size() && next == null; i++)
                if (!isReadByOthers(rest.get(i), rest)) next = rest.get(i);
            if (next == null) return List.of();
            rest.remove(next);
            out.add(next);
        }
        return out;
    }

    private boolean isReadByOthers(Stmt store, List<Stmt> statements) {
        if (!(store instanceof Stmt.Store st)) return false;
        for (Stmt s : statements) {
            if (s == store) continue;
            for (Expr e : Facts.roots(s)) if (facts.of(e).reads().contains(st.buffer())) return true;
        }
        return false;
    }

    /** Whether what {@code e} loads of these buffers is at these places. */
    private static boolean readsAt(Expr e, Map<Buf, Index> places, Set<Expr> seen) {
        if (!seen.add(e)) return true;
        if (e instanceof Expr.Load l
                && places.containsKey(l.buffer())
                && !l.index().equals(places.get(l.buffer()))) return false;
        for (Expr child : Facts.children(e)) if (!readsAt(child, places, seen)) return false;
        return true;
    }

    private List<Stmt.Loop> split(List<Stmt> body, int budget) {
        newPart();
        for (Stmt s : body) {
            for (Expr e : Facts.roots(s)) place(e, budget);
            statements.getLast().add(s);
        }
        for (int p = 0; p < values.size(); p++) {
            int part = p;
            for (Stmt s : statements.get(p)) Facts.roots(s).forEach(e -> use(e, part));
            for (Expr v : values.get(p)) Facts.children(v).forEach(e -> use(e, part));
        }
        List<Stmt.Loop> out = new ArrayList<>();
        for (int p = 0; p < values.size(); p++) out.add(part(p));
        return out;
    }

    /** The body with each local replaced by its (shared) value. */
    private List<Stmt> withoutLets() {
        Map<Local, Expr> lets = new HashMap<>();
        Rewriter inline = new Rewriter() {
            @Override
            protected Expr replacement(Expr e) {
                return e instanceof Expr.Ref r ? lets.get(r.local()) : null;
            }
        };
        List<Stmt> out = new ArrayList<>();
        for (Stmt s : loop.body()) {
            switch (s) {
                case Stmt.Let l -> lets.put(l.local(), inline.expr(l.value()));
                case Stmt.Store st ->
                    out.add(new Stmt.Store(
                            st.buffer(), inline.index(st.index()), inline.expr(st.value()), inline.expr(st.mask())));
                case Stmt.Accumulate a -> out.add(new Stmt.Accumulate(a.local(), a.op(), inline.expr(a.value())));
                case Stmt.Loop _, Stmt.If _, Stmt.Declare _, Stmt.Set _ -> throw new AssertionError(s);
            }
        }
        return new Canon().statements(out);
    }

    private void newPart() {
        values.add(new ArrayList<>());
        statements.add(new ArrayList<>());
        used = 0;
    }

    private boolean varies(Expr e) {
        return !Collections.disjoint(facts.of(e).free(), analysis.varying());
    }

    private void place(Expr e, int budget) {
        if (partOf.containsKey(e) || !varies(e)) return;
        for (Expr child : Facts.children(e)) place(child, budget);
        int size = size(e);
        if (used + size > budget && used > 0) newPart();
        used += size;
        partOf.put(e, values.size() - 1);
        values.getLast().add(e);
    }

    /** Values that are as easily computed again as kept. */
    private static boolean isCheap(Expr e) {
        if (e instanceof Expr.IndexValue) return Facts.children(e).isEmpty();
        return e instanceof Expr.Load l
                && l.buffer().kind() == Buf.Kind.IN
                && Facts.children(e).isEmpty();
    }

    /** Notes that part {@code p} needs a value; from an earlier part it comes through an array. */
    private void use(Expr e, int p) {
        Integer from = partOf.get(e);
        if (from == null || from == p || isCheap(e) || arrays.containsKey(e)) return;
        Buf array = new Buf(-1 - arrays.size(), e.dtype(), Buf.Kind.SCRATCH);
        arrays.put(e, array);
        arrayOrder.add(array);
    }

    private Stmt.Loop part(int p) {
        Index here = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(loop.var()))), Coef.of(0));
        Rewriter rewriter = new Rewriter() {
            @Override
            protected Expr replacement(Expr e) {
                boolean earlier = arrays.containsKey(e) && partOf.get(e) < p;
                return earlier ? new Expr.Load(arrays.get(e), here) : null;
            }
        };
        List<Stmt> out = new ArrayList<>();
        for (Stmt s : statements.get(p)) {
            switch (s) {
                case Stmt.Store st ->
                    out.add(new Stmt.Store(
                            st.buffer(),
                            rewriter.index(st.index()),
                            rewriter.expr(st.value()),
                            rewriter.expr(st.mask())));
                case Stmt.Accumulate a -> out.add(new Stmt.Accumulate(a.local(), a.op(), rewriter.expr(a.value())));
                case Stmt.Let _, Stmt.Loop _, Stmt.If _, Stmt.Declare _, Stmt.Set _ -> throw new AssertionError(s);
            }
        }
        for (Expr v : values.get(p)) {
            if (arrays.containsKey(v)) out.add(new Stmt.Store(arrays.get(v), here, rewriter.expr(v)));
        }
        return new Stmt.Loop(loop.var(), loop.limit(), loop.kind(), out);
    }

    /** Rough size of an operator's code in one copy of the body, in bytes. */
    private static int size(Expr e) {
        return switch (e) {
            case Expr.Un u ->
                switch (u.op()) {
                    case NEG, ABS, SQRT, NOT, ISNAN -> 20;
                    case FLOOR, CEIL, RINT, TRUNC -> 180;
                    case EXP, EXPM1, TANH -> 450;
                    case LOG -> 550;
                    case LOG1P, SIN, COS, TAN -> 800;
                    case ERF -> 1000;
                    case ASIN, ACOS, ATAN, SINH, COSH, LGAMMA, DIGAMMA, ERFINV -> 120;
                };
            case Expr.Bin b -> Facts.isExpensive(e) ? 150 : b.op().isComparison() ? 40 : 25;
            case Expr.Load l -> l.mask() == null ? 60 : 120;
            case Expr.IndexValue _ -> 80;
            case Expr.Narrow _ -> 200;
            case Expr.Checked _ -> 150;
            case Expr.Select _, Expr.Fma _, Expr.Convert _, Expr.Bits _ -> 25;
            case Expr.Const _, Expr.Arg _, Expr.Ref _ -> 5;
        };
    }
}
