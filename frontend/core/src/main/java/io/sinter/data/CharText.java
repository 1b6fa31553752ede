// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import io.sinter.Tensor;
import java.util.Arrays;

/**
 * A text as a sequence of characters, for models that predict the next one. A sample is a stretch of {@code
 * context} characters, and the same stretch one further on: batches are i64[N, context] twice. The vocabulary
 * is the text's characters in their order.
 */
public final class CharText implements Dataset<Batch> {
    private final int[] vocabulary;
    private final int[] codes;
    private final int context;

    /** @throws IllegalArgumentException if the text has no stretch of {@code context + 1} characters */
    public CharText(String text, int context) {
        int[] points = text.codePoints().toArray();
        if (context < 1 || points.length <= context) {
            throw new IllegalArgumentException(
                    "a text of " + points.length + " characters has no stretch of " + context + " and one more");
        }
        this.context = context;
        vocabulary = Arrays.stream(points).sorted().distinct().toArray();
        codes = Arrays.stream(points)
                .map(p -> Arrays.binarySearch(vocabulary, p))
                .toArray();
    }

    /** Number of different characters. */
    public int vocabularySize() {
        return vocabulary.length;
    }

    /** Number of stretches. */
    @Override
    public long size() {
        return codes.length - context;
    }

    @Override
    public Batch batch(long[] indices) {
        long[] x = new long[indices.length * context];
        long[] y = new long[indices.length * context];
        for (int k = 0; k < indices.length; k++) {
            int first = Math.toIntExact(indices[k]);
            for (int t = 0; t < context; t++) {
                x[k * context + t] = codes[first + t];
                y[k * context + t] = codes[first + t + 1];
            }
        }
        return new Batch(Tensor.from(x, indices.length, context), Tensor.from(y, indices.length, context));
    }

    /**
     * Characters as numbers.
     *
     * @throws IllegalArgumentException if one is not in the vocabulary
     */
    public long[] encode(String text) {
        return text.codePoints()
                .mapToLong(p -> {
                    int code = Arrays.binarySearch(vocabulary, p);
                    if (code < 0) {
                        throw new IllegalArgumentException(
                                "the character '" + Character.toString(p) + "' is not in the vocabulary");
                    }
                    return code;
                })
                .toArray();
    }

    /** Numbers as characters. */
    public String decode(long... numbers) {
        StringBuilder b = new StringBuilder();
        for (long n : numbers) b.appendCodePoint(vocabulary[Math.toIntExact(n)]);
        return b.toString();
    }
}
