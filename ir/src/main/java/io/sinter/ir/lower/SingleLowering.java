// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Scatter;
import java.util.ArrayList;
import java.util.List;

/** Operators that are a kernel by themselves: scans and scatters. */
final class SingleLowering {
    private static final long COLUMNS = 64;

    /** Elements of a slice for one task, where that gives enough tasks. */
    private static final long SLICE = 1024;

    private static final long FEW_TASKS = 16;

    private final Node node;
    private final Params params;
    private final Values values;

    SingleLowering(Group group, Params params, Sites sites) {
        this.node = group.anchor();
        this.params = params;
        this.values = new Values(group, params, sites);
    }

    // ---- scan

    /** Inclusive scan: in order along the axis, side by side over the other axes. */
    LoopKernel scan(Scan s, String name) {
        Shape shape = node.shape();
        List<Var> grid = new ArrayList<>();
        List<Index> at = new ArrayList<>();
        Var along = new Var("s", Coef.of(shape.dim(s.axis())));
        for (int x = 0; x < shape.rank(); x++) {
            if (x == s.axis()) {
                Index i = IndexMath.var(along);
                at.add(s.reverse() ? IndexMath.add(IndexMath.mul(i, -1), shape.dim(x) - 1) : i);
            } else {
                at.add(axis(grid, "i" + x, shape.dim(x)));
            }
        }
        DType t = node.dtype().compute();
        Local acc = new Local("acc", t);
        Combine op =
                switch (s.kind()) {
                    case SUM -> Combine.SUM;
                    case PROD -> Combine.PROD;
                    case MAX -> Combine.MAX;
                    case MIN -> Combine.MIN;
                };
        Buf out = params.write(new Params.BufferKey(node, 0), node.dtype());
        Expr next = combine(op, new Expr.Ref(acc), values.value(node.input(0), at));
        if (node.dtype().isInt() && node.dtype() != t) next = new Expr.Narrow(node.dtype(), next);
        List<Stmt> step = List.of(
                new Stmt.Set(acc, next), new Stmt.Store(out, IndexMath.linear(at, shape.toArray()), new Expr.Ref(acc)));
        Expr start = t == DType.BOOL
                ? Expr.Const.of(t, op == Combine.MIN || op == Combine.PROD ? 1 : 0)
                : Reductions.identity(op, t);
        List<Stmt> column = List.of(new Stmt.Declare(acc, start), new Stmt.Loop(along, Kind.SEQ, step));
        boolean lastIsScanned = s.axis() == shape.rank() - 1 || grid.isEmpty();
        return lastIsScanned ? kernel(name, grid, column) : side(name, grid, column);
    }

    static Expr combine(Combine op, Expr a, Expr b) {
        return new Expr.Bin(
                switch (op) {
                    case SUM -> a.dtype() == DType.BOOL ? Prim2.OR : Prim2.ADD;
                    case PROD -> a.dtype() == DType.BOOL ? Prim2.AND : Prim2.MUL;
                    case MAX -> Prim2.MAX;
                    case MIN -> Prim2.MIN;
                },
                a,
                b);
    }

    private static Index axis(List<Var> vars, String name, long extent) {
        if (extent == 1) return Index.ZERO;
        Var v = new Var(name, Coef.of(extent));
        vars.add(v);
        return IndexMath.var(v);
    }

    private LoopKernel kernel(String name, List<Var> grid, List<Stmt> body) {
        return new LoopKernel(name, grid, params.buffers(), 0, params.scratchBytes(), body);
    }

    /** The last grid variable as vector lanes. */
    private LoopKernel side(String name, List<Var> grid, List<Stmt> body) {
        Var v = grid.removeLast();
        long extent = v.extent().lit();
        if (extent <= COLUMNS) return kernel(name, grid, List.of(new Stmt.Loop(v, Kind.VECTOR, body)));
        LoopLowering.Tiled t = LoopLowering.tile(body, grid, v, COLUMNS);
        return kernel(name, t.grid(), t.body());
    }

    // ---- scatter

