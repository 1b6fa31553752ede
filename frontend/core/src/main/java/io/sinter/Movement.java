// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Shape;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Other shapes of the same elements. Results are views: they share elements with this tensor, unless it says
 * otherwise.
 */
public sealed interface Movement permits Tensor {
    Tensor self();

    /** The same elements in another shape; one extent may be -1. */
    default Tensor reshape(long... shape) {
        Tensor x = self();
        return Moving.view(x, new Reshape(Axes.inferred("reshape", x, shape)));
    }

    default Tensor reshape(int[] shape) {
        return reshape(Axes.longs(shape));
    }

    /** As {@link #reshape(long...)}. */
    default Tensor view(long... shape) {
        return reshape(shape);
    }

    default Tensor viewAs(Tensor other) {
        return reshape(other.shape());
    }

    default Tensor flatten() {
        return flatten(0, -1);
    }

    /** Joins the axes from {@code start} to {@code end}, both included. */
    default Tensor flatten(int start, int end) {
        Tensor x = self();
        if (x.rank() == 0) return x.reshape(1);
        int a = Axes.axis("flatten", x, start);
        int b = Axes.axis("flatten", x, end);
        if (a > b) throw Errors.argument("flatten", x, "start axis " + start + " lies behind end axis " + end);
        long[] s = x.shape();
        long n = 1;
        for (int i = a; i <= b; i++) n *= s[i];
        long[] r = new long[s.length - (b - a)];
        System.arraycopy(s, 0, r, 0, a);
        r[a] = n;
        System.arraycopy(s, b + 1, r, a + 1, s.length - b - 1);
        return x.reshape(r);
    }

    /** Splits an axis into several; one extent may be -1. */
    default Tensor unflatten(int axis, long... sizes) {
        Tensor x = self();
        int a = Axes.axis("unflatten", x, axis);
        long n = x.type().dim(a);
        long[] d = sizes.clone();
        long known = 1;
        for (long v : d) known *= v == -1 ? 1 : v;
        for (int i = 0; i < d.length; i++) if (d[i] == -1 && known != 0) d[i] = n / known;
        if (Shape.of(d).numel() != n)
            throw Errors.argument("unflatten", x, "extents " + Arrays.toString(sizes) + " do not make " + n);
        long[] s = x.shape();
        long[] r = new long[s.length - 1 + d.length];
        System.arraycopy(s, 0, r, 0, a);
        System.arraycopy(d, 0, r, a, d.length);
        System.arraycopy(s, a + 1, r, a + d.length, s.length - a - 1);
        return x.reshape(r);
    }

    /** A new axis of extent 1 before {@code axis}. */
    default Tensor unsqueeze(int axis) {
        Tensor x = self();
        int a = Axes.gap("unsqueeze", x, axis);
        return Moving.view(x, new Reshape(x.type().shape().insert(a, 1)));
    }

    /** Without axes of extent 1. */
    default Tensor squeeze() {
        return squeeze(Axes.all(self().rank()));
    }

    /** Without those of the {@code axes} that have extent 1. */
    default Tensor squeeze(int... axes) {
        Tensor x = self();
        if (x.rank() == 0) return Moving.same(x);
        int[] a = axes.length == 0 ? axes : Axes.axes("squeeze", x, axes);
        int[] ones = Arrays.stream(a).filter(i -> x.type().dim(i) == 1).toArray();
        return Moving.view(x, new Reshape(x.type().shape().without(ones)));
    }

    /** Axis i of the result is axis {@code axes[i]} of this tensor. */
    default Tensor permute(int... axes) {
        Tensor x = self();
        if (axes.length != x.rank())
            throw Errors.argument("permute", x, Arrays.toString(axes) + " must name each axis once");
        if (x.rank() == 0) return Moving.same(x);
        int[] p = new int[axes.length];
        for (int i = 0; i < p.length; i++) p[i] = Axes.axis("permute", x, axes[i]);
        Axes.axes("permute", x, p);
        return Moving.view(x, new Permute(p));
    }

    default Tensor transpose(int a, int b) {
        Tensor x = self();
        int i = Axes.axis("transpose", x, a);
        int j = Axes.axis("transpose", x, b);
        if (x.rank() == 0) return Moving.same(x);
        int[] p = Axes.all(x.rank());
        p[i] = j;
        p[j] = i;
        return Moving.view(x, new Permute(p));
    }

    /** Transpose of a matrix; vectors and scalars stay. */
    default Tensor t() {
        Tensor x = self();
        if (x.rank() > 2) throw Errors.argument("t", x, "needs at most two axes; use transpose or mT");
        return x.rank() < 2 ? Moving.same(x) : transpose(0, 1);
    }

    /** Transposes the last two axes. */
    default Tensor mT() {
        if (self().rank() < 2) throw Errors.argument("mT", self(), "needs at least two axes");
        return transpose(-2, -1);
    }

