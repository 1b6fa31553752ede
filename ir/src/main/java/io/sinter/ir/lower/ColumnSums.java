// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Reductions of many rows, column by column, in one pass: rows are read in order, as they lie in memory, and added to accumulators of a
 * whole tile of columns that stay in the first-level cache. (Accumulators in registers would read a few columns of every row, one cache line a
 * page.) Several rows at a time, so that an accumulator is loaded and stored once for several additions; what is left at the end, row by row. Both are in the code whatever
 * the number of rows, so that it is the same code for all.
 */
final class ColumnSums {
    /** Bytes of a task's accumulators: a third of a first-level cache. */
    private static final long ACCUMULATORS = 1 << 14;

    /** Columns below which a call for each row does not pay. */
    private static final long FEW_COLUMNS = 256;

    /** Tasks that there should be, if the columns are enough. */
    private static final long TASKS = 32;

    /** Rows that are added in one step, at the most. */
    private static final long STEP = 4;

    /**
     * Operations and accesses in the code of a step. HotSpot takes 0.2 seconds and more for four rows of what a norm's gradient computes, and saving some
     * loads of accumulators in the cache is not worth that.
     */
    private static final int MOST_OPERATIONS = 32;

    private final List<Var> grid;
    private final List<Var> rows;
    private final Var column;
    private final RowBlocks blocks;
    private final Params params;

    /**
     * @param grid the variables outside
     * @param rows what is reduced over, outermost first
     * @param column the variable along which memory runs
     * @param blocks whose rows these are, of a multiple of {@link #STEP}; null if there are all rows
     */
    ColumnSums(List<Var> grid, List<Var> rows, Var column, RowBlocks blocks, Params params) {
        this.grid = grid;
        this.rows = rows;
        this.column = column;
        this.blocks = blocks;
        this.params = params;
    }

    /**
     * Whether a column kernel is of this kind: one pass with sums over enough columns. (A kernel that computes something once a column, of sums that
     * another one has made, has none.)
     */
    static boolean suits(Phases phases, Var column) {
        return phases.count() == 1
                && !phases.reductions().isEmpty()
                && column.extent().lit() >= FEW_COLUMNS;
    }

    /** Whether sums of blocks of {@code size} rows are. */
    static boolean suits(long size, Var column) {
        return size % STEP == 0 && column.extent().lit() >= FEW_COLUMNS;
    }

    private static long product(List<Var> vars) {
        long p = 1;
        for (Var v : vars) p *= v.extent().lit();
        return p;
    }

    /**
     * The kernel's code.
     *
     * @param declare the accumulators, each declared with its start value
     * @param pass one {@link Stmt.Accumulate} for each, for one element; then stores of elements
     * @param finish what follows the rows
     */
    LoopLowering.Tiled tiled(List<Stmt> declare, List<Stmt> pass, List<Stmt> finish) {
        long bytes = 0;
        for (Stmt s : declare) bytes += ((Stmt.Declare) s).local().dtype().bytes();
        long extent = column.extent().lit();
        long most = ACCUMULATORS / bytes;
        long width = Math.min(most, extent);
        while (width > FEW_COLUMNS && product(grid) * ((extent + width - 1) / width) < TASKS) width = (width + 1) / 2;
        Tile tile = new Tile(width);

        List<Stmt> start = new ArrayList<>();
        List<Buf> sums = new ArrayList<>();
        List<Stmt> end = new ArrayList<>();
        for (Stmt s : declare) {
            Stmt.Declare d = (Stmt.Declare) s;
            // The same room whatever the width, as it is part of the code.
            Buf sum = params.scratch(d.local().dtype(), most);
            sums.add(sum);
            start.add(new Stmt.Store(sum, tile.own, d.init()));
            end.add(new Stmt.Let(d.local(), new Expr.Load(sum, tile.own)));
        }
        end.addAll(tile.inside(finish));

        List<Stmt> body = new ArrayList<>(List.of(tile.loop(start)));
        body.add(nest(steps(tile, pass, sums)));
        body.add(tile.loop(end));
        return new LoopLowering.Tiled(tile.grid, body);
    }

