// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
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
    /** How many times the innermost statements of a task run, about, with the numbers of this parameter block. */
    static double iterations(LoopKernel kernel, long block) {
        return Math.max(1, iterations(kernel.body(), block));
    }

    private static double iterations(List<Stmt> body, long block) {
        double sum = 0;
        for (Stmt s : body) {
            switch (s) {
                case Stmt.Loop l -> {
                    long extent = switch (l.var().extent()) {
                        case Coef.Lit x -> x.value();
                        case Coef.Slot x -> Memory.getLong(block + (long) x.slot() * Long.BYTES);
                    };
                    sum += extent * Math.max(1, iterations(l.body(), block));
                }
                case Stmt.If f -> sum += iterations(f.body(), block);
                case Stmt.Let _, Stmt.Declare _, Stmt.Accumulate _, Stmt.Set _, Stmt.Store _ -> {}
            }
        }
        return sum;
    }

    static InnerExtents of(LoopKernel kernel) {
        Collector c = new Collector();
        kernel.grid().forEach(v -> c.other(v.extent()));
        c.loops(kernel.body());
        c.stmts(kernel.body());
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

        void loops(List<Stmt> body) {
            for (Stmt s : body) {
                switch (s) {
                    case Stmt.Loop l -> {
                        if (l.var().extent() instanceof Coef.Slot e) {
                            switch (l.kind()) {
                                case VECTOR -> vector.add(e.slot());
                                case SEQ -> sequential.add(e.slot());
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
