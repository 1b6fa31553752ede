// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import io.sinter.Tensor;
import io.sinter.ir.Type;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Two tensors, inputs and targets, as a dataset over their first axis ({@code
 * torch.utils.data.TensorDataset}). Their values are read once, when it is made.
 */
public final class TensorDataset implements Dataset<Batch> {
    private final Rows x;
    private final Rows y;

    /** @throws IllegalArgumentException if the first extents differ, or a tensor has no axis */
    public TensorDataset(Tensor x, Tensor y) {
        if (x.rank() == 0 || y.rank() == 0 || x.size(0) != y.size(0)) {
            throw new IllegalArgumentException(
                    "TensorDataset(" + x.type() + ", " + y.type() + "): the first axes must have the same extent");
        }
        this.x = new Rows(x);
        this.y = new Rows(y);
    }

    /** A tensor's elements, copied to the host. */
    private static final class Rows {
        private final Type type;
        private final MemorySegment elements;
        private final long rowBytes;

        Rows(Tensor t) {
            type = t.type();
            elements = Arena.ofAuto().allocate(Math.max(1, type.bytes()), 64).asSlice(0, type.bytes());
            t.copyTo(elements);
            rowBytes = type.dim(0) == 0 ? 0 : type.bytes() / type.dim(0);
        }

        Tensor take(long[] indices) {
            byte[] out = new byte[Math.toIntExact(indices.length * rowBytes)];
            MemorySegment to = MemorySegment.ofArray(out);
            for (int i = 0; i < indices.length; i++) {
                if (indices[i] < 0 || indices[i] >= type.dim(0)) {
                    throw new IndexOutOfBoundsException("sample " + indices[i] + " of a dataset of " + type.dim(0));
                }
                MemorySegment.copy(elements, indices[i] * rowBytes, to, i * rowBytes, rowBytes);
            }
            return Tensor.fromBytes(
                    to, type.dtype(), type.shape().with(0, indices.length).toArray());
        }
    }

    @Override
    public long size() {
        return x.type.dim(0);
    }

    @Override
    public Batch batch(long[] indices) {
        return new Batch(x.take(indices), y.take(indices));
    }
}