    /** All rows: whole steps, and the rows of one that is not. */
    private Stmt steps(Tile tile, List<Stmt> pass, List<Buf> sums) {
        // A power of two, as STEP is: the rows of a block are whole steps.
        long step = Long.highestOneBit(Math.clamp(MOST_OPERATIONS / operations(pass), 1, STEP));
        Var row = rows.getLast();
        long n = row.extent().lit();
        // Of all rows, one step more than there are, for which nothing is left: a loop of one step would be other code.
        Var i = new Var(row.name() + "q", Coef.of(blocks == null ? (n + step - 1) / step + 1 : n / step));
        Index first = IndexMath.mul(IndexMath.var(i), step);
        Index all = blocks == null ? IndexMath.add(Index.ZERO, n) : blocks.rest();
        Index left = IndexMath.add(all, IndexMath.mul(first, -1));
        Expr rest = new Expr.IndexValue(DType.I64, left);
        Expr whole = Expr.Const.ofLong(DType.I64, step);
        Var k = new Var(row.name() + "r", Coef.of(step));
        Stmt single = new Stmt.Loop(
                k, left, Kind.SEQ, add(tile, pass, sums, row, List.of(IndexMath.add(first, IndexMath.var(k)))));
        List<Index> together = new ArrayList<>();
        for (long r = 0; r < step; r++) together.add(IndexMath.add(first, r));
        List<Stmt> body = List.of(
                new Stmt.If(new Expr.Bin(Prim2.GE, rest, whole), add(tile, pass, sums, row, together)),
                new Stmt.If(new Expr.Bin(Prim2.LT, rest, whole), List.of(single)));
        return new Stmt.Loop(i, blocks == null ? null : blocks.steps(step), Kind.SEQ, body);
    }

    private static int operations(List<Stmt> pass) {
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Expr> rest = new ArrayDeque<>();
        Facts.walk(pass, s -> Facts.roots(s).forEach(rest::add));
        while (!rest.isEmpty()) {
            Expr e = rest.pop();
            if (seen.add(e)) rest.addAll(Facts.children(e));
        }
        return seen.size();
    }

    /** Adds some rows to the sums. */
    private List<Stmt> add(Tile tile, List<Stmt> pass, List<Buf> sums, Var row, List<Index> which) {
        List<Expr> values = new ArrayList<>();
        for (Buf sum : sums) values.add(new Expr.Load(sum, tile.own));
        List<Stmt> stores = new ArrayList<>();
        for (Index at : which) {
            Rewriter rewriter = Rewriter.substitute(v -> v == row ? at : null);
            List<Stmt> here = rewriter.stmts(tile.inside(pass));
            for (int a = 0; a < sums.size(); a++) {
                Stmt.Accumulate s = (Stmt.Accumulate) here.get(a);
                values.set(a, SingleLowering.combine(s.op(), values.get(a), s.value()));
            }
            stores.addAll(here.subList(sums.size(), here.size()));
        }
        List<Stmt> body = new ArrayList<>();
        for (int a = 0; a < sums.size(); a++) body.add(new Stmt.Store(sums.get(a), tile.own, values.get(a)));
        body.addAll(stores);
        return List.of(tile.loop(body));
    }

    /** The loop over the rows' other variables around one over the last. */
    private Stmt nest(Stmt inner) {
        Stmt s = inner;
        for (Var v : rows.subList(0, rows.size() - 1).reversed()) s = new Stmt.Loop(v, Kind.SEQ, List.of(s));
        return s;
    }

    /** A tile of the columns: the grid with its number, loops over it. */
    private final class Tile {
        private final List<Var> grid = new ArrayList<>(ColumnSums.this.grid);
        private final Var within;
        /** Position in the tile. */
        private final Index own;
        /** Position in the row; null where one tile is all of it. */
        private final Index whole;

        private final Index limit;

        Tile(long width) {
            long extent = column.extent().lit();
            if (width == extent) {
                within = column;
                whole = null;
                limit = null;
            } else {
                Var t = new Var(column.name() + "t", Coef.of((extent + width - 1) / width));
                grid.add(t);
                within = new Var(column.name() + "v", Coef.of(width));
                whole = IndexMath.add(IndexMath.mul(IndexMath.var(t), width), IndexMath.var(within));
                limit = IndexMath.add(IndexMath.mul(IndexMath.var(t), -width), extent);
            }
            own = IndexMath.var(within);
        }

        /** Code over the columns as code over the tile. */
        List<Stmt> inside(List<Stmt> code) {
            return whole == null
                    ? code
                    : Rewriter.substitute(v -> v == column ? whole : null).stmts(code);
        }

        Stmt loop(List<Stmt> body) {
            return new Stmt.Loop(within, limit, Kind.VECTOR, body);
        }
    }
}
