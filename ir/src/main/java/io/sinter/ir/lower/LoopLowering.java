// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Concat;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Elementwise, row and column kernels. A group without reductions is one pass over its space. With reductions, each task is one row (or a
 * tile of neighbouring columns) and goes over it in as many passes as the reductions depend on each other: softmax takes three,
 * a layer norm two and one to write.
 */
final class LoopLowering {
    /** Elements of a vector loop that one task runs: small enough to spread, large enough to pay for the call. */
    private static final long TILE = 4096;

    /** Columns that one task of a column kernel reduces side by side: a few vectors of accumulators. */
    private static final long COLUMNS = 64;

    /** Elements of short rows that one task runs. */
    private static final long ROWS = 1024;

    /** Largest row (bytes) kept in scratch between passes. */
    private static final long ROW_CACHE = 1 << 17;

    private final Group group;
    private final Params params;
    private final Values values;
    private final boolean largeTasks;

    private LoopLowering(Group group, Params params, Sites sites, boolean largeTasks) {
        this.group = group;
        this.params = params;
        this.largeTasks = largeTasks;
        this.values = new Values(group, params, sites);
    }

    /** @param largeTasks as in {@link io.sinter.ir.Capabilities} */
    static LoopKernel lower(Group group, Params params, Sites sites, String name, boolean largeTasks) {
        LoopLowering l = new LoopLowering(group, params, sites, largeTasks);
        Tiled code = group.inner().isEmpty() ? l.elementwise() : l.rows();
        return new LoopKernel(name, code.grid, params.buffers(), 0, params.scratchBytes(), code.body);
    }

    /** Code of a task, and the grid of tasks. */
    record Tiled(List<Var> grid, List<Stmt> body) {}

    // ---- elementwise

    private Tiled elementwise() {
        List<Stmt> body = new ArrayList<>();
        List<Stmt> stores = new ArrayList<>();
        // All values before all stores: a store may overwrite what another result reads at the same position.
        for (Node n : group.stores()) {
            List<Index> at = group.at(n).getFirst();
            Buf out = params.write(new Params.BufferKey(n, 0), n.dtype());
            if (group.isSplit(n)) {
                int axis = ((Concat) n.op()).axis();
                for (int k = 0; k < n.inputs().size(); k++) {
                    List<Index> to = new ArrayList<>(at);
                    to.set(
                            axis,
                            IndexMath.add(at.get(axis), k * n.input(k).shape().dim(axis)));
                    store(n.input(k), at, out, IndexMath.linear(to, n.shape().toArray()), body, stores);
                }
            } else {
                store(n, at, out, IndexMath.linear(at, n.shape().toArray()), body, stores);
            }
        }
        body.addAll(stores);
        return vectorized(body, group.vars(), params, largeTasks);
    }

    private void store(Node n, List<Index> at, Buf out, Index to, List<Stmt> body, List<Stmt> stores) {
        Local v = new Local("v" + stores.size(), n.dtype().compute());
        body.add(new Stmt.Let(v, values.value(n, at)));
        stores.add(new Stmt.Store(out, to, new Expr.Ref(v)));
    }

    /** Tiles and vectorizes a body that is independent for every point of {@code space}. */
    static LoopKernel elementwise(String name, List<Stmt> body, List<Var> space, Params params, boolean largeTasks) {
        Tiled c = vectorized(body, space, params, largeTasks);
        return new LoopKernel(name, c.grid, params.buffers(), 0, params.scratchBytes(), c.body);
    }

    private static Tiled vectorized(List<Stmt> body, List<Var> space, Params params, boolean largeTasks) {
        Space collapsed = Space.collapse(space, Set.of(), Rewriter.indices(body, List.of()));
        List<Stmt> code = collapsed.rewriter().stmts(body);
        List<Var> vars = new ArrayList<>(collapsed.vars());
        if (vars.isEmpty()) {
            // One element: still a loop, so that it is the same code as for a longer array.
            vars.add(new Var("i0", Coef.of(1)));
        }
        Var v = VectorChoice.best(vars, code, vars);
        Crossing crossing = Crossing.of(code, vars, v);
        vars.remove(v);
        if (crossing != null) return largeTasks ? crossing.turned(code, vars, params) : crossing.tiled(code, vars);
        Tiled rows = largeTasks ? shortRows(code, vars, v) : null;
        return rows != null ? rows : tile(code, vars, v, TILE);
    }

