// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Broadcast;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Take;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Indices applied to a tensor: first the basic ones, which give a view; then the index tensors, which are
 * brought to one shape and, if there are several, to one flat index over neighbouring axes.
 */
final class IndexPath {
    /** The view that the basic indices give. */
    private final Tensor basic;
    /** Per axis of {@code basic} the index tensor (i64), or null; null if there are none. */
    private final Tensor[] advanced;

    private IndexPath(Tensor basic, Tensor[] advanced) {
        this.basic = basic;
        this.advanced = advanced;
    }

    static IndexPath of(Tensor x, Object[] indices) {
        if (indices == null) throw Errors.argument("get", x, "null is no index; a new axis is NEW");
        List<Object> full = spelledOut(x, indices);
        Tensor view = x;
        List<Tensor> at = new ArrayList<>();
        boolean any = false;
        int axis = 0;
        for (Object o : full) {
            switch (o) {
                case Number n
                when n instanceof Integer || n instanceof Long || n instanceof Short || n instanceof Byte ->
                    view = view.select(axis, n.longValue());
                case Index.Slice s -> {
                    view = slice(view, axis++, s);
                    at.add(null);
                }
                case Tensor t
                when t.dtype().isBool() -> {
                    List<Tensor> positions = positions(view, axis, t);
                    if (t.rank() == 0) view = view.unsqueeze(axis);
                    at.addAll(positions);
                    axis += positions.size();
                    any = true;
                }
                case Tensor t -> {
                    at.add(Indexing.Indices.whole("get", t));
                    axis++;
                    any = true;
                }
                default -> {
                    if (o != Index.NEW)
                        throw Errors.argument(
                                "get", x, "no index: " + o + " (" + o.getClass().getSimpleName() + ")");
                    view = view.unsqueeze(axis++);
                    at.add(null);
                }
            }
        }
        // A view even where nothing was selected: x.get(ELLIPSIS) is not x.
        if (view == x && !any) view = Movement.Moving.same(x);
        return new IndexPath(view, any ? at.toArray(Tensor[]::new) : null);
    }

    /** Arrays as tensors, and whole axes for the ellipsis and behind the last index. */
    private static List<Object> spelledOut(Tensor x, Object[] indices) {
        List<Object> r = new ArrayList<>();
        int named = 0;
        int ellipsis = -1;
        for (Object o : indices) {
            if (o == Index.ELLIPSIS) {
                if (ellipsis >= 0) throw Errors.argument("get", x, "only one ellipsis");
                ellipsis = r.size();
                continue;
            }
            if (o == null) throw Errors.argument("get", x, "null is no index; a new axis is NEW");
            Object v =
                    switch (o) {
                        case long[] a -> Tensor.from(a);
                        case int[] a -> Tensor.from(a);
                        case boolean[] a -> Tensor.from(a);
                        case Boolean b -> Tensor.from(new boolean[] {b}).reshape(new long[0]);
                        case String s ->
                            throw Errors.argument(
                                    "get", x, "text must be the only index, not '" + s + "' among others");
                        default -> o;
                    };
            named += v == Index.NEW ? 0 : v instanceof Tensor t && t.dtype().isBool() ? t.rank() : 1;
            r.add(v);
        }
        if (named > x.rank()) throw Errors.argument("get", x, named + " indices for " + x.rank() + " axes");
        int at = ellipsis < 0 ? r.size() : ellipsis;
        for (int i = named; i < x.rank(); i++) r.add(at, Index.ALL);
        return r;
    }

    private static Tensor slice(Tensor x, int axis, Index.Slice s) {
        long n = x.type().dim(axis);
        long step = s.step();
        long lowest = step > 0 ? 0 : -1;
        long highest = step > 0 ? n : n - 1;
        long start = s.start() == null
                ? (step > 0 ? lowest : highest)
                : clamp(s.start() < 0 ? s.start() + n : s.start(), lowest, highest);
        long stop = s.stop() == null
                ? (step > 0 ? highest : lowest)
                : clamp(s.stop() < 0 ? s.stop() + n : s.stop(), lowest, highest);
        long size = Math.max(0, step > 0 ? Math.ceilDiv(stop - start, step) : Math.ceilDiv(start - stop, -step));
        if (step == 1 && size == n) return x;
        return Movement.Moving.slice(x, axis, size == 0 ? 0 : start, size, step);
    }

    private static long clamp(long v, long low, long high) {
        return Math.max(low, Math.min(high, v));
    }

    /** A mask is the positions where it is true, one index per axis. Reads it. */
    private static List<Tensor> positions(Tensor x, int axis, Tensor mask) {
        for (int i = 0; i < mask.rank(); i++) {
            if (mask.type().dim(i) != x.type().dim(axis + i)) {
                throw Errors.argument(
                        "get",
                        x,
                        mask,
                        "the mask's extents do not match those of the indexed axes, from axis " + axis + " on");
            }
        }
        if (mask.rank() == 0) return List.of(Tensor.from(mask.itemBoolean() ? new long[] {0} : new long[0]));
        Tensor p = mask.nonzero();
        List<Tensor> r = new ArrayList<>();
        for (int i = 0; i < mask.rank(); i++) r.add(p.select(1, i));
        return r;
    }

