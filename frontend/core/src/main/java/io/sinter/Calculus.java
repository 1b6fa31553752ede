// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Numerical integrals and derivatives along axes. */
public sealed interface Calculus permits Tensor {
    Tensor self();

    /** Integral along an axis of values that are {@code dx} apart, by the trapezoidal rule. */
    default Tensor trapezoid(double dx, int axis) {
        return Trace.call(() -> Steps.areas(self(), axis).sum(axis).mul(dx / 2));
    }

    /**
     * Integral of the values at places {@code x}, which broadcast; a vector of places lies along the axis.
     */
    default Tensor trapezoid(Tensor x, int axis) {
        return Trace.call(() -> Steps.areas(self(), x, axis).sum(axis).div(2.0));
    }

    /** Running integrals, without the zero at the beginning. */
    default Tensor cumulativeTrapezoid(double dx, int axis) {
        return Trace.call(() -> Steps.areas(self(), axis).cumsum(axis).mul(dx / 2));
    }

    default Tensor cumulativeTrapezoid(Tensor x, int axis) {
        return Trace.call(() -> Steps.areas(self(), x, axis).cumsum(axis).div(2.0));
    }

    /**
     * Derivatives along axes by second-order differences ({@code torch.gradient}).
     *
     * @param places for each axis: a tensor of shape [] (the spacing) or a vector of places
     * @param edgeOrder 1 or 2, the order at the ends
     */
    default List<Tensor> gradient(List<Tensor> places, int[] axes, int edgeOrder) {
        Tensor f = self();
        if (edgeOrder != 1 && edgeOrder != 2)
            throw Errors.argument("gradient", f, "edge order " + edgeOrder + "; 1 and 2 are there");
        if (places.size() != axes.length)
            throw Errors.argument("gradient", f, places.size() + " spacings for " + axes.length + " axes");
        List<Tensor> r = new ArrayList<>();
        for (int i = 0; i < axes.length; i++) {
            int a = Axes.axis("gradient", f, axes[i]);
            Tensor p = places.get(i);
            if (f.size(a) < edgeOrder + 1)
                throw Errors.argument("gradient", f, "axis " + a + " needs at least " + (edgeOrder + 1) + " elements");
            r.add(Trace.call(() -> Steps.derivative(f, p, a, edgeOrder)));
        }
        return r;
    }

    /** Helpers of this family. */
    final class Steps {
        private Steps() {}

        private static Tensor part(Tensor x, int axis, long start, long size) {
            return Movement.Moving.part(x, axis, start, size);
        }

        /** Sums of neighbours. */
        static Tensor areas(Tensor y, int axis) {
            int a = Axes.axis("trapezoid", y, axis);
            long n = Math.max(0, y.size(a) - 1);
            return part(y, a, Math.min(1, y.size(a)), n).add(part(y, a, 0, n));
        }

        static Tensor areas(Tensor y, Tensor x, int axis) {
            int a = Axes.axis("trapezoid", y, axis);
            Tensor places = x.rank() == 1 ? along(x, y, a) : x;
            return areas(y, a).mul(places.diff(1, places.rank() - y.rank() + a));
        }

        /** A vector with its axis where {@code like} has {@code axis}. */
        private static Tensor along(Tensor v, Tensor like, int axis) {
            long[] s = new long[like.rank()];
            Arrays.fill(s, 1);
            s[axis] = v.numel();
            return v.reshape(s);
        }

        static Tensor derivative(Tensor f, Tensor places, int axis, int edgeOrder) {
            DType d = Promotion.toFloat(f.dtype());
            Tensor y = Operators.cast(f, d);
            long n = y.size(axis);
            Tensor p = Operators.cast(places, d);
            // The distances of neighbours, along the axis.
            Tensor h = p.rank() == 0 ? Operators.expand(p, Shape.of(n - 1)) : p.diff(1, 0);
            h = along(h, y, axis);
            Tensor slope = y.diff(1, axis).div(h);
            Tensor low = part(slope, axis, 0, 1);
            Tensor high = part(slope, axis, n - 2, 1);
            List<Tensor> parts = new ArrayList<>();
            Tensor inner = null;
            if (n > 2) {
                Tensor h1 = part(h, axis, 0, n - 2);
                Tensor h2 = part(h, axis, 1, n - 2);
                Tensor s1 = part(slope, axis, 0, n - 2);
                Tensor s2 = part(slope, axis, 1, n - 2);
                inner = s1.mul(h2).add(s2.mul(h1)).div(h1.add(h2));
            }
            if (edgeOrder == 2) {
                // The parabola through three points.
                Tensor first =
                        part(slope, axis, 1, 1).sub(low).div(part(h, axis, 0, 1).add(part(h, axis, 1, 1)));
                Tensor last = high.sub(part(slope, axis, n - 3, 1))
                        .div(part(h, axis, n - 2, 1).add(part(h, axis, n - 3, 1)));
                low = low.sub(first.mul(part(h, axis, 0, 1)));
                high = high.add(last.mul(part(h, axis, n - 2, 1)));
            }
            parts.add(low);
            if (inner != null) parts.add(inner);
            parts.add(high);
            return F.cat(parts, axis);
        }
    }
}