    /**
     * Rows of a few vectors along {@code v}, many in a task: a call for each would cost more than the row. Null if the rows are not short, or there is one only.
     */
    private static Tiled shortRows(List<Stmt> code, List<Var> grid, Var v) {
        long length = v.extent().lit();
        long count = ROWS / length;
        if (grid.isEmpty() || count < 4) return null;
        // Neighbours, unless there are too few of them.
        Var row = grid.getLast();
        for (Var x : grid.reversed()) {
            if (row.extent().lit() < count && x.extent().lit() > row.extent().lit()) row = x;
        }
        Var number = new Var(row.name() + "t", Coef.of((row.extent().lit() + count - 1) / count));
        Var within = new Var(row.name() + "v", Coef.of(count));
        Index whole = IndexMath.add(IndexMath.mul(IndexMath.var(number), count), IndexMath.var(within));
        Index limit = IndexMath.add(
                IndexMath.mul(IndexMath.var(number), -count), row.extent().lit());
        Var tiled = row;
        List<Stmt> inside = Rewriter.substitute(x -> x == tiled ? whole : null).stmts(code);
        List<Var> all = new ArrayList<>(grid);
        all.set(all.indexOf(row), number);
        Stmt each = new Stmt.Loop(v, Kind.VECTOR, inside);
        return new Tiled(all, List.of(new Stmt.Loop(within, limit, Kind.ROWS, List.of(each))));
    }

    /** {@code v} as a vector loop over tiles of {@code size}; the other variables and the tile number are the grid. */
    static Tiled tile(List<Stmt> code, List<Var> grid, Var v, long size) {
        long extent = v.extent().lit();
        if (extent <= size) return new Tiled(grid, List.of(new Stmt.Loop(v, Kind.VECTOR, code)));
        Var t = new Var(v.name() + "t", Coef.of((extent + size - 1) / size));
        Var w = new Var(v.name() + "v", Coef.of(size));
        Index whole = IndexMath.add(IndexMath.mul(IndexMath.var(t), size), IndexMath.var(w));
        List<Stmt> inside = Rewriter.substitute(x -> x == v ? whole : null).stmts(code);
        Index limit = IndexMath.add(IndexMath.mul(IndexMath.var(t), -size), extent);
        List<Var> all = new ArrayList<>(grid);
        all.add(t);
        return new Tiled(all, List.of(new Stmt.Loop(w, limit, Kind.VECTOR, inside)));
    }

    // ---- rows and columns

