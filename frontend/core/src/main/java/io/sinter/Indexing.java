// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.op.Take;

/**
 * Elements by position. Basic indices (whole numbers, slices, {@code NEW}, {@code ELLIPSIS}) give views;
 * index tensors and masks give copies, as in PyTorch. Index tensors are i64 (i32 and smaller are converted);
 * their values are checked when the program runs: an {@link IndexOutOfBoundsException} names operator, value,
 * bound and source line.
 */
public sealed interface Indexing permits Tensor {
    Tensor self();

    /**
     * The elements at the given indices, axis by axis: whole numbers, {@link Index#slice}s, {@link
     * Index#NEW}, {@link Index#ELLIPSIS}, index tensors, bool masks, int or long arrays.
     */
    default Tensor get(Object... indices) {
        return IndexPath.of(self(), indices).read();
    }

    /** As {@code get(Object...)}, in Python's notation: {@code x.get("1:, ::-1, ..., None")}. */
    default Tensor get(String indices) {
        return IndexPath.of(self(), Index.parse(indices)).read();
    }

    /** The place of elements, to be written: {@code x.at(0, slice(1, END)).set(v)}. */
    default Place at(Object... indices) {
        return new Place(self(), IndexPath.of(self(), indices));
    }

    default Place at(String indices) {
        return new Place(self(), IndexPath.of(self(), Index.parse(indices)));
    }

    /** Subtensors along an axis at the positions of a vector. */
    default Tensor indexSelect(int axis, Tensor index) {
        Tensor x = self();
        int a = Axes.axis("indexSelect", x, axis);
        if (index.rank() > 1)
            throw Errors.argument("indexSelect", x, index, "the index must be a vector; use take or gather");
        Tensor i = Indices.whole("indexSelect", index);
        if (x.rank() == 0)
            return Operators.E.reshape(
                    Dispatch.emit(new Take(0), x.reshape(1), i.reshape(-1)),
                    x.type().shape());
        return Dispatch.emit(new Take(a), x, index.rank() == 0 ? i.reshape(1) : i);
    }

    /** {@code result[i][j] = self[index[i][j]][j]} for axis 0, and so on. */
    default Tensor gather(int axis, Tensor index) {
        Tensor x = self();
        int a = Axes.axis("gather", x, axis);
        Tensor i = Indices.whole("gather", index);
        if (index.numel() == 0)
            return Tensor.zeros(new io.sinter.ir.Type(x.dtype(), index.type().shape()));
        if (x.rank() == 0)
            return Operators.E.reshape(
                    Dispatch.emit(new Gather(0), x.reshape(1), i.reshape(-1)),
                    index.type().shape());
        return Dispatch.emit(new Gather(a), x, i);
    }

    /**
     * A copy with {@code src} written at the positions of {@code index} along an axis; of several writes to
     * one place the last stays.
     */
    default Tensor scatter(int axis, Tensor index, Tensor src) {
        return Indices.scatter("scatter", self(), axis, index, src, Put.Mode.SET);
    }

    default Tensor scatter(int axis, Tensor index, double value) {
        return Trace.call(() -> scatter(
                axis,
                index,
                Operators.expand(
                        Operators.number(self(), value).to(self().dtype()),
                        index.type().shape())));
    }

    /** A copy with {@code src} added at the positions of {@code index} along an axis. */
    default Tensor scatterAdd(int axis, Tensor index, Tensor src) {
        return Indices.scatter("scatterAdd", self(), axis, index, src, Put.Mode.ADD);
    }

    /** A copy with slices of {@code src} added at positions of an axis. */
    default Tensor indexAdd(int axis, Tensor index, Tensor src) {
        return Indices.put("indexAdd", self(), axis, index, src, Put.Mode.ADD);
    }

    /** A copy with slices of {@code src} written at positions of an axis. */
    default Tensor indexCopy(int axis, Tensor index, Tensor src) {
        return Indices.put("indexCopy", self(), axis, index, src, Put.Mode.SET);
    }

