// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Put;

/**
 * Copies with some elements written, and elements taken, by position. Index values are checked when the
 * program runs.
 */
public sealed interface Scattering permits Tensor {
    Tensor self();

    /**
     * A copy with {@code src} reduced into the positions of {@code index} along an axis.
     *
     * @param reduce "sum", "prod", "mean", "amax" or "amin"
     * @param includeSelf the elements that were there take part
     */
    default Tensor scatterReduce(int axis, Tensor index, Tensor src, String reduce, boolean includeSelf) {
        Tensor x = self();
        return Trace.call(() -> Reducer.reduce(
                "scatterReduce",
                x,
                reduce,
                includeSelf,
                src,
                (into, values, mode) -> Indexing.Indices.scatter(
                        "scatterReduce", into, axis, index, Reducer.corner(values, index), mode)));
    }

    /**
     * As {@link #scatterReduce}, with slices of {@code src} for a vector of positions ({@code
     * torch.index_reduce}).
     */
    default Tensor indexReduce(int axis, Tensor index, Tensor src, String reduce, boolean includeSelf) {
        Tensor x = self();
        return Trace.call(() -> Reducer.reduce(
                "indexReduce",
                x,
                reduce,
                includeSelf,
                src,
                (into, values, mode) -> Indexing.Indices.put("indexReduce", into, axis, index, values, mode)));
    }

    /**
     * A copy with {@code src} (reduced by "add" or "multiply" if given) at the positions of {@code index}.
     */
    default Tensor scatter(int axis, Tensor index, Tensor src, String reduce) {
        return switch (reduce) {
            case "add" -> scatterReduce(axis, index, src, "sum", true);
            case "multiply" -> scatterReduce(axis, index, src, "prod", true);
            default ->
                throw Errors.argument("scatter", self(), "unknown reduction '" + reduce + "'; known: add, multiply");
        };
    }

    /** A copy with {@code alpha} times slices of {@code src} added at positions of an axis. */
    default Tensor indexAdd(int axis, Tensor index, Tensor src, double alpha) {
        Tensor x = self();
        if (x.dtype().isBool()) {
            return Trace.call(
                    () -> cast(x.toLong().indexAdd(axis, index, src.toLong().mul((long) alpha)), DType.BOOL));
        }
        return Trace.call(() -> x.indexAdd(axis, index, cast(src.mul(alpha), x.dtype())));
    }

    /** A copy with {@code value} (of shape []) at positions of an axis. */
    default Tensor indexFill(int axis, Tensor index, Tensor value) {
        Tensor x = self();
        if (value.rank() != 0) throw Errors.argument("indexFill", x, value, "the value must have shape []");
        int a = Axes.axis("indexFill", x, axis);
        return Trace.call(() -> {
            Shape s = x.rank() == 0 ? Shape.of() : x.type().shape().with(a, index.numel());
            return x.indexCopy(a, index, Operators.expand(cast(value, x.dtype()), s));
        });
    }

    default Tensor indexFill(int axis, Tensor index, double value) {
        return indexFill(axis, index, cast(Operators.number(self(), value), self().dtype()));
    }

    /** A copy with {@code src} at positions of the flattened tensor, written or (accumulate) added. */
    default Tensor put(Tensor index, Tensor src, boolean accumulate) {
        Tensor x = self();
        return Trace.call(() -> {
            Tensor flat = x.reshape(-1);
            Put.Mode mode = accumulate ? Put.Mode.ADD : Put.Mode.SET;
            Tensor i = index.reshape(-1);
            Tensor v = src.reshape(-1);
            return Indexing.Indices.put("put", flat, 0, i, v, mode).reshape(x.shape());
        });
    }

    /** Elements of the flattened tensor at {@code index}. */
    default Tensor takeAlongDim(Tensor index) {
        return Trace.call(() -> self().reshape(-1).gather(0, index.reshape(-1)));
    }

    /** As {@code gather}, but the other axes broadcast. */
    default Tensor takeAlongDim(Tensor index, int axis) {
        Tensor x = self();
        int a = Axes.axis("takeAlongDim", x, axis);
        if (index.rank() != x.rank())
            throw Errors.argument("takeAlongDim", x, index, "needs as many axes as the tensor has");
        return Trace.call(() -> {
            long[] s = x.shape();
            long[] t = index.shape();
            for (int i = 0; i < s.length; i++) {
                if (i == a) continue;
                long n = s[i] == 1 ? t[i] : s[i];
                if (t[i] != n && t[i] != 1)
                    throw Errors.argument("takeAlongDim", x, index, "axis " + i + " does not broadcast");
                s[i] = n;
                t[i] = n;
            }
            return Operators.expand(x, Shape.of(s)).gather(a, Operators.expand(index, Shape.of(t)));
        });
    }

