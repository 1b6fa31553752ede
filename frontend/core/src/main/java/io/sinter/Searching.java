// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constantLong;

import io.sinter.ir.DType;
import java.util.List;

/**
 * Search in sorted numbers, different elements, counts. Where a result's shape depends on the elements, they
 * are read.
 */
public sealed interface Searching permits Tensor {
    Tensor self();

    /**
     * The different elements.
     *
     * @param values the elements, or subtensors along an axis
     * @param inverse where in {@code values} each element is: i64
     * @param counts how often each of {@code values} occurs: i64
     */
    record Unique(Tensor values, Tensor inverse, Tensor counts) {}

    /** The different elements of the flattened tensor, sorted. Runs the trace. */
    default Unique unique() {
        Tensor x = self();
        Tensor flat = x.reshape(-1);
        if (flat.dtype().isBool()) {
            Unique u = flat.to(DType.U8).unique();
            return new Unique(u.values.toBool(), u.inverse.reshape(x.shape()), u.counts);
        }
        ValuesAndIndices sorted = flat.sort(0, false);
        Unique u = Runs.of(sorted.values(), 0);
        // The inverse of the sorting permutation carries the group numbers back.
        Tensor inverse = u.inverse.zerosLike().scatter(0, sorted.indices(), u.inverse);
        return new Unique(u.values, inverse.reshape(x.shape()), u.counts);
    }

    /** The different subtensors along an axis, in lexicographic order. Runs the trace. */
    default Unique unique(int axis) {
        Tensor x = self();
        int a = Axes.axis("unique", x, axis);
        Tensor rows = Runs.rows(x, a);
        // Stable sorts by each column, from the last to the first.
        Tensor order = Tensor.arange(rows.size(0));
        for (long c = rows.size(1) - 1; c >= 0; c--)
            order = order.take(rows.select(1, c).take(order).argsort(0, false));
        Unique u = Runs.of(x.indexSelect(a, order), a);
        return new Unique(u.values, u.inverse.zerosLike().scatter(0, order, u.inverse), u.counts);
    }

    /** The flattened tensor without elements that equal their predecessor. Runs the trace. */
    default Unique uniqueConsecutive() {
        Unique u = Runs.of(self().reshape(-1), 0);
        return new Unique(u.values, u.inverse.reshape(self().shape()), u.counts);
    }

    /** Without subtensors along an axis that equal their predecessor. Runs the trace. */
    default Unique uniqueConsecutive(int axis) {
        return Runs.of(self(), Axes.axis("uniqueConsecutive", self(), axis));
    }

    /** True where an element occurs in {@code elements}. */
    default Tensor isin(Tensor elements) {
        return Trace.call(() -> {
            if (elements.numel() == 0) return cast(self().zerosLike(), DType.BOOL);
            return self().unsqueeze(-1).eq(elements.reshape(-1)).any(-1, false);
        });
    }

    /**
     * Where {@code values} would have to be inserted to keep the last axis of this tensor sorted: i64 of
     * their shape.
     *
     * @param values any shape if this is a vector; else equal to this one's in all axes but the last
     * @param right behind equal elements rather than before them
     */
    default Tensor searchsorted(Tensor values, boolean right) {
        Tensor x = self();
        boolean vector = x.rank() == 1;
        if (x.rank() == 0
                || !vector
                        && !x.type()
                                .shape()
                                .with(x.rank() - 1, 1)
                                .equals(values.type().shape().with(values.rank() - 1, 1))) {
            throw Errors.argument(
                    "searchsorted", x, values, "needs a vector, or operands that differ in the last axis only");
        }
        return Trace.call(() -> {
            long n = x.size(-1);
            Tensor place =
                    Operators.expand(constantLong(DType.I64, 0), values.type().shape());
            if (n == 0 || values.numel() == 0) return place;
            for (long step = Long.highestOneBit(n); step > 0; step /= 2) {
                Tensor next = place.add(step);
                Tensor at = next.minimum(constantLong(DType.I64, n)).sub(1);
                Tensor found = vector ? x.take(at) : x.gather(-1, at);
                Tensor stop = right ? found.gt(values) : found.ge(values);
                place = next.le(n).logicalAnd(stop.logicalNot()).where(next, place);
            }
            return place;
        });
    }

    /**
     * How often each number from 0 to the greatest (at least {@code minlength} of them) occurs in a vector.
     * Runs the trace.
     */
    default Tensor bincount(Tensor weights, long minlength) {
        Tensor x = self();
        if (x.rank() != 1 || !x.dtype().isInt())
            throw Errors.argument("bincount", x, "needs a vector of whole numbers");
        long n = Math.max(minlength, x.numel() == 0 ? 0 : x.max().itemLong() + 1);
        return Trace.call(() -> {
            if (weights == null)
                return Tensor.zeros(new long[] {n}, DType.I64)
                        .indexAdd(0, x, x.onesLike().toLong());
            DType d = weights.dtype() == DType.F32 ? DType.F32 : DType.F64;
            return Tensor.zeros(new long[] {n}, d).indexAdd(0, x, cast(weights, d));
        });
    }