    private Tiled rows() {
        Phases phases = new Phases(group);
        // A first draft of all code tells how the space can be joined and where the vectors go.
        List<Stmt> draft = new ArrayList<>();
        List<Index> indices = new ArrayList<>();
        Params scratchpad = new Params();
        Values look = new Values(group, scratchpad, new Sites());
        for (Node r : phases.reductions()) {
            Local acc = new Local("x", r.dtype().compute());
            draft.add(new Stmt.Let(acc, look.value(r.input(0), operand(r, look))));
            look.define(r, new Expr.Ref(acc));
        }
        for (Node s : phases.sums())
            draft.add(new Stmt.Let(new Local("x", s.dtype().compute()), look.value(s.input(0), operand(s, look))));
        for (Node n : group.stores()) {
            List<Index> at = group.at(n).getFirst();
            Index to = IndexMath.linear(at, n.shape().toArray());
            if (n.op() instanceof BlockReduce) {
                indices.add(to);
                continue;
            }
            Buf out = scratchpad.write(new Params.BufferKey(n, 0), n.dtype());
            draft.add(new Stmt.Store(out, to, look.value(n, at)));
        }
        indices.addAll(Rewriter.indices(draft, List.of()));
        Space space = Space.collapse(group.vars(), group.inner(), indices);
        List<Stmt> joined = space.rewriter().stmts(draft);
        List<Var> outer = new ArrayList<>(space.vars());
        outer.removeAll(space.inner());
        List<Var> inner = new ArrayList<>(space.vars());
        inner.retainAll(space.inner());
        if (group.sumsBesideRows()) {
            Var v = VectorChoice.best(inner, joined, inner);
            return sumsBesideRows(phases, space, outer, inner, v);
        }
        Var v = VectorChoice.best(space.vars(), joined, inner);
        boolean columns = !space.inner().contains(v);
        if (group.blocks() != null) return blocks(phases, space, outer, inner, columns ? v : null);
        if (columns) {
            outer.remove(v);
            // A GPU's threads read neighbouring columns of a row together, and have the sums in registers.
            if (largeTasks && ColumnSums.suits(phases, v)) return columnSums(phases, space, outer, inner, v, null);
            List<Stmt> body = space.rewriter().stmts(new RowCode(phases, null, null).body(inner, null));
            return tile(body, outer, v, COLUMNS);
        }
        inner.remove(v);
        RowCode code = new RowCode(phases, new LinkedHashSet<>(group.inner()), null);
        return new Tiled(outer, space.rewriter().stmts(code.body(inner, v)));
    }

    private Tiled columnSums(Phases phases, Space space, List<Var> grid, List<Var> rows, Var column, RowBlocks blocks) {
        RowCode code = new RowCode(phases, null, blocks);
        List<Stmt> declare = new ArrayList<>();
        List<Stmt> pass = new ArrayList<>();
        for (Node r : phases.reductions()) code.accumulate(r, 0, declare, pass);
        for (Node n : phases.storedIn(0)) code.storeDirectly(n, pass);
        List<Stmt> finish = new ArrayList<>();
        List<Stmt> stores = new ArrayList<>();
        for (Node n : phases.storedPerRow()) code.store(n, finish, stores);
        finish.addAll(stores);
        UnaryOperator<List<Stmt>> joined = space.rewriter()::stmts;
        UnaryOperator<List<Stmt>> over = c -> blocks == null ? joined.apply(c) : blocks.inside(joined.apply(c));
        List<Var> each = blocks == null ? rows : List.of(blocks.row());
        return new ColumnSums(grid, each, column, blocks, params).tiled(declare, over.apply(pass), over.apply(finish));
    }

    /**
     * Blocks of rows that are reduced, and nothing else.
     *
     * @param column the vectors' variable; null if they run along the rows
     */
    private Tiled blocks(Phases phases, Space space, List<Var> outer, List<Var> rows, Var column) {
        RowBlocks blocks = new RowBlocks(rows, group.blocks().size());
        List<Var> grid = new ArrayList<>(List.of(blocks.block()));
        grid.addAll(outer);
        grid.remove(column);
        if (column != null && largeTasks && ColumnSums.suits(group.blocks().size(), column))
            return columnSums(phases, space, grid, rows, column, blocks);
        RowCode code = new RowCode(phases, null, blocks);
        List<Stmt> body = column == null ? code.body(List.of(), blocks.row()) : code.body(List.of(blocks.row()), null);
        body = blocks.inside(space.rewriter().stmts(body));
        return column == null ? new Tiled(grid, body) : tile(body, grid, column, COLUMNS);
    }

