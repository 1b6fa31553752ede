// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** What must be known about a vector loop before code for it is generated. */
final class VectorAnalysis {
    /** Largest body that is unrolled to use several accumulators, in operations. */
    private static final int UNROLL_LIMIT = 16;

    private final Facts facts;
    private final Stmt.Loop loop;

    /** The loop's variable, and the locals that differ between its iterations. */
    private final Set<Object> varying = new HashSet<>();

    /** Locals declared outside and accumulated inside, in order of first use. */
    private final List<Stmt.Accumulate> accumulators = new ArrayList<>();

    private final Set<Local> accumulated = new HashSet<>();
    private boolean wide;
    private boolean nested;
    private boolean mutable;
    private int cost;
    /** Accesses whose place in memory each lane's data decide. */
    private int scattered;

    private int checks;
    private final int copies;

    VectorAnalysis(Facts facts, Stmt.Loop loop) {
        this(facts, loop, 0);
    }

    /** @param copies of the body in the main loop; 0 for as many as suit it */
    VectorAnalysis(Facts facts, Stmt.Loop loop, int copies) {
        this.copies = copies;
        this.facts = facts;
        this.loop = loop;
        findAccumulators();
        findVarying();
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Facts.walk(loop.body(), s -> {
            if (s instanceof Stmt.Loop) nested = true;
            if (!(s instanceof Stmt.Let || s instanceof Stmt.Store)) mutable = true;
            if (s instanceof Stmt.Store st) {
                cost++;
                if (isScattered(st.index())) scattered++;
                if (st.buffer().dtype().bytes() == 8) wide = true;
            }
            for (Expr e : Facts.roots(s)) visit(e, seen);
        });
        for (Object o : varying) {
            if (o instanceof Local l && l.dtype().bytes() == 8) wide = true;
        }
    }

    private void findAccumulators() {
        Set<Local> declared = new HashSet<>();
        Facts.walk(loop.body(), s -> {
            if (s instanceof Stmt.Declare d) declared.add(d.local());
        });
        Facts.walk(loop.body(), s -> {
            if (s instanceof Stmt.Accumulate a && !declared.contains(a.local()) && accumulated.add(a.local()))
                accumulators.add(a);
        });
    }

    private void findVarying() {
        varying.add(loop.var());
        varying.addAll(accumulated);
        for (int before = -1; before != varying.size(); ) {
            before = varying.size();
            Facts.walk(loop.body(), s -> {
                switch (s) {
                    case Stmt.Let l -> mark(l.local(), l.value());
                    case Stmt.Declare l -> mark(l.local(), l.init());
                    case Stmt.Set l -> mark(l.local(), l.value());
                    case Stmt.Accumulate l -> mark(l.local(), l.value());
                    case Stmt.Loop _, Stmt.Store _, Stmt.If _ -> {}
                }
            });
        }
    }

    private void mark(Local l, Expr value) {
        if (varies(facts.of(value))) varying.add(l);
    }

    private boolean varies(Facts.Fact f) {
        return !Collections.disjoint(f.free(), varying);
    }

    private void visit(Expr e, Set<Object> seen) {
        if (!varies(facts.of(e)) || !seen.add(e)) return;
        cost += Facts.isExpensive(e) ? UNROLL_LIMIT : 1;
        if (e instanceof Expr.Checked) checks++;
        if (e instanceof Expr.Load l && isScattered(l.index())) scattered++;
        if (e.dtype().bytes() == 8) wide = true;
        if (e instanceof Expr.Bin b && b.op().isComparison() && (isRange(b) || isRange(VectorOps.swapped(b)))) return;
        for (Expr child : Facts.children(e)) visit(child, seen);
    }

    /** As {@link VectorOps#isRange}. */
    private boolean isRange(Expr.Bin b) {
        if (!(b.a() instanceof Expr.IndexValue v) || varies(facts.of(b.b()))) return false;
        for (Index.Term t : v.index().terms()) {
            boolean own = t.atom() instanceof Index.VarAtom a && a.var() == loop.var();
            if (own ? !t.coef().is(1) : varies(facts.of(t.atom()))) return false;
        }
        return true;
    }

    private boolean isScattered(Index i) {
        if (!IndexMath.dependsOnData(i)) return false;
        for (Index.Term t : i.terms()) {
            boolean own = t.atom() instanceof Index.VarAtom a && a.var() == loop.var();
            if (!own && varies(facts.of(t.atom()))) return true;
        }
        return false;
    }

    /**
     * True if the loop does little but look up single elements: going through the lanes of its vectors one by one takes
     * twice the time of a scalar loop.
     */
    boolean isLookup() {
        return scattered > 0 && !mutable && cost - checks * UNROLL_LIMIT <= 8 * scattered;
    }

    Set<Object> varying() {
        return varying;
    }

    /** Whether the loop's own statements read a local. */
    boolean isRead(Local l) {
        boolean[] found = new boolean[1];
        Facts.walk(loop.body(), s -> {
            for (Expr e : Facts.roots(s)) found[0] |= facts.of(e).free().contains(l);
        });
        return found[0];
    }

    /** One statement for each accumulator. */
    List<Stmt.Accumulate> accumulators() {
        return accumulators;
    }

    /** Lanes of every vector in the loop: as many as the widest type in it allows. */
    int lanes(Options options) {
        return options.vectorBits() / (wide ? 64 : 32);
    }

    /**
     * Copies of the body in the main loop: several where that hides the latency of accumulation and the body
     * is small.
     */
    int unroll() {
        if (copies > 0) return copies;
        return accumulators.isEmpty() || nested || cost > UNROLL_LIMIT ? 1 : 4;
    }

    /**
     * Elements for one call of the loop's method, 64 steps of its main loop: enough to pay for the call and for the end
     * of its accumulators, few enough that HotSpot soon counts many calls.
     */
    int chunk(int lanes) {
        return nested ? 8 * lanes : 64 * lanes * unroll();
    }

    /** Locals and variables that the loop takes from outside, but for accumulators. */
    List<Object> captured() {
        List<Object> out = facts.free(loop.body());
        out.remove(loop.var());
        out.removeAll(accumulated);
        return out;
    }

    Var variable() {
        return loop.var();
    }
}