    default Tensor movedim(int from, int to) {
        return movedim(new int[] {from}, new int[] {to});
    }

    /** Moves axes {@code from[i]} to places {@code to[i]}; the others keep their order. */
    default Tensor movedim(int[] from, int[] to) {
        Tensor x = self();
        if (from.length != to.length)
            throw Errors.argument("movedim", x, "as many axes as places, not " + from.length + " and " + to.length);
        if (x.rank() == 0) return Moving.same(x);
        int[] p = new int[x.rank()];
        Arrays.fill(p, -1);
        boolean[] used = new boolean[p.length];
        for (int i = 0; i < from.length; i++) {
            int f = Axes.axis("movedim", x, from[i]);
            int g = Axes.axis("movedim", x, to[i]);
            if (used[f] || p[g] >= 0) throw Errors.argument("movedim", x, "an axis is given twice");
            used[f] = true;
            p[g] = f;
        }
        int next = 0;
        for (int i = 0; i < p.length; i++) {
            if (p[i] >= 0) continue;
            while (used[next]) next++;
            p[i] = next;
            used[next] = true;
        }
        return permute(p);
    }

    /**
     * Repeats axes of extent 1 without copying; -1 keeps an extent, leading axes are added. The result cannot
     * be written in place.
     */
    default Tensor expand(long... shape) {
        Tensor x = self();
        long[] d = shape.clone();
        int lead = d.length - x.rank();
        if (lead < 0) throw Errors.argument("expand", x, "to " + Arrays.toString(shape) + ", which has fewer axes");
        for (int i = 0; i < d.length; i++) {
            if (d[i] == -1 && i >= lead) d[i] = x.type().dim(i - lead);
            if (i >= lead && x.type().dim(i - lead) != 1 && x.type().dim(i - lead) != d[i] || d[i] < 0) {
                throw Errors.argument("expand", x, "does not broadcast to " + Arrays.toString(shape));
            }
        }
        Tensor y = x;
        if (lead > 0) {
            long[] s = new long[d.length];
            Arrays.fill(s, 0, lead, 1);
            System.arraycopy(x.shape(), 0, s, lead, x.rank());
            y = y.reshape(s);
        }
        return Moving.view(y, new Expand(Shape.of(d)));
    }

    default Tensor expandAs(Tensor other) {
        return expand(other.shape());
    }

    default Tensor broadcastTo(long... shape) {
        return expand(shape);
    }

    /**
     * Elements {@code start}, {@code start + 1}, … of an axis. The start may change from call to call without
     * new code.
     */
    default Tensor narrow(int axis, long start, long length) {
        Tensor x = self();
        int a = Axes.axis("narrow", x, axis);
        if (x.rank() == 0) throw Errors.argument("narrow", x, "a scalar has no axis");
        long n = x.type().dim(a);
        long s = start < 0 ? start + n : start;
        if (s < 0 || length < 0 || s > n - length) {
            throw Errors.argument(
                    "narrow",
                    x,
                    "elements " + start + " to " + start + " + " + length + " lie outside axis " + a + " of extent "
                            + n);
        }
        return Moving.slice(x, a, s, length, 1);
    }

    /** The subtensor at {@code index} of an axis, without that axis. */
    default Tensor select(int axis, long index) {
        Tensor x = self();
        int a = Axes.axis("select", x, axis);
        if (x.rank() == 0) throw Errors.argument("select", x, "a scalar has no axis");
        long n = x.type().dim(a);
        if (index < -n || index >= n)
            throw Errors.argument("select", x, "index " + index + " is out of range for axis " + a + " of extent " + n);
        Tensor s = Moving.slice(x, a, index < 0 ? index + n : index, 1, 1);
        return Moving.view(s, new Reshape(x.type().shape().without(a)));
    }

    /** Pieces of {@code size} along an axis; the last may be smaller. */
    default List<Tensor> split(long size, int axis) {
        Tensor x = self();
        int a = Axes.axis("split", x, axis);
        long n = x.type().dim(a);
        if (size <= 0 && n > 0) throw Errors.argument("split", x, "pieces of size " + size);
        List<Tensor> r = new ArrayList<>();
        for (long s = 0; s < n || s == 0; s += Math.max(1, size)) r.add(Moving.part(x, a, s, Math.min(size, n - s)));
        return r;
    }

    /** Pieces of the given sizes, which add up to the extent. */
    default List<Tensor> split(long[] sizes, int axis) {
        Tensor x = self();
        int a = Axes.axis("split", x, axis);
        if (Arrays.stream(sizes).sum() != x.type().dim(a)) {
            throw Errors.argument(
                    "split",
                    x,
                    "sizes " + Arrays.toString(sizes) + " do not add up to "
                            + x.type().dim(a));
        }
        List<Tensor> r = new ArrayList<>();
        long s = 0;
        for (long size : sizes) {
            r.add(Moving.part(x, a, s, size));
            s += size;
        }
        return r;
    }