    /** A copy with {@code value} where the mask is true. */
    default Tensor maskedFill(Tensor mask, double value) {
        Tensor x = self();
        return Operators.where(mask, Operators.number(x, value).to(x.dtype()), x);
    }

    default Tensor maskedFill(Tensor mask, Tensor value) {
        return Operators.where(mask, value.to(self().dtype()), self());
    }

    /**
     * The elements where the mask is true, as a vector. Reads the mask: the result's length depends on it.
     */
    default Tensor maskedSelect(Tensor mask) {
        Tensor x = self();
        return Trace.call(() -> {
            var s = io.sinter.ir.op.Broadcast.shapes("maskedSelect", x.type(), mask.type());
            Tensor positions =
                    Indices.nonzero(Operators.expand(mask, s).reshape(-1)).reshape(-1);
            return Dispatch.emit(new Take(0), Operators.expand(x, s).reshape(-1), positions);
        });
    }

    /** Positions of nonzero elements: one row each. Reads this tensor: the result's shape depends on it. */
    default Tensor nonzero() {
        return Indices.nonzero(self());
    }

    /** Elements at positions of the flattened tensor. */
    default Tensor take(Tensor index) {
        return Trace.call(() -> Dispatch.emit(new Take(0), self().reshape(-1), Indices.whole("take", index)));
    }

    /** Helpers of this family. */
    final class Indices {
        private Indices() {}

        /** An index tensor as i64. */
        static Tensor whole(String name, Tensor index) {
            if (!index.dtype().isInt())
                throw Errors.argument(name, index, "indices must be whole numbers; call toLong() first");
            return Operators.cast(index, DType.I64);
        }

        static Tensor scatter(String name, Tensor x, int axis, Tensor index, Tensor src, Put.Mode mode) {
            int a = Axes.axis(name, x, axis);
            if (src.dtype() != x.dtype()) throw Errors.argument(name, x, src, "dtypes differ; cast the source");
            if (x.dtype().isBool() && mode == Put.Mode.ADD) {
                // Adding bools is an or.
                return Trace.call(() -> scatter(name, x.toLong(), axis, index, src.toLong(), mode)
                        .toBool());
            }
            Tensor i = whole(name, index);
            if (x.rank() == 0) {
                Tensor r = Dispatch.emit(new Scatter(0, mode), x.reshape(1), i.reshape(-1), src.reshape(-1));
                return Operators.E.reshape(r, x.type().shape());
            }
            return Dispatch.emit(new Scatter(a, mode), x, i, src);
        }

        static Tensor put(String name, Tensor x, int axis, Tensor index, Tensor src, Put.Mode mode) {
            int a = Axes.axis(name, x, axis);
            if (src.dtype() != x.dtype()) throw Errors.argument(name, x, src, "dtypes differ; cast the source");
            if (x.dtype().isBool() && mode == Put.Mode.ADD) {
                return Trace.call(() ->
                        put(name, x.toLong(), axis, index, src.toLong(), mode).toBool());
            }
            Tensor i = whole(name, index);
            if (x.rank() == 0) {
                return Operators.E.reshape(
                        Dispatch.emit(new Put(0, mode), x.reshape(1), i.reshape(-1), src.reshape(-1)),
                        x.type().shape());
            }
            return Dispatch.emit(new Put(a, mode), x, i.rank() == 0 ? i.reshape(1) : i, src);
        }

        static Tensor nonzero(Tensor x) {
            boolean[] v = x.toBooleans();
            int n = 0;
            for (boolean b : v) if (b) n++;
            int rank = x.rank();
            long[] r = new long[n * rank];
            long[] strides = x.type().shape().strides();
            int k = 0;
            for (int i = 0; i < v.length; i++) {
                if (!v[i]) continue;
                long rest = i;
                for (int a = 0; a < rank; a++) {
                    r[k++] = rest / strides[a];
                    rest %= strides[a];
                }
            }
            return Host.tensor(DType.I64, io.sinter.ir.Shape.of(n, rank), java.lang.foreign.MemorySegment.ofArray(r));
        }
    }
}