    /**
     * A copy (broadcast with the mask) whose elements where the mask is true are, in order, those of {@code
     * src}.
     */
    default Tensor maskedScatter(Tensor mask, Tensor src) {
        Tensor x = self();
        if (!mask.dtype().isBool()) throw Errors.argument("maskedScatter", x, mask, "the mask must be bool");
        if (x.dtype() != src.dtype()) throw Errors.argument("maskedScatter", x, src, "dtypes differ; cast the source");
        return Trace.call(() -> {
            Tensor[] both = Blending.Blend.broadcast("maskedScatter", x, mask);
            if (both[0].numel() == 0) return both[0].clone();
            // The i-th true element takes element i of the source.
            Tensor flat = both[1].reshape(-1);
            Tensor place = flat.cumsum(0).sub(1);
            Tensor at = flat.where(place, Operators.constantLong(DType.I64, 0));
            return both[1].where(src.take(at.reshape(both[1].shape())), both[0]);
        });
    }

    /** A copy with {@code src} on the diagonal of two axes. */
    default Tensor diagonalScatter(Tensor src, long offset, int axis1, int axis2) {
        Tensor x = self();
        return Trace.call(() -> {
            Tensor y = x.clone();
            y.diagonal(offset, axis1, axis2).copy_(src);
            return y;
        });
    }

    /** A copy with {@code src} as the subtensor at {@code index} of an axis. */
    default Tensor selectScatter(Tensor src, int axis, long index) {
        Tensor x = self();
        return Trace.call(() -> {
            Tensor y = x.clone();
            y.select(axis, index).copy_(src);
            return y;
        });
    }

    /**
     * A copy with {@code src} at the given indices, written or (accumulate) added ({@code torch.index_put}).
     */
    default Tensor indexPut(Object[] indices, Tensor src, boolean accumulate) {
        Tensor x = self();
        if (x.dtype().isBool() && accumulate)
            return Trace.call(
                    () -> x.toLong().indexPut(indices, src.toLong(), true).toBool());
        return Trace.call(() -> {
            Tensor y = x.clone();
            return accumulate ? y.at(indices).add(src) : y.at(indices).set(src);
        });
    }

    /** Helpers of this family. */
    final class Reducer {
        private Reducer() {}

        interface Writer {
            Tensor write(Tensor into, Tensor values, Put.Mode mode);
        }

        /** The part of {@code src} that a scatter with {@code index} reads. */
        static Tensor corner(Tensor src, Tensor index) {
            Tensor r = src;
            for (int i = 0; i < src.rank(); i++) {
                if (r.size(i) > index.size(i)) r = Movement.Moving.part(r, i, 0, index.size(i));
            }
            return r;
        }

        static Tensor reduce(String name, Tensor x, String reduce, boolean includeSelf, Tensor src, Writer w) {
            DType d = x.dtype();
            if (d.isBool()) {
                String as =
                        switch (reduce) {
                            case "sum" -> "amax";
                            case "prod", "mean" -> "amin";
                            default -> reduce;
                        };
                return cast(reduce(name, cast(x, DType.U8), as, includeSelf, cast(src, DType.U8), w), DType.BOOL);
            }
            Put.Mode mode =
                    switch (reduce) {
                        case "sum", "mean" -> Put.Mode.ADD;
                        case "prod" -> Put.Mode.MUL;
                        case "amax" -> Put.Mode.MAX;
                        case "amin" -> Put.Mode.MIN;
                        default ->
                            throw Errors.argument(
                                    name, x, "unknown reduction '" + reduce + "'; known: sum, prod, mean, amax, amin");
                    };
            Tensor ones = Operators.expand(
                    Operators.constantLong(DType.I64, 1), src.type().shape());
            Tensor count = w.write(
                    Operators.expand(
                            Operators.constantLong(DType.I64, 0), x.type().shape()),
                    ones,
                    Put.Mode.ADD);
            Tensor written = count.gt(0);
            Tensor start = includeSelf ? x : written.where(neutral(x, mode), x);
            Tensor r = w.write(start, src, mode);
            if (!reduce.equals("mean")) return r;
            Tensor n = (includeSelf ? count.add(1) : count).clampMin(Operators.constantLong(DType.I64, 1));
            return d.isFloat() ? r.div(cast(n, d)) : r.floorDivide(cast(n, d));
        }

        /** What changes nothing under a mode. */
        private static Tensor neutral(Tensor x, Put.Mode mode) {
            boolean real = x.dtype().isFloat();
            return switch (mode) {
                case SET, ADD -> constant(x, 0);
                case MUL -> constant(x, 1);
                case MAX ->
                    real ? constant(x, Double.NEGATIVE_INFINITY) : Operators.constantLong(x.dtype(), lowest(x.dtype()));
                case MIN ->
                    real
                            ? constant(x, Double.POSITIVE_INFINITY)
                            : Operators.constantLong(x.dtype(), highest(x.dtype()));
            };
        }

        private static long lowest(DType d) {
            return d == DType.U8 ? 0 : -1L << 8 * d.bytes() - 1;
        }

        private static long highest(DType d) {
            return d == DType.U8 ? 255 : ~lowest(d);
        }
    }
}
