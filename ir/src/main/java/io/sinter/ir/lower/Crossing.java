// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Elementwise code that goes along memory in one variable for some of its operands and in another variable for others: a transposed copy, a sum
 * with a permuted operand. Whatever variable the vectors run along, the other operands jump from cache line to cache line (and from page to page);
 * in square tiles each line is fetched once and all of it used while it is in the first-level cache.
 *
 * @param v the vectors' variable
 * @param w the variable along which the other operands lie
 * @param bytes of the smallest and of the largest element among those operands
 */
record Crossing(Var v, Var w, Range bytes) {
    record Range(int least, int most) {}

    /** A cache line, in bytes. */
    private static final long LINE = 64;

    /** At least a vector. */
    private static final long LEAST = 16;

    /** A side of tiles that are turned: some lines of each row, so that what memory fetches ahead is used. */
    private static final long SIDE = 64;

    /** The crossing of this code, if the vectors run along {@code v}; null if there is none, or it is too small to matter. */
    static Crossing of(List<Stmt> code, List<Var> vars, Var v) {
        if (v.extent().lit() < LEAST) return null;
        Map<Var, Integer> accesses = new LinkedHashMap<>();
        int[] least = {(int) LINE};
        int[] most = {1};
        new Rewriter() {
            @Override
            protected Index index(Buf buffer, Index i) {
                for (Var w : vars) {
                    if (w.extent().lit() < LEAST || !crosses(i, v, w)) continue;
                    accesses.merge(w, 1, Integer::sum);
                    least[0] = Math.min(least[0], buffer.dtype().bytes());
                    most[0] = Math.max(most[0], buffer.dtype().bytes());
                }
                return super.index(buffer, i);
            }
        }.stmts(code);
        Var best = null;
        for (Var w : accesses.keySet()) if (best == null || accesses.get(w) > accesses.get(best)) best = w;
        return best == null ? null : new Crossing(v, best, new Range(least[0], most[0]));
    }

    private static boolean crosses(Index i, Var v, Var w) {
        long jump = IndexMath.stride(i, v);
        return w != v && jump != 0 && jump != 1 && jump != Long.MIN_VALUE && IndexMath.stride(i, w) == 1;
    }

    /** The code over square tiles, whose numbers join {@code others} as the grid. */
    LoopLowering.Tiled tiled(List<Stmt> code, List<Var> others) {
        Tile t = new Tile(Math.max(LEAST, LINE / bytes.least));
        List<Var> grid = new ArrayList<>(others);
        grid.remove(w);
        // The operands' lines: the next tile reads on where this one has stopped.
        grid.add(t.across.number);
        grid.add(t.along.number);
        return new LoopLowering.Tiled(
                grid, List.of(t.across.loop(Kind.VECTOR, List.of(t.along.loop(Kind.SEQ, t.inside(code))))));
    }

    /**
     * The same with the crossing operands turned: a task copies its tile of each into memory of its own, transposed, and reads that along the vectors; results
     * likewise, after it has computed them. The copies are loops that generators know.
     */
    LoopLowering.Tiled turned(List<Stmt> code, List<Var> others, Params params) {
        Tile t = new Tile(bytes.most > 4 ? SIDE / 2 : SIDE);
        List<Var> grid = new ArrayList<>(others);
        grid.remove(w);
        // The results' lines: the next tile writes on where this one has stopped, as lines that are written in parts
        // cost most.
        grid.add(t.along.number);
        grid.add(t.across.number);
        List<Stmt> before = new ArrayList<>();
        List<Stmt> after = new ArrayList<>();
        Index here = t.inTile(t.across.within, t.along.within);
        record Access(Buf buffer, Index index) {}
        Map<Access, Expr> turned = new HashMap<>();
        Rewriter turning = new Rewriter() {
            @Override
            protected Expr replacement(Expr e) {
                if (!(e instanceof Expr.Load l) || l.mask() != null || !isTurned(l.index())) return null;
                return turned.computeIfAbsent(new Access(l.buffer(), l.index()), _ -> {
                    Buf tile = params.scratch(l.buffer().dtype(), t.size * t.size);
                    before.add(t.copyIn(l, tile));
                    return new Expr.Load(tile, here);
                });
            }
        };
        List<Stmt> inside = new ArrayList<>();
        for (Stmt s : code) {
            if (s instanceof Stmt.Store st && st.mask() == null && isTurned(st.index())) {
                Buf tile = params.scratch(st.buffer().dtype(), t.size * t.size);
                inside.add(new Stmt.Store(tile, here, turning.expr(st.value())));
                after.add(t.copyOut(st, tile));
            } else {
                inside.add(turning.stmt(s));
            }
        }
        List<Stmt> body = new ArrayList<>(before);
        body.add(t.along.loop(Kind.ROWS, List.of(t.across.loop(Kind.VECTOR, t.inside(inside)))));
        body.addAll(after);
        return new LoopLowering.Tiled(grid, body);
    }

    private boolean isTurned(Index i) {
        return crosses(i, v, w) && !IndexMath.dependsOnData(i);
    }

    /** A square of {@code size × size} elements. */
    private final class Tile {
        final long size;
        final Side across;
        final Side along;

        Tile(long size) {
            this.size = size;
            this.across = new Side(v, size);
            this.along = new Side(w, size);
        }

        List<Stmt> inside(List<Stmt> code) {
            return within(across.within, along.within).stmts(code);
        }

        private Rewriter within(Var a, Var b) {
            return Rewriter.substitute(x -> x == v ? across.at(a) : x == w ? along.at(b) : null);
        }

        /** Where an element lies in a turned tile: along {@code a}, which is v within the tile. */
        Index inTile(Var a, Var b) {
            return IndexMath.add(IndexMath.mul(IndexMath.var(b), size), IndexMath.var(a));
        }

        Stmt copyIn(Expr.Load l, Buf tile) {
            Var a = new Var(across.within.name(), across.within.extent());
            Var b = new Var(along.within.name(), along.within.extent());
            Expr element = new Expr.Load(l.buffer(), within(a, b).index(l.index()));
            Stmt row = new Stmt.Loop(b, along.limit, Kind.VECTOR, List.of(new Stmt.Store(tile, inTile(a, b), element)));
            return new Stmt.Loop(a, across.limit, Kind.SEQ, List.of(row));
        }

        Stmt copyOut(Stmt.Store s, Buf tile) {
            Var a = new Var(across.within.name(), across.within.extent());
            Var b = new Var(along.within.name(), along.within.extent());
            Expr element = new Expr.Load(tile, inTile(a, b));
            Stmt row = new Stmt.Loop(
                    b,
                    along.limit,
                    Kind.VECTOR,
                    List.of(new Stmt.Store(s.buffer(), within(a, b).index(s.index()), element)));
            return new Stmt.Loop(a, across.limit, Kind.SEQ, List.of(row));
        }
    }

    /** One variable in tiles. */
    private static final class Side {
        final Var number;
        final Var within;
        final Index limit;
        private final long size;

        Side(Var x, long size) {
            this.size = size;
            long extent = x.extent().lit();
            number = new Var(x.name() + "t", Coef.of((extent + size - 1) / size));
            within = new Var(x.name() + "v", Coef.of(size));
            limit = IndexMath.add(IndexMath.mul(IndexMath.var(number), -size), extent);
        }

        /** The variable where the tile's is {@code x}. */
        Index at(Var x) {
            return IndexMath.add(IndexMath.mul(IndexMath.var(number), size), IndexMath.var(x));
        }

        Stmt loop(Kind kind, List<Stmt> body) {
            return new Stmt.Loop(within, limit, kind, body);
        }
    }
}
