// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;
import static io.sinter.Operators.constantLong;

import io.sinter.ir.DType;
import io.sinter.ir.op.Scan;

/** What order statistics are made of. */
final class Ordering {
    private Ordering() {}

    static Tensor withoutNan(Tensor x) {
        return x.dtype().isFloat() ? x.isnan().where(constant(x, 0), x) : x;
    }

    static ValuesAndIndices running(String name, Scan.Kind kind, Tensor x, int axis) {
        int a = Axes.axis(name, x, axis);
        if (x.rank() == 0) return new ValuesAndIndices(x.clone(), Tensor.zeros(new long[0], DType.I64));
        DType d = x.dtype();
        Tensor y = d.isBool() ? cast(x, DType.U8) : x;
        Scan scan = new Scan(kind, a, false);
        Tensor values = Dispatch.emit(scan, y);
        Tensor detached = y.detach();
        Tensor indices = scan.extremeIndex(Operators.E, detached, values.detach());
        return new ValuesAndIndices(cast(values, d), indices);
    }

    /** The shape of {@code x} with extent 1 along an axis. */
    static long[] one(Tensor x, int axis) {
        long[] s = x.shape();
        s[axis] = 1;
        return s;
    }

    /** The elements at {@code place} (i64, extent 1 along the axis) of sorted lines. */
    static ValuesAndIndices at(ValuesAndIndices sorted, int axis, Tensor place, boolean keepdim) {
        Tensor v = sorted.values().gather(axis, place);
        Tensor i = sorted.indices().gather(axis, place);
        return keepdim ? new ValuesAndIndices(v, i) : new ValuesAndIndices(v.squeeze(axis), i.squeeze(axis));
    }

    /** Of sorted lines, the first place of the longest run of equal elements: the axis kept. */
    static Tensor mostFrequent(Tensor sorted, int axis) {
        return Trace.call(() -> {
            long n = sorted.size(axis);
            Tensor here = Movement.Moving.part(sorted, axis, 1, n - 1);
            Tensor changed = here.ne(Movement.Moving.part(sorted, axis, 0, n - 1))
                    .toLong()
                    .cumsum(axis);
            long[] pad = new long[2 * (sorted.rank() - axis)];
            pad[pad.length - 2] = 1;
            Tensor run = F.pad(changed, pad);
            Tensor lengths = run.zerosLike().scatterAdd(axis, run, run.onesLike());
            return lengths.gather(axis, run).argmax(axis, true);
        });
    }

    /** How many elements along the axis are not NaN: i64, the axis kept. */
    private static Tensor numbers(Tensor x, int axis) {
        return x.isnan().logicalNot().sum(axis, true);
    }

    static ValuesAndIndices middle(String name, Tensor x, int axis, boolean keepdim, boolean ignoreNan) {
        int a = Axes.axis(name, x, axis);
        if (x.rank() == 0) return x.sort(0, false);
        long n = x.size(a);
        if (n == 0) throw Errors.argument(name, x, "axis " + axis + " has no elements");
        ValuesAndIndices sorted = x.sort(a, false);
        Tensor place = Tensor.full(one(x, a), (n - 1) / 2, DType.I64);
        if (x.dtype().isFloat()) {
            // NaNs come last. They are passed over, or the first of them is the answer.
            Tensor count = numbers(x, a);
            if (ignoreNan)
                place = count.sub(1).clampMin(constantLong(DType.I64, 0)).floorDivide(2);
            else place = count.lt(n).where(count, place);
        }
        return at(sorted, a, place, keepdim);
    }

    static Tensor middle(Tensor x, boolean ignoreNan) {
        if (x.rank() == 0) return x.clone();
        return Trace.call(() -> {
            Tensor flat = x.reshape(-1);
            Tensor value = middle("median", flat.detach(), 0, false, ignoreNan).values();
            if (!x.dtype().isFloat()) return value;
            // Equal elements share the gradient, as those of amax do.
            Tensor same = flat.eq(value).logicalOr(flat.isnan().logicalAnd(value.isnan()));
            return same.where(flat, constant(flat, Double.NEGATIVE_INFINITY)).amax(new int[0], false);
        });
    }

    static Tensor quantile(Tensor x, Tensor q, int axis, boolean keepdim, String interpolation, boolean ignoreNan) {
        if (!x.dtype().isFloat() || x.dtype() != q.dtype())
            throw Errors.argument("quantile", x, q, "needs two operands of one floating-point dtype");
        if (q.rank() > 1) throw Errors.argument("quantile", x, q, "the quantiles must be a number or a vector");
        return Trace.call(() -> {
            Tensor y = x.rank() == 0 ? x.reshape(1) : x;
            int a = Axes.axis("quantile", y, axis);
            Tensor moved = y.movedim(a, -1);
            Tensor sorted = moved.sort(-1, false).values();
            long n = moved.size(-1);
            Tensor count = moved.isnan().logicalNot().sum(-1, true);
            Tensor last = cast(ignoreNan ? count.sub(1) : Tensor.full(count.shape(), n - 1, DType.I64), x.dtype());
            Tensor rank = q.reshape(-1).mul(last);
            if (!ignoreNan) rank = count.lt(n).where(last, rank);
            // Where every element is NaN.
            rank = rank.clampMin(constant(rank, 0));
            Tensor result =
                    switch (interpolation) {
                        case "lower" -> pick(sorted, rank.floor());
                        case "higher" -> pick(sorted, rank.ceil());
                        case "nearest" -> pick(sorted, rank.round());
                        case "linear", "midpoint" -> {
                            Tensor low = rank.floor();
                            Tensor weight = interpolation.equals("midpoint")
                                    ? cast(rank.ne(low), x.dtype()).mul(0.5)
                                    : rank.sub(low);
                            Tensor from = pick(sorted, low);
                            Tensor to = pick(sorted, rank.ceil());
                            yield from.lerp(to, weight);
                        }
                        default ->
                            throw Errors.argument(
                                    "quantile",
                                    x,
                                    "unknown interpolation '" + interpolation
                                            + "'; known: linear, lower, higher, midpoint, nearest");
                    };
            // The quantiles' axis, now the last, comes first, or goes if there is a single one.
            if (q.rank() == 0) {
                if (x.rank() == 0) return result.reshape(new long[0]);
                return keepdim ? result.movedim(-1, a) : result.squeeze(-1);
            }
            Tensor front = result.movedim(-1, 0);
            if (x.rank() == 0) return front.reshape(-1);
            return keepdim ? front.unsqueeze(a + 1) : front;
        });
    }

    private static Tensor pick(Tensor sorted, Tensor place) {
        return sorted.gather(-1, cast(place.detach(), DType.I64));
    }
}