    Tensor read() {
        if (advanced == null) return basic;
        return Trace.call(() -> {
            Flat f = flat();
            Tensor r = Dispatch.emit(new Take(f.first), f.apply(basic), f.index);
            return f.together ? r : r.permute(f.toFront(r.rank()));
        });
    }

    void write(Tensor value, boolean add) {
        if (advanced == null) {
            if (add) basic.add_(value);
            else basic.copy_(value);
            return;
        }
        Trace t = Trace.current();
        t.calls++;
        try {
            Flat f = flat();
            Tensor x = f.apply(basic);
            Shape window = x.type().shape().without(f.first);
            Shape indices = f.index.type().shape();
            // The value's shape is that of a read; for Put, the index axes become one.
            long[] d = new long[window.rank() + indices.rank()];
            int at = f.together ? f.first : 0;
            for (int i = 0; i < at; i++) d[i] = window.dim(i);
            for (int i = 0; i < indices.rank(); i++) d[at + i] = indices.dim(i);
            for (int i = at; i < window.rank(); i++) d[indices.rank() + i] = window.dim(i);
            Tensor v = Operators.expand(Operators.cast(value, x.dtype()), Shape.of(d));
            if (!f.together) v = v.permute(f.fromFront(v.rank()));
            v = Operators.E.reshape(v, window.insert(f.first, indices.numel()));
            Tensor r = Dispatch.emit(
                    new Put(f.first, add ? Put.Mode.ADD : Put.Mode.SET),
                    x,
                    Operators.E.reshape(f.index, Shape.of(indices.numel())),
                    v);
            basic.copy_(f.undo(r, basic));
        } finally {
            t.calls--;
        }
    }

    /**
     * All index tensors as one, along one axis.
     *
     * @param perm brings the indexed axes together, at {@code first}
     * @param first where the joined axis is
     * @param count how many axes are joined
     * @param together the indexed axes are neighbours, so that the result's index axes stay in their place;
     *     else they come first
     */
    private record Flat(int[] perm, int first, int count, boolean together, Tensor index) {
        Tensor apply(Tensor x) {
            Tensor p = Operators.E.permute(x, perm);
            if (count == 1) return p;
            Shape s = p.type().shape();
            long n = 1;
            for (int i = 0; i < count; i++) {
                n *= s.dim(first);
                s = s.without(first);
            }
            return Operators.E.reshape(p, s.insert(first, n));
        }

        /** The inverse of {@link #apply}. */
        Tensor undo(Tensor r, Tensor x) {
            Shape s = x.type().shape();
            long[] d = new long[perm.length];
            int[] inverse = new int[perm.length];
            for (int i = 0; i < perm.length; i++) {
                d[i] = s.dim(perm[i]);
                inverse[perm[i]] = i;
            }
            return Operators.E.permute(Operators.E.reshape(r, Shape.of(d)), inverse);
        }

        /** Moves the index axes from {@code first} to the front. */
        int[] toFront(int rank) {
            int k = index.rank();
            int[] p = new int[rank];
            for (int i = 0; i < rank; i++) p[i] = i < k ? first + i : i - k < first ? i - k : i;
            return p;
        }

        int[] fromFront(int rank) {
            int[] p = toFront(rank);
            int[] inverse = new int[rank];
            for (int i = 0; i < rank; i++) inverse[p[i]] = i;
            return inverse;
        }
    }

    private Flat flat() {
        List<Integer> axes = new ArrayList<>();
        for (int i = 0; i < advanced.length; i++) if (advanced[i] != null) axes.add(i);
        int first = axes.get(0);
        int last = axes.getLast();
        boolean together = last - first + 1 == axes.size();
        // Where they are not neighbours, they are brought to where the first one is.
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < first; i++) order.add(i);
        order.addAll(axes);
        for (int i = first; i < basic.rank(); i++) if (!axes.contains(i)) order.add(i);
        int[] perm = order.stream().mapToInt(Integer::intValue).toArray();
        Tensor index = advanced[first];
        if (axes.size() > 1) {
            Type common = index.type();
            for (int a : axes) common = common.with(Broadcast.shapes("get", common, advanced[a].type()));
            index = null;
            for (int a : axes) {
                long n = basic.type().dim(a);
                Tensor i = Dispatch.emit(new CheckIndex(n), Operators.expand(advanced[a], common.shape()));
                index = index == null
                        ? i
                        : Operators.binary(
                                Binary.ADD,
                                Operators.binary(Binary.MUL, index, Operators.constantLong(DType.I64, n)),
                                i);
            }
        }
        return new Flat(perm, first, axes.size(), together, index);
    }

    @Override
    public String toString() {
        return basic.type() + " " + Arrays.toString(advanced);
    }
}
