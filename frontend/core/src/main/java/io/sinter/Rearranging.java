// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Broadcast;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Elements in other places: rolled, rotated, repeated, on diagonals, in pieces. Copies, except for pieces,
 * which are views.
 */
public sealed interface Rearranging permits Tensor {
    Tensor self();

    /** One axis of all elements. */
    default Tensor ravel() {
        return self().reshape(-1);
    }

    default Tensor reshapeAs(Tensor other) {
        return self().reshape(other.shape());
    }

    /** The transposed matrix ({@code T} and, for real numbers, {@code H}). */
    default Tensor mH() {
        return self().mT();
    }

    /** Reverses axis 1. */
    default Tensor fliplr() {
        if (self().rank() < 2) throw Errors.argument("fliplr", self(), "needs at least two axes");
        return self().flip(1);
    }

    /** Reverses axis 0. */
    default Tensor flipud() {
        if (self().rank() < 1) throw Errors.argument("flipud", self(), "needs at least one axis");
        return self().flip(0);
    }

    /** Moves the flattened elements up by {@code shift}; those beyond the end come in at the beginning. */
    default Tensor roll(long shift) {
        Tensor x = self();
        return Trace.call(() -> Rearrange.roll(x.reshape(-1), shift, 0).reshape(x.shape()));
    }

    default Tensor roll(long shift, int axis) {
        return roll(new long[] {shift}, new int[] {axis});
    }

    /**
     * Moves elements up by {@code shifts[i]} along {@code axes[i]}; those beyond the end come in at the
     * beginning.
     */
    default Tensor roll(long[] shifts, int[] axes) {
        Tensor x = self();
        if (shifts.length != axes.length)
            throw Errors.argument("roll", x, shifts.length + " shifts for " + axes.length + " axes");
        return Trace.call(() -> {
            Tensor y = x.clone();
            for (int i = 0; i < axes.length; i++) y = Rearrange.roll(y, shifts[i], Axes.axis("roll", x, axes[i]));
            return y;
        });
    }

    /** Rotates by {@code k} quarter turns in the plane of two axes, from the first towards the second. */
    default Tensor rot90(long k, int axis1, int axis2) {
        Tensor x = self();
        int a = Axes.axis("rot90", x, axis1);
        int b = Axes.axis("rot90", x, axis2);
        if (a == b) throw Errors.argument("rot90", x, "needs two different axes");
        return Trace.call(() -> switch ((int) Math.floorMod(k, 4L)) {
            case 1 -> x.flip(b).transpose(a, b);
            case 2 -> x.flip(a, b);
            case 3 -> x.flip(a).transpose(a, b);
            default -> x.clone();
        });
    }

    /**
     * Repeats the whole tensor ({@code numpy.tile}): as {@code repeat}, but missing numbers of repetitions
     * are 1.
     */
    default Tensor tile(long... times) {
        Tensor x = self();
        long[] t = new long[Math.max(times.length, x.rank())];
        Arrays.fill(t, 1);
        System.arraycopy(times, 0, t, t.length - times.length, times.length);
        return x.repeat(t);
    }

    /** Repeats each of the flattened elements. */
    default Tensor repeatInterleave(long times) {
        return Trace.call(() -> self().reshape(-1).repeatInterleave(times, 0));
    }

    /** Repeats each element along an axis. */
    default Tensor repeatInterleave(long times, int axis) {
        Tensor x = self().rank() == 0 ? self().reshape(1) : self();
        int a = Axes.axis("repeatInterleave", x, axis);
        if (times < 0) throw Errors.argument("repeatInterleave", x, times + " repetitions");
        return Trace.call(() -> {
            Shape s = x.type().shape();
            Tensor wide = Operators.expand(x.unsqueeze(a + 1), s.insert(a + 1, times));
            return Operators.E.reshape(wide, s.with(a, s.dim(a) * times));
        });
    }