    /** First kernel of an update: the result starts as a copy of the operand. */
    LoopKernel start(String name, boolean largeTasks) {
        Node x = node.input(0);
        List<Var> vars = new ArrayList<>();
        List<Index> at = new ArrayList<>();
        for (int i = 0; i < x.shape().rank(); i++)
            at.add(axis(vars, "i" + i, x.shape().dim(i)));
        Local v = new Local("v0", x.dtype().compute());
        Buf out = params.write(new Params.BufferKey(node, 0), node.dtype());
        List<Stmt> body = List.of(
                new Stmt.Let(v, values.value(x, at)),
                new Stmt.Store(out, IndexMath.linear(at, x.shape().toArray()), new Expr.Ref(v)));
        return LoopLowering.elementwise(name, body, vars, params, largeTasks);
    }

    /** Second kernel: whole slices, in the order of the indices. */
    LoopKernel put(Put p, String name) {
        Shape src = node.input(2).shape();
        List<Var> before = new ArrayList<>();
        List<Var> after = new ArrayList<>();
        List<Index> from = new ArrayList<>();
        Var k = new Var("k", Coef.of(src.dim(p.axis())));
        for (int x = 0; x < src.rank(); x++) {
            from.add(x == p.axis() ? IndexMath.var(k) : axis(x < p.axis() ? before : after, "i" + x, src.dim(x)));
        }
        Index target =
                values.data(node, 1, List.of(IndexMath.var(k)), node.shape().dim(p.axis()));
        List<Index> to = new ArrayList<>(from);
        to.set(p.axis(), target);
        List<Stmt> step = update(p.mode(), from, to);
        Var vector = after.isEmpty() ? null : after.removeLast();
        List<Var> grid = new ArrayList<>(before);
        grid.addAll(after);
        if (vector == null) return kernel(name, grid, List.of(new Stmt.Loop(k, Kind.SEQ, step)));
        return inOrder(name, k, step, grid, vector);
    }

    /**
     * {@code step} for one {@code k} after the other; lanes and tasks are elements of a slice, so no two tasks meet. A task takes a
     * part of each slice that is worth its call, or a small one where there would be few tasks.
     */
    private LoopKernel inOrder(String name, Var k, List<Stmt> step, List<Var> grid, Var vector) {
        long tasks = (vector.extent().lit() + SLICE - 1) / SLICE;
        for (Var v : grid) tasks *= v.extent().lit();
        LoopLowering.Tiled t = LoopLowering.tile(step, grid, vector, tasks < FEW_TASKS ? COLUMNS : SLICE);
        return kernel(name, t.grid(), List.of(new Stmt.Loop(k, Kind.SEQ, t.body())));
    }

    /** Second kernel: single elements; tasks over every axis but the scattered one. */
    LoopKernel scatter(Scatter s, String name) {
        Shape index = node.input(1).shape();
        List<Var> grid = new ArrayList<>();
        List<Index> from = new ArrayList<>();
        Var k = new Var("k", Coef.of(index.dim(s.axis())));
        Var last = null;
        for (int x = 0; x < index.rank(); x++) {
            int before = grid.size();
            from.add(x == s.axis() ? IndexMath.var(k) : axis(grid, "i" + x, index.dim(x)));
            if (x > s.axis() && grid.size() > before) last = grid.getLast();
        }
        Index target = values.data(node, 1, from, node.shape().dim(s.axis()));
        List<Index> to = new ArrayList<>(from);
        to.set(s.axis(), target);
        List<Stmt> step = update(s.mode(), from, to);
        if (last == null) return kernel(name, grid, List.of(new Stmt.Loop(k, Kind.SEQ, step)));
        // Rows of memory are read in order: some columns of them a task.
        grid.remove(last);
        return inOrder(name, k, step, grid, last);
    }

    private List<Stmt> update(Put.Mode mode, List<Index> from, List<Index> to) {
        Buf out = params.write(new Params.BufferKey(node, 0), node.dtype());
        Index at = IndexMath.linear(to, node.shape().toArray());
        Expr v = values.value(node.input(2), from);
        Expr old = new Expr.Load(out, at);
        Expr next =
                switch (mode) {
                    case SET -> v;
                    case ADD -> combine(Combine.SUM, old, v);
                    case MUL -> combine(Combine.PROD, old, v);
                    case MAX -> combine(Combine.MAX, old, v);
                    case MIN -> combine(Combine.MIN, old, v);
                };
        return List.of(new Stmt.Store(out, at, next));
    }
}
