// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/** Multi-dimensional positions of row-major arrays, for reference evaluation. */
final class Positions {
    private Positions() {}

    /**
     * Calls {@code f} with every position of {@code shape} in row-major order (one array, reused).
     */
    static void forEach(Shape shape, Consumer<long[]> f) {
        long[] at = new long[shape.rank()];
        for (long n = shape.numel(); n > 0; n--) {
            f.accept(at);
            for (int axis = at.length - 1; axis >= 0 && ++at[axis] == shape.dim(axis); axis--) at[axis] = 0;
        }
    }

    /** Row-major offset of a position. */
    static long offset(long[] strides, long[] at) {
        long offset = 0;
        for (int i = 0; i < at.length; i++) offset += strides[i] * at[i];
        return offset;
    }

    /**
     * The array of type {@code out} whose element at each position is the element of {@code x} at
     * offset {@code source}, or zero where that is negative.
     */
    static RefArray gather(RefArray x, Type out, ToLongFunction<long[]> source) {
        RefArray y = RefArray.zeros(out);
        int[] next = {0};
        forEach(out.shape(), at -> {
            long from = source.applyAsLong(at);
            if (from >= 0) y.copy(next[0], x, Math.toIntExact(from));
            next[0]++;
        });
        return y;
    }
}
