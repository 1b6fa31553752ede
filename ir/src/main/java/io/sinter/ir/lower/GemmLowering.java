// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Matmul;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Matrix products and convolutions, with the elementwise code of their group as epilogue. Convolutions are implicit matrix products: nothing is
 * unfolded in memory, the structure of the index goes to the template as several variables for m, n and k.
 */
final class GemmLowering {
    /** Below this many output pixels an image is too small to be a matrix of its own: all images are columns of one. */
    private static final long SMALL_IMAGE = 512;

    private final Group group;
    private final Params params;
    private final Values values;
    private final List<Var> batch = new ArrayList<>();
    private final List<Var> m = new ArrayList<>();
    private final List<Var> n = new ArrayList<>();
    private final List<Var> k = new ArrayList<>();
    private Expr a;
    private Expr b;
    private List<Index> out;
    private Stencil stencil;

    private GemmLowering(Group group, Params params, Sites sites) {
        this.group = group;
        this.params = params;
        this.values = new Values(group, params, sites);
    }

    static GemmKernel lower(Group group, Params params, Sites sites, String name) {
        GemmLowering l = new GemmLowering(group, params, sites);
        Node t = group.anchor();
        switch (t.op()) {
            case Matmul _ -> l.matmul(t);
            case Conv c -> l.conv(t, c);
            case ConvInputGrad c -> l.convInputGrad(t, c);
            case ConvWeightGrad c -> l.convWeightGrad(t, c);
            default -> throw new IllegalStateException(t.op().name() + " is no template");
        }
        return l.kernel(t, name);
    }

    private static Index add(List<Var> to, String name, long extent) {
        Var v = new Var(name, Coef.of(extent));
        to.add(v);
        return IndexMath.var(v);
    }

    private void matmul(Node t) {
        List<Index> lead = new ArrayList<>();
        int r = t.shape().rank();
        for (int x = 0; x < r - 2; x++) lead.add(add(batch, "b" + x, t.shape().dim(x)));
        Index i = add(m, "m", t.shape().dim(r - 2));
        Index j = add(n, "n", t.shape().dim(r - 1));
        Index kk = add(k, "k", t.input(0).shape().dim(r - 1));
        a = values.value(t.input(0), with(lead, i, kk));
        b = values.value(t.input(1), with(lead, kk, j));
        out = with(lead, i, j);
    }

    private static List<Index> with(List<Index> lead, Index... more) {
        List<Index> r = new ArrayList<>(lead);
        r.addAll(Arrays.asList(more));
        return r;
    }

    private void conv(Node t, Conv c) {
        Node x = t.input(0);
        Node w = t.input(1);
        int s = c.stride().length;
        long og = w.shape().dim(0) / c.groups();
        long cg = w.shape().dim(1);
        long pixels = 1;
        for (int d = 0; d < s; d++) pixels *= t.shape().dim(2 + d);
        List<StencilDims.Axis> axes = new ArrayList<>();
        for (int d = 0; d < s; d++) {
            axes.add(StencilDims.Axis.forward(
                    t.shape().dim(2 + d),
                    w.shape().dim(2 + d),
                    c.stride()[d],
                    c.dilation()[d],
                    c.padLow()[d],
                    x.shape().dim(2 + d)));
        }
        boolean slides = StencilDims.pays(axes, t.dtype());
        boolean small = !slides && pixels < SMALL_IMAGE && c.groups() == 1;
        Index image = add(small ? n : batch, small ? "i" : "bi", x.shape().dim(0));
        Index g = add(batch, "g", c.groups());
        Index o = IndexMath.add(IndexMath.mul(g, og), add(m, "o", og));
        Index ci = add(k, "c", cg);
        Index[] y = new Index[s];
        Index[] tap = new Index[s];
        for (int d = 0; d < s; d++) y[d] = add(n, "y" + d, t.shape().dim(2 + d));
        for (int d = 0; d < s; d++) tap[d] = add(k, "t" + d, w.shape().dim(2 + d));
        a = values.value(w, with(List.of(o, ci), tap));
        Index[] at = new Index[s];
        for (int d = 0; d < s; d++) {
            at[d] = IndexMath.add(
                    IndexMath.add(IndexMath.mul(y[d], c.stride()[d]), IndexMath.mul(tap[d], c.dilation()[d])),
                    -c.padLow()[d]);
        }
        List<Index> pos = with(List.of(image, IndexMath.add(IndexMath.mul(g, cg), ci)), at);
        b = values.value(x, pos, Values.inside(pos, x.shape().toArray()));
        out = with(List.of(image, o), y);
        if (slides) stencil(axes, x, image, IndexMath.add(IndexMath.mul(g, cg), ci), a, false);
    }

