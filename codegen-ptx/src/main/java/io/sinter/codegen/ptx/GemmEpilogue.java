// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Access;
import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Writes the epilogue of 4 neighbouring columns of a row. Where a product's columns are one variable, there is a second form, for tiles that
 * are whole and arrays that are aligned, whose accesses are vectors.
 */
final class GemmEpilogue {
    static final int EACH = 4;

    private final GemmCode g;
    private final Set<Access> wide;

    GemmEpilogue(GemmCode g) {
        this.g = g;
        List<Var> n = g.kernel.n();
        wide = n.size() == 1
                ? SharedLoop.wide(new Stmt.Loop(n.getFirst(), Stmt.Loop.Kind.VECTOR, g.epilogue), g.c.facts)
                : Set.of();
    }

    /**
     * Whether accesses may be vectors in a tile; null: never.
     *
     * @param whole whether the tile has all of its rows and columns
     */
    Reg fast(Reg whole) {
        if (wide.isEmpty()) return null;
        Operand aligned = SharedLoop.aligned(g.c, g.kernel, wide, g.kernel.n().getFirst(), EACH);
        return g.out.and(PtxType.PRED, whole, aligned);
    }

    /**
     * @param m row of the product; it may be beyond the edge
     * @param n the first column
     * @param values sums
     * @param fast whether all of them are within, and vectors are allowed; null: never
     */
    void write(Operand m, Operand n, List<Operand> values, Reg fast) {
        if (fast == null) {
            slow(m, n, values);
            return;
        }
        g.c.memory.when(fast, () -> {
            Var column = g.kernel.n().getFirst();
            g.c.nestedStep(new Step(column, EACH, wide), false, () -> {
                g.decode(g.kernel.m(), List.of(m));
                g.c.bind(column, Value.of(DType.I64, n));
                statements(values, null);
            });
        });
        g.c.memory.when(g.out.not(PtxType.PRED, fast), () -> slow(m, n, values));
    }

    private void slow(Operand m, Operand n, List<Operand> values) {
        g.c.nestedStep(new Step(null, EACH, Set.of()), false, () -> {
            List<Operand> all = new ArrayList<>();
            for (int j = 0; j < EACH; j++) all.add(g.c.scalars.addLong(n, g.out.constant(j)));
            g.decode(g.kernel.m(), g.within(List.of(m), g.rows));
            g.decode(g.kernel.n(), g.within(all, g.columns));
            Reg below = g.out.setp(Relation.LT, PtxType.S64, m, g.rows);
            Value inside = Value.of(
                    DType.BOOL,
                    EACH,
                    j -> g.out.and(PtxType.PRED, below, g.out.setp(Relation.LT, PtxType.S64, all.get(j), g.columns)));
            statements(values, inside);
        });
    }

    private void statements(List<Operand> values, Value inside) {
        g.c.bind(g.kernel.result(), new Value(g.kernel.acc(), values));
        for (Stmt s : g.epilogue) {
            switch (s) {
                case Stmt.Let l -> g.c.let(l.local(), l.value());
                case Stmt.Store st -> {
                    g.c.memory.store(st, inside);
                    g.c.scope().changed(st.buffer());
                }
                case Stmt.Loop _, Stmt.Declare _, Stmt.Accumulate _, Stmt.Set _, Stmt.If _ ->
                    throw new IllegalStateException(g.kernel.name() + ": an epilogue has values and stores only");
            }
        }
    }
}