    /** Counts per bin, and the bins' edges. */
    record Histogram(Tensor counts, Tensor edges) {}

    /**
     * Counts of the elements in {@code bins} equal bins from {@code min} to {@code max}; the last bin has
     * both its ends. Others do not count.
     */
    default Tensor histc(int bins, double min, double max) {
        Tensor x = self();
        if (bins < 1 || !(min <= max)) throw Errors.argument("histc", x, bins + " bins from " + min + " to " + max);
        boolean given = min != max;
        // Without bounds: those of the elements.
        double low = given || x.numel() == 0 ? min : x.min().item();
        double high = given || x.numel() == 0 ? max : x.max().item();
        double first = low == high ? low - 1 : low;
        double last = low == high ? high + 1 : high;
        return Trace.call(() -> Runs.counts(x, bins, first, last));
    }

    /**
     * As {@link #histc}, with a weight for each element or null, and the bins' edges; {@code density} makes
     * the integral 1.
     */
    default Histogram histogram(int bins, double min, double max, Tensor weight, boolean density) {
        Tensor x = self();
        if (bins < 1 || !(min <= max)) throw Errors.argument("histogram", x, bins + " bins from " + min + " to " + max);
        double low = min == max ? min - 0.5 : min;
        double high = min == max ? max + 0.5 : max;
        Tensor edges = Tensor.linspace(low, high, bins + 1, x.dtype());
        return histogram(edges, weight, density);
    }

    /**
     * Sums of weights (or counts) of the elements between neighbouring {@code edges}, ascending; the last bin
     * has both its ends.
     */
    default Histogram histogram(Tensor edges, Tensor weight, boolean density) {
        Tensor x = self();
        if (edges.rank() != 1 || edges.numel() < 2)
            throw Errors.argument("histogram", x, edges, "needs a vector of at least two edges");
        Tensor counts = Trace.call(() -> {
            long bins = edges.numel() - 1;
            Tensor flat = x.reshape(-1);
            Tensor last = edges.select(0, bins);
            // The right end belongs to the last bin.
            Tensor at = edges.searchsorted(flat, true).sub(1);
            at = flat.eq(last).where(constantLong(DType.I64, bins - 1), at);
            Tensor inside = at.ge(0).logicalAnd(at.lt(bins));
            Tensor h = Runs.sums(at, inside, weight == null ? flat.onesLike() : weight.reshape(-1), bins);
            return density ? h.div(h.sum()).div(edges.diff()) : h;
        });
        return new Histogram(counts, edges);
    }

    /** Helpers of this family. */
    final class Runs {
        private Runs() {}

        /** Subtensors along an axis as rows. */
        static Tensor rows(Tensor x, int axis) {
            return x.movedim(axis, 0).reshape(x.size(axis), x.numel() / Math.max(1, x.size(axis)));
        }

        /** Sums of values by bin number, where {@code inside}. */
        static Tensor sums(Tensor bin, Tensor inside, Tensor values, long bins) {
            Tensor at = inside.where(bin, constantLong(DType.I64, 0));
            Tensor v = inside.where(values, Operators.constant(values, 0));
            return Tensor.zeros(new long[] {bins}, values.dtype()).indexAdd(0, at, v);
        }

        static Tensor counts(Tensor x, int bins, double min, double max) {
            Tensor flat = x.reshape(-1);
            Tensor inside = flat.ge(min).logicalAnd(flat.le(max));
            Tensor place = flat.sub(min).mul(bins / (max - min)).floor();
            Tensor at = cast(inside.where(place, Operators.constant(place, 0)), DType.I64)
                    .minimum(constantLong(DType.I64, bins - 1));
            return sums(at, inside, flat.onesLike(), bins);
        }

        /** Runs of equal neighbours along an axis. */
        static Unique of(Tensor x, int axis) {
            long n = x.size(axis);
            if (n == 0)
                return new Unique(
                        x.clone(), Tensor.zeros(new long[] {0}, DType.I64), Tensor.zeros(new long[] {0}, DType.I64));
            Tensor rows = rows(x.detach(), axis);
            Tensor changed =
                    rows.narrow(0, 1, n - 1).ne(rows.narrow(0, 0, n - 1)).any(1, false);
            Tensor first = F.cat(List.of(Tensor.of(true), changed), 0);
            Tensor group = first.cumsum(0).sub(1);
            Tensor starts = first.nonzero().reshape(-1);
            long k = starts.numel();
            Tensor ends = F.cat(List.of(starts.narrow(0, 1, k - 1), Tensor.of(n)), 0);
            return new Unique(x.indexSelect(axis, starts), group, ends.sub(starts));
        }
    }
}