    /**
     * A row kernel that also reduces its rows column by column: a task is a block of rows, whose sums lie in scratch memory, each as long as a row. One task for
     * each row, and a second kernel for the sums, would read everything twice.
     */
    private Tiled sumsBesideRows(Phases phases, Space space, List<Var> outer, List<Var> inner, Var v) {
        RowBlocks blocks = new RowBlocks(outer, group.blocks().size());
        List<Var> seq = new ArrayList<>(inner);
        seq.remove(v);
        RowCode code = new RowCode(phases, new LinkedHashSet<>(group.inner()), blocks);
        Stmt rows = code.loop(blocks.row(), Kind.SEQ, code.body(seq, v));
        List<Stmt> start = new ArrayList<>();
        List<Stmt> end = new ArrayList<>();
        for (Node n : phases.sums()) code.frameSum(n, start, end);
        List<Stmt> body = new ArrayList<>(code.loops(seq, v, start));
        body.add(rows);
        body.addAll(code.loops(seq, v, end));
        return new Tiled(List.of(blocks.block()), blocks.inside(space.rewriter().stmts(body)));
    }

    private List<Index> operand(Node reduce, Values with) {
        return Operands.index(reduce, 0, group.at(reduce).getFirst(), with);
    }

    /** Writes the passes over one row. */
    private final class RowCode {
        private final Phases phases;
        private final Set<Var> cacheOver;
        private final RowBlocks blocks;
        private final Map<Node, Sum> sums = new IdentityHashMap<>();
        private int locals;

        /** A sum beside the rows: where it lies, and what it would be over an accumulator. */
        private record Sum(Buf memory, Index column, Reductions.Step step) {}

        /**
         * @param cacheOver the row's variables if expensive values may be kept in scratch between passes, else null
         * @param blocks of rows; null if there are none
         */
        RowCode(Phases phases, Set<Var> cacheOver, RowBlocks blocks) {
            this.phases = phases;
            this.cacheOver = cacheOver;
            this.blocks = blocks;
        }

        /** The statements of one row: loops over {@code seq} and, innermost, over {@code vector} (null in a column kernel). */
        List<Stmt> body(List<Var> seq, Var vector) {
            List<Stmt> out = new ArrayList<>();
            Set<Node> kept = cacheOver == null ? Set.of() : phases.sharedAndExpensive(rowBytesLimit());
            // A GPU's threads keep them in registers.
            Map<Node, Node> inResults = largeTasks ? phases.keptInResults(kept) : Map.of();
            for (int p = 0; p < phases.count(); p++) {
                List<Stmt> declare = new ArrayList<>();
                List<Stmt> pass = new ArrayList<>();
                List<Node> keptHere = phases.keptFirstIn(kept, p);
                Map<Node, Expr> memory = new IdentityHashMap<>();
                for (Node n : keptHere) memory.put(n, keep(n, inResults.get(n), pass));
                for (Node r : phases.accumulatedIn(p)) accumulate(r, p, declare, pass);
                for (Node n : phases.summedIn(p)) sum(n, pass);
                List<Stmt> stores = new ArrayList<>();
                for (Node n : phases.storedIn(p)) if (inResults.get(n) != n) store(n, pass, stores);
                pass.addAll(stores);
                out.addAll(declare);
                if (!pass.isEmpty()) out.addAll(loops(seq, vector, pass));
                for (Node n : keptHere) values.cache(n, group.at(n).getFirst(), memory.get(n));
            }
            List<Stmt> stores = new ArrayList<>();
            for (Node n : phases.storedPerRow()) store(n, out, stores);
            out.addAll(stores);
            return out;
        }

        private long rowBytesLimit() {
            long elements = 1;
            for (Var v : cacheOver) elements *= v.extent().lit();
            return ROW_CACHE / Math.max(1, elements);
        }

        List<Stmt> loops(List<Var> seq, Var vector, List<Stmt> pass) {
            List<Stmt> nest = pass;
            if (vector != null) nest = List.of(loop(vector, Kind.VECTOR, nest));
            for (Var v : seq.reversed()) nest = List.of(loop(v, Kind.SEQ, nest));
            return nest;
        }

        Stmt loop(Var v, Kind kind, List<Stmt> body) {
            boolean rows = blocks != null && v == blocks.row();
            return new Stmt.Loop(v, rows ? blocks.rest() : null, kind, body);
        }