    /** What is known of a right operand that is {@code x}, at an image and a channel, under windows. */
    private void stencil(
            List<StencilDims.Axis> axes, Node x, Index image, Index channel, Expr left, boolean pixelsInK) {
        StencilDims dims = new StencilDims(axes);
        List<Index> at = with(List.of(image, channel), dims.places().toArray(Index[]::new));
        Expr inside = Values.inside(at, x.shape().toArray());
        Expr staged = values.value(x, at, inside);
        List<Var> positions =
                dims.dims().stream().map(Stencil.Dim::position).collect(Collectors.toCollection(ArrayList::new));
        positions.addAll(k);
        positions.addAll(n);
        boolean plain = staged instanceof Expr.Load l && l.mask() == inside && isMemory(l, positions);
        stencil = new Stencil(staged, plain, left == null ? null : memory(left), pixelsInK, dims.dims());
    }

    /** A left operand that is memory with a stride for each variable of m and k; else null. */
    private Expr.Load memory(Expr e) {
        if (!(e instanceof Expr.Load l) || l.mask() != null) return null;
        List<Var> inner = new ArrayList<>(m);
        inner.addAll(k);
        return isMemory(l, inner) ? l : null;
    }

    /** Whether what a load reads is of the type that is computed in and lies with a stride for each of these variables. */
    private static boolean isMemory(Expr.Load l, List<Var> inner) {
        if (l.buffer().dtype() != l.buffer().dtype().compute()) return false;
        for (Index.Term t : l.index().terms()) {
            if (t.atom() instanceof Index.VarAtom) continue;
            Index alone = new Index(List.of(t), Coef.of(0));
            if (IndexMath.dependsOnData(alone)) return false;
            for (Var v : inner) if (IndexMath.mentions(alone, v)) return false;
        }
        return true;
    }

