// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Splits the variables of a matrix product that its operands take apart: where an operand is read at
 * {@code v / 64} and {@code v mod 64}, v becomes {@code 64·v0 + v1}, and the operand is memory with a stride
 * for each. So a layer reads what comes from the heads of attention, or goes to them, without divisions
 * and in runs.
 */
final class Factors {
    private final Map<Var, TreeSet<Long>> divisors = new HashMap<>();
    private final Map<Var, Index> replaced = new HashMap<>();

    private Factors(List<Index> indices) {
        for (Index i : indices) collect(i);
    }

    static GemmKernel split(GemmKernel g) {
        Factors f = new Factors(Rewriter.indices(List.of(), List.of(g.a(), g.b())));
        if (f.divisors.isEmpty()) return g;
        List<Var> m = f.factors(g.m());
        List<Var> n = f.factors(g.n());
        List<Var> k = f.factors(g.k());
        if (f.replaced.isEmpty()) return g;
        Rewriter r = Rewriter.substitute(f.replaced::get);
        Expr a = r.expr(g.a());
        Expr b = r.expr(g.b());
        return new GemmKernel(
                g.name(), g.batch(), m, n, k, a, b, g.acc(), g.result(), r.stmts(g.epilogue()), g.buffers(), g.slots());
    }

    private void collect(Index i) {
        for (Index.Term t : i.terms()) {
            switch (t.atom()) {
                case Index.DivAtom d -> collect(d.a(), d.by());
                case Index.ModAtom m -> collect(m.a(), m.by());
                case Index.VarAtom _, Index.DataAtom _ -> {}
            }
        }
    }

    private void collect(Index a, Coef by) {
        collect(a);
        Quotient q = quotient(a);
        if (q == null) return;
        TreeSet<Long> found = divisors.computeIfAbsent(q.var, _ -> new TreeSet<>());
        found.add(q.by);
        found.add(q.by * by.lit());
    }

    /** {@code var / by}. */
    private record Quotient(Var var, long by) {}

    /** What an index is if it is nothing but a variable, divided any number of times; else null. */
    private static Quotient quotient(Index i) {
        if (!i.offset().is(0)
                || i.terms().size() != 1
                || !i.terms().getFirst().coef().is(1)) return null;
        return switch (i.terms().getFirst().atom()) {
            case Index.VarAtom v -> new Quotient(v.var(), 1);
            case Index.DivAtom d -> {
                Quotient q = quotient(d.a());
                yield q == null ? null : new Quotient(q.var, q.by * d.by().lit());
            }
            case Index.ModAtom _, Index.DataAtom _ -> null;
        };
    }

    private List<Var> factors(List<Var> vars) {
        List<Var> all = new ArrayList<>();
        for (Var v : vars) {
            List<Var> parts = factors(v);
            all.addAll(parts);
            if (parts.size() == 1) continue;
            Index whole = Index.ZERO;
            for (Var p : parts)
                whole = IndexMath.add(IndexMath.mul(whole, p.extent().lit()), IndexMath.var(p));
            replaced.put(v, whole);
        }
        return all;
    }

    /** The variables that {@code v} becomes, outermost first: itself, unless its divisors divide each other in turn. */
    private List<Var> factors(Var v) {
        long extent = v.extent().lit();
        List<Long> steps = new ArrayList<>();
        long last = 1;
        for (long d : divisors.getOrDefault(v, new TreeSet<>())) {
            if (d <= 1 || d >= extent) continue;
            if (d % last != 0 || extent % d != 0) return List.of(v);
            steps.add(d);
            last = d;
        }
        if (steps.isEmpty()) return List.of(v);
        steps.add(extent);
        List<Var> parts = new ArrayList<>();
        long inner = 1;
        for (long d : steps) {
            String name = v.name() + "_" + (steps.size() - 1 - parts.size());
            parts.addFirst(new Var(name, Coef.of(d / inner)));
            inner = d;
        }
        return parts;
    }
}
