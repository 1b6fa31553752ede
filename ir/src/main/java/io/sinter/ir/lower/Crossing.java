// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Elementwise code that goes along memory in one variable for some of its operands and in another variable for others: a transposed copy, a sum
 * with a permuted operand. Whatever variable the vectors run along, the other operands jump from cache line to cache line (and from page to page);
 * in small square tiles each line is fetched once and all of it used while it is in the first-level cache.
 *
 * @param v the vectors' variable
 * @param w the variable along which the other operands lie
 * @param size elements of a tile's side
 */
record Crossing(Var v, Var w, long size) {
    /** A cache line, in bytes. */
    private static final long LINE = 64;

    /** At least a vector. */
    private static final long LEAST = 16;

    /** The crossing of this code, if the vectors run along {@code v}; null if there is none, or it is too small to matter. */
    static Crossing of(List<Stmt> code, List<Var> vars, Var v) {
        if (v.extent().lit() < LEAST) return null;
        Map<Var, Integer> accesses = new LinkedHashMap<>();
        long[] bytes = {LINE};
        new Rewriter() {
            @Override
            protected Index index(Buf buffer, Index i) {
                long jump = IndexMath.stride(i, v);
                if (jump != 0 && jump != 1 && jump != Long.MIN_VALUE) {
                    for (Var w : vars) {
                        if (w == v || w.extent().lit() < LEAST || IndexMath.stride(i, w) != 1) continue;
                        accesses.merge(w, 1, Integer::sum);
                        bytes[0] = Math.min(bytes[0], buffer.dtype().bytes());
                    }
                }
                return super.index(buffer, i);
            }
        }.stmts(code);
        Var best = null;
        for (Var w : accesses.keySet()) if (best == null || accesses.get(w) > accesses.get(best)) best = w;
        return best == null ? null : new Crossing(v, best, Math.max(LEAST, LINE / bytes[0]));
    }

    /** The code over square tiles, whose numbers join {@code others} as the grid. */
    LoopLowering.Tiled tiled(List<Stmt> code, List<Var> others) {
        List<Var> grid = new ArrayList<>(others);
        grid.remove(w);
        Side across = new Side(v);
        Side along = new Side(w);
        // The operands' lines: the next tile reads on where this one has stopped.
        grid.add(across.number);
        grid.add(along.number);
        List<Stmt> inside = Rewriter.substitute(x -> x == v ? across.whole : x == w ? along.whole : null)
                .stmts(code);
        Stmt lines = new Stmt.Loop(along.within, along.limit, Kind.SEQ, inside);
        return new LoopLowering.Tiled(
                grid, List.of(new Stmt.Loop(across.within, across.limit, Kind.VECTOR, List.of(lines))));
    }

    /** One variable in tiles. */
    private final class Side {
        final Var number;
        final Var within;
        final Index whole;
        final Index limit;

        Side(Var x) {
            long extent = x.extent().lit();
            number = new Var(x.name() + "t", Coef.of((extent + size - 1) / size));
            within = new Var(x.name() + "v", Coef.of(size));
            whole = IndexMath.add(IndexMath.mul(IndexMath.var(number), size), IndexMath.var(within));
            limit = IndexMath.add(IndexMath.mul(IndexMath.var(number), -size), extent);
        }
    }
}