    /**
     * The input's pixel x gets a contribution from output pixel y through tap t where {@code y · stride = x + pad - t · dilation}.
     *
     * <p>With a stride s, pixels of one residue modulo s see the taps of one residue only. So, where extents allow it, the residue r is a batch
     * variable: {@code x = s·q + r}, {@code t = s·u + (r + pad) mod s}, {@code y = q - u + (r + pad) / s}. The products that would be with zeros are
     * not there, and y follows q element by element.
     */
    private void convInputGrad(Node t, ConvInputGrad c) {
        Node dy = t.input(0);
        Node w = t.input(1);
        int s = c.stride().length;
        long og = w.shape().dim(0) / c.groups();
        long cg = w.shape().dim(1);
        boolean[] byResidue = new boolean[s];
        long pixels = 1;
        for (int d = 0; d < s; d++) {
            long stride = c.stride()[d];
            byResidue[d] = stride > 1 && c.dilation()[d] == 1 && t.shape().dim(2 + d) % stride == 0;
            pixels *= t.shape().dim(2 + d) / (byResidue[d] ? stride : 1);
        }
        List<StencilDims.Axis> axes = inputGradAxes(t, c, byResidue);
        boolean slides = axes != null && StencilDims.pays(axes, t.dtype());
        boolean small = !slides && pixels < SMALL_IMAGE && c.groups() == 1;
        Index image = add(small ? n : batch, small ? "i" : "bi", t.shape().dim(0));
        Index g = add(batch, "g", c.groups());
        Index ci = add(m, "c", cg);
        Index o = IndexMath.add(IndexMath.mul(g, og), add(k, "o", og));
        Index[] x = new Index[s];
        Index[] tap = new Index[s];
        Index[] y = new Index[s];
        Expr only = null;
        for (int d = 0; d < s; d++) {
            long stride = c.stride()[d];
            long taps = w.shape().dim(2 + d);
            if (byResidue[d]) {
                Index residue = add(batch, "r" + d, stride);
                Index shifted = IndexMath.add(residue, c.padLow()[d]);
                if (slides) axes.set(d, axes.get(d).withResidue(residue));
                Index q = add(n, "q" + d, t.shape().dim(2 + d) / stride);
                Index u = add(k, "u" + d, (taps + stride - 1) / stride);
                x[d] = IndexMath.add(IndexMath.mul(q, stride), IndexMath.add(shifted, -c.padLow()[d]));
                tap[d] = IndexMath.add(IndexMath.mul(u, stride), IndexMath.mod(shifted, stride));
                y[d] = IndexMath.add(IndexMath.add(q, IndexMath.mul(u, -1)), IndexMath.div(shifted, stride));
                continue;
            }
            x[d] = add(n, "x" + d, t.shape().dim(2 + d));
            tap[d] = add(k, "t" + d, taps);
            Index scaled = IndexMath.add(IndexMath.add(x[d], IndexMath.mul(tap[d], -c.dilation()[d])), c.padLow()[d]);
            if (stride != 1) {
                Expr rest = new Expr.IndexValue(DType.I32, IndexMath.mod(scaled, stride));
                only = Values.and(only, new Expr.Bin(Prim2.EQ, rest, Values.zero(DType.I32)));
            }
            y[d] = IndexMath.div(scaled, stride);
        }
        List<Index> weight = with(List.of(o, ci), tap);
        a = zeroOutside(w, weight, Values.inside(weight, w.shape().toArray()));
        List<Index> pos = with(List.of(image, o), y);
        b = values.value(dy, pos, Values.and(only, Values.inside(pos, dy.shape().toArray())));
        out = with(List.of(image, IndexMath.add(IndexMath.mul(g, cg), ci)), x);
        // Taps that a residue does not have are left out, so nothing need mask the weights.
        if (slides) stencil(axes, dy, image, o, values.value(w, weight), false);
    }

    /** The axes of an input gradient as windows over dy; null if pixels of one axis see different taps. */
    private static List<StencilDims.Axis> inputGradAxes(Node t, ConvInputGrad c, boolean[] byResidue) {
        List<StencilDims.Axis> axes = new ArrayList<>();
        for (int d = 0; d < byResidue.length; d++) {
            long stride = c.stride()[d];
            if (stride > 1 && !byResidue[d]) return null;
            axes.add(StencilDims.Axis.backward(
                    t.shape().dim(2 + d),
                    t.input(1).shape().dim(2 + d),
                    stride,
                    c.dilation()[d],
                    c.padLow()[d],
                    t.input(0).shape().dim(2 + d)));
        }
        return axes;
    }

    /** The value of {@code n} at an index, 0 where {@code inside} is false (null: nowhere). */
    private Expr zeroOutside(Node n, List<Index> at, Expr inside) {
        Expr v = values.value(n, at, inside);
        if (inside == null || v instanceof Expr.Load l && l.mask() == inside) return v;
        return new Expr.Select(inside, v, Values.zero(v.dtype()));
    }

    private void convWeightGrad(Node t, ConvWeightGrad c) {
        Node x = t.input(0);
        Node dy = t.input(1);
        int s = c.stride().length;
        long og = t.shape().dim(0) / c.groups();
        long cg = t.shape().dim(1);
        Index g = add(batch, "g", c.groups());
        Index o = IndexMath.add(IndexMath.mul(g, og), add(m, "o", og));
        Index ci = add(n, "c", cg);
        Index image = add(k, "i", x.shape().dim(0));
        Index[] y = new Index[s];
        Index[] tap = new Index[s];
        for (int d = 0; d < s; d++) tap[d] = add(n, "t" + d, t.shape().dim(2 + d));
        for (int d = 0; d < s; d++) y[d] = add(k, "y" + d, dy.shape().dim(2 + d));
        a = values.value(dy, with(List.of(image, o), y));
        Index[] at = new Index[s];
        for (int d = 0; d < s; d++) {
            at[d] = IndexMath.add(
                    IndexMath.add(IndexMath.mul(y[d], c.stride()[d]), IndexMath.mul(tap[d], c.dilation()[d])),
                    -c.padLow()[d]);
        }
        List<Index> pos = with(List.of(image, IndexMath.add(IndexMath.mul(g, cg), ci)), at);
        b = values.value(x, pos, Values.inside(pos, x.shape().toArray()));
        out = with(List.of(o, ci), tap);
        List<StencilDims.Axis> axes = new ArrayList<>();
        for (int d = 0; d < s; d++) {
            axes.add(StencilDims.Axis.forward(
                    dy.shape().dim(2 + d),
                    t.shape().dim(2 + d),
                    c.stride()[d],
                    c.dilation()[d],
                    c.padLow()[d],
                    x.shape().dim(2 + d)));
        }
        if (StencilDims.pays(axes, t.dtype()))
            stencil(axes, x, image, IndexMath.add(IndexMath.mul(g, cg), ci), null, true);
    }

