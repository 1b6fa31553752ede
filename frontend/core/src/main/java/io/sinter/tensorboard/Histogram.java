// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import java.util.Arrays;

/** A {@code HistogramProto}: buckets whose bounds grow by a tenth, on both sides of zero, from 1e-12 to 1e20, and beyond that one each. */
final class Histogram {
    /** Right ends of the buckets, ascending. */
    private static final double[] BOUNDS = bounds();

    private Histogram() {}

    private static double[] bounds() {
        double[] positive = new double[1024];
        int n = 0;
        for (double v = 1e-12; v < 1e20; v *= 1.1) positive[n++] = v;
        positive[n++] = Double.MAX_VALUE;
        double[] all = new double[2 * n + 1];
        for (int i = 0; i < n; i++) {
            all[n - 1 - i] = -positive[i];
            all[n + 1 + i] = positive[i];
        }
        return all;
    }

    /**
     * Of values that are all finite, at least one.
     *
     * @throws IllegalArgumentException naming {@code tag} if they are not
     */
    static Message of(String tag, double[] values) {
        if (values.length == 0) throw new IllegalArgumentException("histogram '" + tag + "' of no values");
        double[] counts = new double[BOUNDS.length];
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < values.length; i++) {
            double v = values[i];
            if (!Double.isFinite(v))
                throw new IllegalArgumentException("histogram '" + tag + "': element " + i + " of " + values.length
                        + " is " + v + "; a histogram wants finite values");
            int at = Arrays.binarySearch(BOUNDS, v);
            // A bucket ends before its bound, as NumPy's do: the value at a bound is in the next one.
            counts[Math.min(at >= 0 ? at + 1 : -at - 1, counts.length - 1)]++;
            min = Math.min(min, v);
            max = Math.max(max, v);
            sum += v;
            squares += v * v;
        }
        int first = 0;
        while (counts[first] == 0) first++;
        int last = counts.length - 1;
        while (counts[last] == 0) last--;
        // An empty bucket before the first says where that begins.
        first = Math.max(0, first - 1);
        return new Message()
                .number(1, min)
                .number(2, max)
                .number(3, values.length)
                .number(4, sum)
                .number(5, squares)
                .numbers(6, Arrays.copyOfRange(BOUNDS, first, last + 1))
                .numbers(7, Arrays.copyOfRange(counts, first, last + 1));
    }
}