        /**
         * Computes a value of the row and keeps it: what the passes to come read.
         *
         * @param result in whose row; null for scratch memory
         */
        private Expr keep(Node n, Node result, List<Stmt> pass) {
            List<Index> at = group.at(n).getFirst();
            // In the register type: keeping must not round.
            DType dtype = n.dtype().compute();
            Buf memory = result == null ? rowScratch(dtype) : params.write(new Params.BufferKey(result, 0), dtype);
            Index i = result == null ? inRow() : place(result);
            Local v = new Local("k" + locals++, dtype);
            pass.add(new Stmt.Let(v, values.value(n, at)));
            pass.add(new Stmt.Store(memory, i, new Expr.Ref(v)));
            values.cache(n, at, new Expr.Ref(v));
            return new Expr.Load(memory, i);
        }

        private Buf rowScratch(DType dtype) {
            long elements = 1;
            for (Var v : cacheOver) elements *= v.extent().lit();
            return params.scratch(dtype, elements);
        }

        private Index inRow() {
            long[] dims = cacheOver.stream().mapToLong(v -> v.extent().lit()).toArray();
            return IndexMath.linear(cacheOver.stream().map(IndexMath::var).toList(), dims);
        }

        /** Adds an element of the row to its column's sum. */
        private void sum(Node n, List<Stmt> pass) {
            Expr x = values.value(n.input(0), operand(n, values));
            Reductions.Step step = Reductions.step(n, x, 0, null, "s" + locals++, params);
            Local acc = ((Stmt.Declare) step.declare().getFirst()).local();
            Stmt.Accumulate a = (Stmt.Accumulate) step.body().getFirst();
            Sum sum = new Sum(rowScratch(acc.dtype()), inRow(), step);
            sums.put(n, sum);
            Expr before = new Expr.Load(sum.memory, sum.column);
            pass.add(new Stmt.Store(sum.memory, sum.column, SingleLowering.combine(a.op(), before, a.value())));
        }

        /** What comes before a sum's rows, and after them. */
        void frameSum(Node n, List<Stmt> start, List<Stmt> end) {
            Sum sum = sums.get(n);
            Stmt.Declare d = (Stmt.Declare) sum.step.declare().getFirst();
            start.add(new Stmt.Store(sum.memory, sum.column, d.init()));
            end.add(new Stmt.Let(d.local(), new Expr.Load(sum.memory, sum.column)));
            Buf out = params.write(new Params.BufferKey(n, 0), n.dtype());
            end.add(new Stmt.Store(out, place(n), sum.step.result()));
        }

        private void accumulate(Node n, int pass, List<Stmt> declare, List<Stmt> body) {
            Expr x = values.value(n.input(0), operand(n, values));
            // For an argmax: the position along its axis.
            Reductions.Step step = Reductions.step(
                    n,
                    x,
                    pass - phases.operandLevel(n),
                    () -> IndexMath.var(group.reduced(n).getFirst()),
                    "a" + locals++,
                    params);
            declare.addAll(step.declare());
            body.addAll(step.body());
            if (step.result() != null) values.define(n, step.result());
        }

        private void store(Node n, List<Stmt> body, List<Stmt> stores) {
            List<Index> at = group.at(n).getFirst();
            Buf out = params.write(new Params.BufferKey(n, 0), n.dtype());
            Local v = new Local("v" + locals++, n.dtype().compute());
            body.add(new Stmt.Let(v, values.value(n, at)));
            stores.add(new Stmt.Store(out, place(n), new Expr.Ref(v)));
        }

        /** Without a local: code that may be repeated. */
        void storeDirectly(Node n, List<Stmt> body) {
            Buf out = params.write(new Params.BufferKey(n, 0), n.dtype());
            body.add(new Stmt.Store(out, place(n), values.value(n, group.at(n).getFirst())));
        }

        /** Where a stored value lies; that of a block of rows, by the block's number. */
        private Index place(Node n) {
            List<Index> at = new ArrayList<>(group.at(n).getFirst());
            if (n.op() instanceof BlockReduce) at.set(0, IndexMath.var(blocks.block()));
            return IndexMath.linear(at, n.shape().toArray());
        }
    }
}
