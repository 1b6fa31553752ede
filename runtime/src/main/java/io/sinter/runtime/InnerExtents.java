// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Slots of a kernel's parameter block that hold the extent of an inner loop and nothing else: with a smaller number there the kernel does part of
 * its work, at the same places.
 *
 * @param vector extents of vector loops
 * @param sequential extents of the others
 * @param trusts the kernel takes a loaded number for an index without checking it, so it must not run on data that is not there yet
 */
record InnerExtents(Set<Integer> vector, Set<Integer> sequential, boolean trusts) {
    /** How many times the innermost statements run, about, with the numbers of this parameter block. */
    static double iterations(Kernel kernel, long block) {
        return switch (kernel) {
            case LoopKernel k -> product(k.grid(), block) * Math.max(1, iterations(k.body(), block));
            case GemmKernel k ->
                product(k.batch(), block) * product(k.m(), block) * product(k.n(), block) * product(k.k(), block);
            case AttentionKernel k -> product(k.batch(), block) * product(List.of(k.i(), k.j(), k.d()), block);
        };
    }

    private static double product(List<Var> vars, long block) {
        double product = 1;
        for (Var v : vars) product *= number(v.extent(), block);
        return product;
    }

    private static long number(Coef c, long block) {
        return switch (c) {
            case Coef.Lit x -> x.value();
            case Coef.Slot x -> Memory.getLong(block + (long) x.slot() * Long.BYTES);
        };
    }

    private static double iterations(List<Stmt> body, long block) {
        double sum = 0;
        for (Stmt s : body) {
            switch (s) {
                case Stmt.Loop l -> sum += number(l.var().extent(), block) * Math.max(1, iterations(l.body(), block));
                case Stmt.If f -> sum += iterations(f.body(), block);
                case Stmt.Let _, Stmt.Declare _, Stmt.Accumulate _, Stmt.Set _, Stmt.Store _ -> {}
            }
        }
        return sum;
    }

    /** Those of a nest of loops. Templates have none here: they make their samples small by themselves. */
    static InnerExtents of(Kernel kernel) {
        Collector c = new Collector();
        switch (kernel) {
            case LoopKernel k -> {
                k.grid().forEach(v -> c.other(v.extent()));
                c.loops(k.body());
                c.stmts(k.body());
            }
            case GemmKernel k -> {
                List.of(k.batch(), k.m(), k.n()).forEach(vars -> vars.forEach(v -> c.other(v.extent())));
                c.expr(k.a());
                c.expr(k.b());
                if (k.stencil() != null) c.stencil(k.stencil());
                c.stmts(k.epilogue());
            }
            case AttentionKernel k -> {
                for (Expr e : List.of(k.q(), k.k(), k.v(), k.scale())) c.expr(e);
                if (k.bias() != null) c.expr(k.bias());
                k.saved().forEach(c::expr);
                k.outputs().forEach(t -> c.rewriteIndex(t.index()));
            }
        }
        c.vector.removeAll(c.others);
        c.sequential.removeAll(c.others);
        c.sequential.removeAll(c.vector);
        return new InnerExtents(c.vector, c.sequential, c.trusts);
    }

    /** Looks at everything that takes a number from the parameter block. */
    private static final class Collector extends Rewriter {
        final Set<Integer> vector = new HashSet<>();
        final Set<Integer> sequential = new HashSet<>();
        final Set<Integer> others = new HashSet<>();
        boolean trusts;

        void other(Coef c) {
            if (c instanceof Coef.Slot s) others.add(s.slot());
        }

        void stencil(Stencil s) {
            expr(s.staged());
            expr(s.left());
            for (Stencil.Dim d : s.dims()) {
                List.of(d.position().extent(), d.step(), d.dilation(), d.overlap(), d.extent())
                        .forEach(this::other);
                index(d.low());
                index(d.taps());
            }
        }

        void loops(List<Stmt> body) {
            for (Stmt s : body) {
                switch (s) {
                    case Stmt.Loop l -> {
                        if (l.var().extent() instanceof Coef.Slot e) {
                            switch (l.kind()) {
                                case VECTOR -> vector.add(e.slot());
                                case SEQ, ROWS -> sequential.add(e.slot());
                            }
                        }
                        loops(l.body());
                    }
                    case Stmt.If f -> loops(f.body());
                    case Stmt.Let _, Stmt.Declare _, Stmt.Accumulate _, Stmt.Set _, Stmt.Store _ -> {}
                }
            }
        }

        @Override
        protected Index rewriteIndex(Index i) {
            other(i.offset());
            for (Index.Term t : i.terms()) other(t.coef());
            return super.rewriteIndex(i);
        }

        @Override
        protected Index.Atom atom(Index.Atom a) {
            switch (a) {
                case Index.VarAtom _ -> {}
                case Index.DivAtom d -> other(d.by());
                case Index.ModAtom m -> other(m.by());
                case Index.DataAtom d -> trusts |= !(d.value() instanceof Expr.Checked);
            }
            return super.atom(a);
        }

        @Override
        protected Coef coef(Coef c) {
            other(c);
            return c;
        }
    }
}
