// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.fuse.Repeats;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.Cast;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Iota;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Where;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The value of a node at a position as loop-IR code: members of the group are expanded in place, everything else is a load. Views
 * vanish into indices. The same node at the same position is one {@link Expr} object.
 */
final class Values implements Operands.Context {
    private record Key(Node node, List<Index> at, Expr guard) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Key k && k.node == node && k.guard == guard && k.at.equals(at);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(node) * 31 + at.hashCode();
        }
    }

    private final Group group;
    private final Params params;
    private final Sites sites;
    private final Map<Key, Expr> memo = new HashMap<>();
    private final Map<Node, Expr> known = new java.util.IdentityHashMap<>();
    private final Map<Node, Cached> cached = new java.util.IdentityHashMap<>();
    private Expr guard;

    /** A value of a row that has been computed: a local, or in scratch memory between two passes over the row. */
    private record Cached(List<Index> at, Expr value) {}

    Values(Group group, Params params, Sites sites) {
        this.group = group;
        this.params = params;
        this.sites = sites;
    }

    /** From now on {@code n} (a finished reduction, a template's result) is {@code e} wherever it is read. */
    void define(Node n, Expr e) {
        known.put(n, e);
    }

    /** From now on {@code n} at {@code at} is {@code value}: a local, or a load from scratch memory. */
    void cache(Node n, List<Index> at, Expr value) {
        cached.put(n, new Cached(at, value));
        memo.clear();
    }

    Expr value(Node n, List<Index> at) {
        return value(n, at, null);
    }

    /**
     * @param only a bool under which alone memory may be touched (elsewhere the value is meaningless, or 0 if it is a load); null for always
     */
    Expr value(Node n, List<Index> at, Expr only) {
        Expr k = known.get(n);
        if (k != null) return k;
        Cached c = cached.get(n);
        if (c != null && only == null && c.at.equals(at)) return c.value;
        Key key = new Key(n, at, only);
        Expr e = memo.get(key);
        if (e == null) {
            Expr outer = guard;
            guard = only;
            e = compute(n, at);
            guard = outer;
            memo.put(key, e);
        }
        return e;
    }

    private Expr compute(Node n, List<Index> at) {
        return switch (n.op()) {
            case Input in
            when in.scalar() -> params.scalar(in.number(), in.type().dtype());
            case Constant c -> constant(c);
            case Pad p -> padded(n, p, at);
            case View v -> value(n.input(0), Operands.through(v, n, at, this), guard);
            case Project p -> load(new Params.BufferKey(n.input(0), p.index()), n.type(), at);
            // The offset of a live slice is read wherever the slice is read through: where it is not in memory, it is
            // computed.
            default ->
                group.contains(n) || Repeats.isHostScalar(n)
                        ? inline(n, at)
                        : load(new Params.BufferKey(n, 0), n.type(), at);
        };
    }

    private Expr inline(Node n, List<Index> at) {
        return switch (n.op()) {
            case Elementwise e -> {
                List<Expr> operands = new ArrayList<>();
                for (Node in : n.inputs()) operands.add(value(in, at, guard));
                DType in = n.input(e instanceof Where ? 1 : 0).dtype();
                if (e instanceof Cast c && c.to().bytes() <= 4) operands.set(0, narrowed(operands.getFirst()));
                yield e.scalar(operands, in, n.dtype());
            }
            case Iota _ -> new Expr.IndexValue(DType.I64, at.getFirst());
            case RandomBits _ ->
                Philox.word(
                        value(n.input(0), List.of()),
                        value(n.input(1), List.of()),
                        new Expr.IndexValue(
                                DType.I64, IndexMath.linear(at, n.shape().toArray())));
            case Take _, Gather _ -> value(n.input(0), Operands.index(n, 0, at, this), guard);
            case CheckIndex c -> checked(n, value(n.input(0), at, guard), c.bound(), c.wrap());
            case Concat c -> concat(n, c, at);
            default -> throw new IllegalStateException(n.op().name() + " is no code for one element");
        };
    }

    /** A position as i32 where it fits, as what it is cast to is no wider: one i64 in a loop halves all of its vectors. */
    private static Expr narrowed(Expr e) {
        if (!(e instanceof Expr.IndexValue v) || v.dtype() != DType.I64) return e;
        IndexMath.Range r = IndexMath.range(v.index());
        boolean fits = r.min() >= Integer.MIN_VALUE && r.max() <= Integer.MAX_VALUE;
        return fits ? new Expr.IndexValue(DType.I32, v.index()) : e;
    }

    private Expr load(Params.BufferKey key, Type type, List<Index> at) {
        return load(params.read(key, type.dtype()), type, at, guard);
    }

    static Expr load(Buf buffer, Type type, List<Index> at, Expr only) {
        Index i = IndexMath.linear(at, type.shape().toArray());
        return only == null
                ? new Expr.Load(buffer, i)
                : new Expr.Load(buffer, i, only, zero(type.dtype().compute()));
    }

    static Expr zero(DType registerType) {
        return Expr.Const.of(registerType, 0);
    }

    private Expr constant(Constant c) {
        DType t = c.dtype().compute();
        long bits = t == DType.I32 ? c.bits() & 0xffffffffL : c.bits();
        return c.derived() ? params.constant(t, bits) : new Expr.Const(t, bits);
    }

    private Expr padded(Node n, Pad p, List<Index> at) {
        List<Index> in = Operands.through(p, n, at, this);
        Expr inside = inside(in, n.input(0).shape().toArray());
        if (inside == null) return value(n.input(0), in, guard);
        Expr only = and(guard, inside);
        Expr v = value(n.input(0), in, only);
        boolean zeroOutside = v instanceof Expr.Load l && l.mask() == only;
        return zeroOutside && guard == null ? v : new Expr.Select(inside, v, zero(v.dtype()));
    }

    /** True where every index is within its extent; null if it always is. */
    static Expr inside(List<Index> at, long[] dims) {
        Expr all = null;
        for (int x = 0; x < dims.length; x++) {
            IndexMath.Range r = IndexMath.range(at.get(x));
            DType t = r.max() < Integer.MAX_VALUE && dims[x] < Integer.MAX_VALUE ? DType.I32 : DType.I64;
            Expr i = new Expr.IndexValue(t, at.get(x));
            if (r.min() < 0) all = and(all, new Expr.Bin(Prim2.GE, i, zero(t)));
            if (r.max() >= dims[x]) {
                Expr bound = new Expr.IndexValue(t, IndexMath.constant(dims[x]));
                all = and(all, new Expr.Bin(Prim2.LT, i, bound));
            }
        }
        return all;
    }

    static Expr and(Expr a, Expr b) {
        return a == null ? b : b == null ? a : new Expr.Bin(Prim2.AND, a, b);
    }

    private Expr concat(Node n, Concat c, List<Index> at) {
        Expr i = new Expr.IndexValue(DType.I64, at.get(c.axis()));
        Expr outer = guard;
        Expr result = null;
        long end = n.shape().dim(c.axis());
        // From the last operand inwards: i < end_0 ? a_0 : i < end_1 ? a_1 : … : a_last
        for (int k = n.inputs().size() - 1; k >= 0; k--) {
            long extent = n.input(k).shape().dim(c.axis());
            if (extent == 0) continue;
            long start = end - extent;
            Expr below = end == n.shape().dim(c.axis())
                    ? null
                    : new Expr.Bin(Prim2.LT, i, new Expr.IndexValue(DType.I64, IndexMath.constant(end)));
            Expr above = start == 0
                    ? null
                    : new Expr.Bin(Prim2.GE, i, new Expr.IndexValue(DType.I64, IndexMath.constant(start)));
            Expr v = value(n.input(k), Operands.index(n, k, at, this), and(outer, and(above, below)));
            result = result == null ? v : new Expr.Select(below, v, result);
            end = start;
        }
        return result;
    }

    private Expr checked(Node n, Expr index, long bound, boolean wrap) {
        return new Expr.Checked(index, Coef.of(bound), wrap, params.number(sites.add(n)));
    }

    @Override
    public Index data(Node node, int k, List<Index> at, long bound) {
        Expr v = value(node.input(k), at, guard);
        // The start of a live slice was checked by whoever made it.
        if (node.op() instanceof View) return IndexMath.data(v, bound);
        Key key = new Key(node, at, guard);
        return IndexMath.data(checks.computeIfAbsent(key, _ -> checked(node, v, bound, true)), bound);
    }

    private final Map<Key, Expr> checks = new HashMap<>();

    @Override
    public List<Var> reduced(Node reduce) {
        return group.reduced(reduce);
    }
}
