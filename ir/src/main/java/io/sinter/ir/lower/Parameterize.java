// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Moves every number but 0 and 1 (and a distance of 2 between the lanes of an access) out of the code into the parameter block, so that kernels which
 * differ in extents and strides alone are one piece of code. Runs last, when indices are as simple as the concrete numbers allow.
 */
final class Parameterize extends Rewriter {
    private final Params params;
    private final Map<Var, Var> vars = new IdentityHashMap<>();
    private final Map<List<Object>, Index> accesses = new HashMap<>();
    /** Variables of vector loops. */
    private final Set<Var> lanes = new HashSet<>();

    private Parameterize(Params params) {
        this.params = params;
    }

    /** The kernel with its numbers in slots; {@code params} receives them. */
    static Kernel apply(Kernel kernel, Params params) {
        Parameterize p = new Parameterize(params);
        return switch (kernel) {
            case LoopKernel k -> {
                Facts.walk(k.body(), s -> {
                    if (s instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR) p.lanes.add(l.var());
                });
                List<Var> grid = p.vars(k.grid());
                var body = p.stmts(k.body());
                yield new LoopKernel(k.name(), grid, k.buffers(), params.slots().size(), k.scratchBytes(), body);
            }
            case GemmKernel k -> {
                List<Var> batch = p.vars(k.batch());
                List<Var> m = p.vars(k.m());
                List<Var> n = p.vars(k.n());
                List<Var> kk = p.vars(k.k());
                var a = p.expr(k.a());
                var b = p.expr(k.b());
                Stencil stencil = p.stencil(k.stencil());
                var epilogue = p.stmts(k.epilogue());
                yield new GemmKernel(
                        k.name(),
                        batch,
                        m,
                        n,
                        kk,
                        a,
                        b,
                        k.acc(),
                        k.result(),
                        epilogue,
                        stencil,
                        k.buffers(),
                        params.slots().size());
            }
            case AttentionKernel k -> {
                List<Var> batch = p.vars(k.batch());
                Var i = p.var(k.i());
                Var j = p.var(k.j());
                Var d = p.var(k.d());
                Var e = p.var(k.e());
                var q = p.expr(k.q());
                var kx = p.expr(k.k());
                var v = p.expr(k.v());
                var bias = p.expr(k.bias());
                var scale = p.expr(k.scale());
                var saved = k.saved().stream().map(p::expr).toList();
                var outputs = k.outputs().stream()
                        .map(t -> new AttentionKernel.Target(t.buffer(), p.index(t.buffer(), t.index())))
                        .toList();
                yield new AttentionKernel(
                        k.name(),
                        k.pass(),
                        batch,
                        i,
                        j,
                        d,
                        e,
                        q,
                        kx,
                        v,
                        bias,
                        k.causal(),
                        scale,
                        saved,
                        outputs,
                        k.acc(),
                        k.buffers(),
                        params.slots().size());
            }
        };
    }

    private Stencil stencil(Stencil s) {
        if (s == null) return null;
        List<Stencil.Dim> dims = s.dims().stream()
                .map(d -> new Stencil.Dim(
                        var(d.position()),
                        number(d.step()),
                        number(d.dilation()),
                        d.backward(),
                        number(d.overlap()),
                        rewriteIndex(d.low()),
                        number(d.extent()),
                        rewriteIndex(d.taps())))
                .toList();
        return new Stencil(expr(s.staged()), s.plain(), (Expr.Load) expr(s.left()), s.pixelsInK(), dims);
    }

    private List<Var> vars(List<Var> vs) {
        return vs.stream().map(this::var).toList();
    }

    @Override
    protected Var var(Var v) {
        return vars.computeIfAbsent(v, x -> new Var(x.name(), number(x.extent())));
    }

    @Override
    protected Coef coef(Coef c) {
        return number(c);
    }

    /**
     * A slot of its own for each number of an index: two things never become one parameter because their numbers happen to be equal, or code would
     * depend on such chances.
     */
    private Coef number(Coef c) {
        return c instanceof Coef.Lit l && l.value() != 0 && l.value() != 1 ? params.number(l.value()) : c;
    }

    /** Equal indices of one buffer share their numbers; those of two buffers do not, as they may differ for other extents. */
    @Override
    protected Index index(Buf buffer, Index i) {
        List<Object> access = List.of(buffer, i);
        Index known = accesses.get(access);
        if (known == null) {
            known = access(i);
            accesses.put(access, known);
        }
        return known;
    }

    /** Every second element is a way of reading: generators take vectors apart, which is other code than for any other distance. */
    private Index access(Index i) {
        Index all = rewriteIndex(i);
        List<Index.Term> terms = new ArrayList<>(all.terms());
        for (int k = 0; k < terms.size(); k++) {
            Index.Term t = i.terms().get(k);
            boolean pairs = t.atom() instanceof Index.VarAtom v
                    && lanes.contains(v.var())
                    && t.coef().is(2);
            if (pairs) terms.set(k, new Index.Term(t.coef(), terms.get(k).atom()));
        }
        return new Index(List.copyOf(terms), all.offset());
    }

    @Override
    protected Index rewriteIndex(Index i) {
        List<Index.Term> terms = new ArrayList<>(i.terms().size());
        for (Index.Term t : i.terms()) {
            Index.Atom a =
                    switch (t.atom()) {
                        case Index.VarAtom v -> new Index.VarAtom(var(v.var()));
                        case Index.DivAtom d -> new Index.DivAtom(index(d.a()), number(d.by()));
                        case Index.ModAtom m -> new Index.ModAtom(index(m.a()), number(m.by()));
                        case Index.DataAtom d -> new Index.DataAtom(expr(d.value()), d.bound());
                    };
            terms.add(new Index.Term(number(t.coef()), a));
        }
        return new Index(List.copyOf(terms), number(i.offset()));
    }

    @Override
    protected Index.Atom atom(Index.Atom a) {
        throw new IllegalStateException("indices are rewritten whole");
    }
}