    /**
     * Repeats element i along an axis {@code times[i]} times. Reads {@code times}: the result's shape depends
     * on it.
     */
    default Tensor repeatInterleave(Tensor times, int axis) {
        Tensor x = self();
        int a = Axes.axis("repeatInterleave", x, axis);
        long n = x.rank() == 0 ? 1 : x.size(a);
        long[] counts = times.toLongs();
        if (counts.length == 1) return repeatInterleave(counts[0], axis);
        if (counts.length != n)
            throw Errors.argument("repeatInterleave", x, times, "needs one number for each of " + n + " elements");
        long[] index = new long[Math.toIntExact(Arrays.stream(counts).sum())];
        int k = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] < 0)
                throw Errors.argument("repeatInterleave", x, times, "negative number of repetitions " + counts[i]);
            for (long j = 0; j < counts[i]; j++) index[k++] = i;
        }
        return x.indexSelect(a, Tensor.from(index));
    }

    /** Sums to a shape that broadcasts to this one: the adjoint of {@code expand}. */
    default Tensor sumToSize(long... shape) {
        Tensor x = self();
        Shape to = Axes.shape("sumToSize", shape);
        boolean fits = to.rank() <= x.rank();
        for (int i = 0; fits && i < to.rank(); i++)
            fits = to.dim(i) == 1 || to.dim(i) == x.size(x.rank() - to.rank() + i);
        if (!fits) throw Errors.argument("sumToSize", x, "shape " + to + " does not broadcast to the tensor's");
        return Trace.call(() -> Operators.E.sumTo(x.dtype().isBool() ? x.toLong() : x, to));
    }

    /** A vector on a diagonal of a square matrix of zeros, or the diagonal of a matrix. */
    default Tensor diag(long offset) {
        Tensor x = self();
        return switch (x.rank()) {
            case 1 -> diagEmbed(offset, 0, 1);
            case 2 -> x.diagonal(offset, 0, 1).clone();
            default -> throw Errors.argument("diag", x, "needs a vector or a matrix");
        };
    }

    default Tensor diag() {
        return diag(0);
    }

    /** The flattened elements on a diagonal of a square matrix of zeros. */
    default Tensor diagflat(long offset) {
        return Trace.call(() -> self().reshape(-1).diagEmbed(offset, 0, 1));
    }

    /**
     * The last axis on the diagonal of two new axes of zeros, which are {@code axis1} and {@code axis2} of
     * the result.
     */
    default Tensor diagEmbed(long offset, int axis1, int axis2) {
        Tensor x = self();
        if (x.rank() == 0) throw Errors.argument("diagEmbed", x, "needs at least one axis");
        return Trace.call(() -> {
            long n = x.size(-1);
            long side = n + Math.abs(offset);
            // Row-major, element i is at (i + row, i + column): place start + i * (side + 1) of the flattened
            // matrix.
            long start = offset >= 0 ? offset : -offset * side;
            int last = x.rank() - 1;
            Tensor flat = Operators.E.unslice(x, last, n == 0 ? 0 : start, side + 1, side * side);
            Shape s = x.type().shape();
            Tensor matrix = Operators.E.reshape(flat, s.with(last, side).insert(last + 1, side));
            return matrix.movedim(new int[] {-2, -1}, new int[] {axis1, axis2});
        });
    }

    /** Pieces as even as possible: the first {@code extent % pieces} are longer by one. */
    default List<Tensor> tensorSplit(int pieces, int axis) {
        Tensor x = self();
        int a = Axes.axis("tensorSplit", x, axis);
        if (pieces < 1) throw Errors.argument("tensorSplit", x, pieces + " pieces");
        long n = x.size(a);
        long[] sizes = new long[pieces];
        for (int i = 0; i < pieces; i++) sizes[i] = n / pieces + (i < n % pieces ? 1 : 0);
        return x.split(sizes, a);
    }

    /** Pieces between the given positions, as slices: {@code [:p0], [p0:p1], …, [pk:]}. */
    default List<Tensor> tensorSplit(long[] positions, int axis) {
        Tensor x = self();
        int a = Axes.axis("tensorSplit", x, axis);
        long n = x.size(a);
        List<Tensor> r = new ArrayList<>();
        long start = 0;
        for (int i = 0; i <= positions.length; i++) {
            long end = i == positions.length
                    ? n
                    : positions[i] < 0 ? Math.max(0, positions[i] + n) : Math.min(n, positions[i]);
            r.add(Movement.Moving.part(x, a, Math.min(start, n), Math.max(0, end - start)));
            start = end;
        }
        return r;
    }

    /** {@code n}-th differences of neighbours along an axis. */
    default Tensor diff(int n, int axis) {
        Tensor x = self();
        int a = Axes.axis("diff", x, axis);
        if (x.rank() == 0) throw Errors.argument("diff", x, "a scalar has no neighbours");
        if (n < 0) throw Errors.argument("diff", x, "order " + n);
        return Trace.call(() -> {
            Tensor y = n == 0 ? x.clone() : x;
            for (int i = 0; i < n; i++) {
                long m = Math.max(0, y.size(a) - 1);
                Tensor next = Movement.Moving.part(y, a, Math.min(1, y.size(a)), m);
                Tensor here = Movement.Moving.part(y, a, 0, m);
                y = y.dtype().isBool() ? next.logicalXor(here) : next.sub(here);
            }
            return y;
        });
    }

    default Tensor diff() {
        return diff(1, -1);
    }

    /**
     * As {@link #diff(int, int)} with {@code before} and {@code after} joined to the ends first; each may be
     * null.
     */
    default Tensor diff(int n, int axis, Tensor before, Tensor after) {
        List<Tensor> parts = new ArrayList<>();
        if (before != null) parts.add(before);
        parts.add(self());
        if (after != null) parts.add(after);
        if (n == 0) return self().clone();
        return Trace.call(() -> (parts.size() == 1 ? self() : F.cat(parts, axis)).diff(n, axis));
    }

    /** Helpers of this family. */
    final class Rearrange {
        private Rearrange() {}

        static Tensor roll(Tensor x, long shift, int axis) {
            if (x.rank() == 0) return x.clone();
            long n = x.size(axis);
            long s = n == 0 ? 0 : Math.floorMod(shift, n);
            if (s == 0) return x.clone();
            return Combining.cat(
                    axis, Movement.Moving.part(x, axis, n - s, s), Movement.Moving.part(x, axis, 0, n - s));
        }

        /** The shape that several broadcast to. */
        static Shape common(String name, List<Tensor> tensors) {
            Type t = tensors.get(0).type();
            for (Tensor x : tensors) t = t.with(Broadcast.shapes(name, t, x.type()));
            return t.shape();
        }
    }
}
