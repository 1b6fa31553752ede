// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constantLong;

import io.sinter.ir.DType;

/** Search in sorted numbers, different elements, counts. Where a result's shape depends on the elements, they are read. */
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
        for (long c = rows.size(1) - 1; c >= 0; c--) order = order.take(rows.select(1, c).take(order).argsort(0, false));
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
     * Where {@code values} would have to be inserted to keep the last axis of this tensor sorted: i64 of their shape.
     *
     * @param values any shape if this is a vector; else equal to this one's in all axes but the last
     * @param right behind equal elements rather than before them
     */
    default Tensor searchsorted(Tensor values, boolean right) {
        Tensor x = self();
        boolean vector = x.rank() == 1;
        if (x.rank() == 0 || !vector && !x.type().shape().with(x.rank() - 1, 1).equals(values.type().shape().with(values.rank() - 1, 1))) {
            throw Errors.argument("searchsorted", x, values, "needs a vector, or operands that differ in the last axis only");
        }
        return Trace.call(() -> {
            long n = x.size(-1);
            Tensor place = Operators.expand(constantLong(DType.I64, 0), values.type().shape());
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

    /** How often each number from 0 to the greatest (at least {@code minlength} of them) occurs in a vector. Runs the trace. */
    default Tensor bincount(Tensor weights, long minlength) {
        Tensor x = self();
        if (x.rank() != 1 || !x.dtype().isInt()) throw Errors.argument("bincount", x, "needs a vector of whole numbers");
        long n = Math.max(minlength, x.numel() == 0 ? 0 : x.max().itemLong() + 1);
        return Trace.call(() -> {
            if (weights == null) return Tensor.zeros(new long[] {n}, DType.I64).indexAdd(0, x, x.onesLike().toLong());
            DType d = weights.dtype() == DType.F32 ? DType.F32 : DType.F64;
            return Tensor.zeros(new long[] {n}, d).indexAdd(0, x, cast(weights, d));
        });
    }

    /** Helpers of this family. */
    final class Runs {
        private Runs() {}

        /** Subtensors along an axis as rows. */
        static Tensor rows(Tensor x, int axis) {
            return x.movedim(axis, 0).reshape(x.size(axis), x.numel() / Math.max(1, x.size(axis)));
        }

        /** Runs of equal neighbours along an axis. */
        static Unique of(Tensor x, int axis) {
            long n = x.size(axis);
            if (n == 0) return new Unique(x.clone(), Tensor.zeros(new long[] {0}, DType.I64), Tensor.zeros(new long[] {0}, DType.I64));
            Tensor rows = rows(x.detach(), axis);
            Tensor changed = rows.narrow(0, 1, n - 1).ne(rows.narrow(0, 0, n - 1)).any(1, false);
            Tensor first = F.cat(java.util.List.of(Tensor.of(true), changed), 0);
            Tensor group = first.cumsum(0).sub(1);
            Tensor starts = first.nonzero().reshape(-1);
            long k = starts.numel();
            Tensor ends = F.cat(java.util.List.of(starts.narrow(0, 1, k - 1), Tensor.of(n)), 0);
            return new Unique(x.indexSelect(axis, starts), group, ends.sub(starts));
        }
    }
}