    private GemmKernel kernel(Node t, String name) {
        DType acc = t.dtype().compute();
        Local result = new Local("result", acc);
        Expr r = new Expr.Ref(result);
        values.define(t, t.dtype().isInt() && t.dtype() != acc ? new Expr.Narrow(t.dtype(), r) : r);
        // The group's space is the template's result, element for element in the same order.
        long[] space = group.vars().stream().mapToLong(v -> v.extent().lit()).toArray();
        List<Index> spaceAt =
                IndexMath.unflatten(IndexMath.linear(out, t.shape().toArray()), space);
        Function<Var, Index> rename = v -> {
            int i = group.vars().indexOf(v);
            return i < 0 ? null : spaceAt.get(i);
        };
        List<Stmt> body = new ArrayList<>();
        List<Stmt> stores = new ArrayList<>();
        for (Node s : group.stores()) {
            List<Index> at = group.at(s).getFirst();
            Buf buffer = params.write(new Params.BufferKey(s, 0), s.dtype());
            Local v = new Local("v" + stores.size(), s.dtype().compute());
            body.add(new Stmt.Let(v, values.value(s, at)));
            stores.add(new Stmt.Store(buffer, IndexMath.linear(at, s.shape().toArray()), new Expr.Ref(v)));
        }
        body.addAll(stores);
        List<Stmt> renamed = Rewriter.substitute(rename).stmts(body);
        if (stencil != null) {
            return new GemmKernel(name, drop(batch), m, n, k, a, b, acc, result, renamed, stencil, params.buffers(), 0);
        }
        return Factors.split(mergeBatch(new GemmKernel(
                name, drop(batch), m, drop(n), drop(k), a, b, acc, result, renamed, params.buffers(), 0)));
    }

    /** Variables of extent 1 occur in no index; the last one stays so that the list is not empty where the template wants one. */
    private static List<Var> drop(List<Var> vars) {
        List<Var> kept =
                new ArrayList<>(vars.stream().filter(v -> !v.extent().is(1)).toList());
        return kept;
    }

    /** A batch whose right operand is the same for all is more rows: (b, m) becomes one variable where every index allows it. */
    private static GemmKernel mergeBatch(GemmKernel g) {
        GemmKernel now = g;
        while (!now.batch().isEmpty() && now.m().size() == 1) {
            Var bv = now.batch().getLast();
            Var mv = now.m().getFirst();
            List<Index> right = Rewriter.indices(List.of(), List.of(now.b()));
            if (right.stream().anyMatch(i -> IndexMath.mentions(i, bv))) return now;
            List<Index> left = Rewriter.indices(now.epilogue(), List.of(now.a()));
            if (!left.stream().allMatch(i -> Space.joins(i, bv, mv))) return now;
            Var joined = new Var(
                    "m" + now.batch().size(),
                    Coef.of(bv.extent().lit() * mv.extent().lit()));
            Rewriter r = Rewriter.substitute(v -> v == bv ? Index.ZERO : v == mv ? IndexMath.var(joined) : null);
            now = new GemmKernel(
                    now.name(),
                    now.batch().subList(0, now.batch().size() - 1),
                    List.of(joined),
                    now.n(),
                    now.k(),
                    r.expr(now.a()),
                    now.b(),
                    now.acc(),
                    now.result(),
                    r.stmts(now.epilogue()),
                    now.buffers(),
                    0);
        }
        return now;
    }
}