    /** At most {@code chunks} pieces of one size (the last may be smaller). */
    default List<Tensor> chunk(int chunks, int axis) {
        Tensor x = self();
        if (chunks <= 0) throw Errors.argument("chunk", x, chunks + " chunks");
        long n = x.type().dim(Axes.axis("chunk", x, axis));
        return split(Math.max(1, (n + chunks - 1) / chunks), axis);
    }

    /** The subtensors along an axis. */
    default List<Tensor> unbind(int axis) {
        Tensor x = self();
        int a = Axes.axis("unbind", x, axis);
        List<Tensor> r = new ArrayList<>();
        for (long i = 0; i < x.type().dim(a); i++) {
            r.add(Moving.view(
                    Moving.part(x, a, i, 1), new Reshape(x.type().shape().without(a))));
        }
        return r;
    }

    /** Windows of {@code size} elements every {@code step} along an axis, as a new last axis. */
    default Tensor unfold(int axis, long size, long step) {
        Tensor x = self();
        if (x.rank() == 0)
            return Moving.view(x.reshape(1), new Window(0, size, step)).reshape(-1);
        int a = Axes.axis("unfold", x, axis);
        if (size < 0 || step <= 0 || size > x.type().dim(a)) {
            throw Errors.argument("unfold", x, "windows of " + size + " every " + step + " do not fit axis " + a);
        }
        return Moving.view(x, new Window(a, size, step));
    }

    /** The diagonal of two axes, as a new last axis. */
    default Tensor diagonal(long offset, int axis1, int axis2) {
        Tensor x = self();
        int a = Axes.axis("diagonal", x, axis1);
        int b = Axes.axis("diagonal", x, axis2);
        if (a == b || x.rank() < 2) throw Errors.argument("diagonal", x, "needs two different axes");
        Tensor y = x.movedim(new int[] {a, b}, new int[] {-2, -1});
        long rows = y.size(-2);
        long columns = y.size(-1);
        long size = Math.max(0, offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns));
        long start = offset >= 0 ? offset : -offset * columns;
        // Element i of the diagonal is element start + i * (columns + 1) of the flattened matrix.
        Tensor flat = y.flatten(-2, -1);
        return Moving.view(flat, new Slice(flat.rank() - 1, size == 0 ? 0 : start, size, columns + 1, false));
    }

    default Tensor diagonal() {
        return diagonal(0, 0, 1);
    }

    /** Reverses axes: a copy. */
    default Tensor flip(int... axes) {
        Tensor x = self();
        if (x.rank() == 0 || axes.length == 0) return x.clone();
        return Trace.call(() -> {
            Tensor r = x;
            for (int a : Axes.axes("flip", x, axes)) {
                long n = x.type().dim(a);
                r = Dispatch.emit(new Slice(a, Math.max(0, n - 1), n, -1, false), r);
            }
            return r;
        });
    }

    /** Repeats the whole tensor along each axis ({@code numpy.tile}); leading axes are added. A copy. */
    default Tensor repeat(long... times) {
        Tensor x = self();
        if (times.length < x.rank()) throw Errors.argument("repeat", x, "needs a number of repetitions for each axis");
        return Trace.call(() -> {
            int lead = times.length - x.rank();
            long[] wide = new long[2 * times.length];
            long[] repeated = new long[2 * times.length];
            long[] shape = new long[times.length];
            for (int i = 0; i < times.length; i++) {
                long n = i < lead ? 1 : x.type().dim(i - lead);
                wide[2 * i] = 1;
                wide[2 * i + 1] = n;
                repeated[2 * i] = times[i];
                repeated[2 * i + 1] = n;
                shape[i] = n * times[i];
            }
            Shape to = Axes.shape("repeat", repeated);
            return Operators.E.reshape(Operators.expand(Operators.E.reshape(x, Shape.of(wide)), to), Shape.of(shape));
        });
    }

    /** This tensor: every value is contiguous. */
    default Tensor contiguous() {
        return self();
    }

    /** Helpers of this family. */
    final class Moving {
        private Moving() {}

        static Tensor view(Tensor x, View op) {
            return x.viewed(op, null);
        }

        /** A view of everything. */
        static Tensor same(Tensor x) {
            return view(x, new Reshape(x.type().shape()));
        }

        /** A slice whose start is data of the program, so that another start needs no new code. */
        static Tensor slice(Tensor x, int axis, long start, long size, long step) {
            if (start == 0) return view(x, new Slice(axis, 0, size, step, false));
            Trace t = Trace.current();
            Value live = Value.scalar(t, io.sinter.ir.Type.scalar(io.sinter.ir.DType.I64), start, null);
            return x.viewed(new Slice(axis, 0, size, step, true), new Tensor(live));
        }

        /** A slice whose start follows from extents. */
        static Tensor part(Tensor x, int axis, long start, long size) {
            return view(x, new Slice(axis, start, size, 1, false));
        }
    }
}
