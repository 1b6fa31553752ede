// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * Samples by number, read a batch at a time.
 *
 * <p>{@link #batch} is called by the threads of a {@link DataLoader}, several at once: it must be safe for
 * that, and should build its tensors from host arrays (which runs nothing) rather than compute with tensors.
 *
 * @param <B> a batch, for instance {@link Batch}
 */
public interface Dataset<B> {
    /** Number of samples. */
    long size();

    /**
     * The samples of these numbers, in this order, as one batch.
     *
     * @throws IndexOutOfBoundsException if a number is not in [0, size)
     */
    B batch(long[] indices);

    /**
     * A dataset of single samples and a way to put a list of them together.
     *
     * @param get the sample of a number in [0, size)
     */
    static <S, B> Dataset<B> of(long size, LongFunction<S> get, Function<List<S>, B> collate) {
        return new Dataset<>() {
            @Override
            public long size() {
                return size;
            }

            @Override
            public B batch(long[] indices) {
                List<S> samples = new ArrayList<>(indices.length);
                for (long i : indices) samples.add(get.apply(checked(i, size)));
                return collate.apply(samples);
            }
        };
    }

    /** Some of this dataset's samples, in the given order ({@code torch.utils.data.Subset}). */
    default Dataset<B> subset(long... indices) {
        long[] kept = indices.clone();
        for (long i : kept) checked(i, size());
        Dataset<B> whole = this;
        return new Dataset<>() {
            @Override
            public long size() {
                return kept.length;
            }

            @Override
            public B batch(long[] picked) {
                long[] mapped = new long[picked.length];
                for (int k = 0; k < picked.length; k++) mapped[k] = kept[(int) checked(picked[k], kept.length)];
                return whole.batch(mapped);
            }
        };
    }

    /** The index itself if it is in [0, size). */
    private static long checked(long index, long size) {
        if (index < 0 || index >= size) {
            throw new IndexOutOfBoundsException("sample " + index + " of a dataset of " + size);
        }
        return index;
    }
}
