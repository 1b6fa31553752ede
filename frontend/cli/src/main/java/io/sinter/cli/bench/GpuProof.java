// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Tensor;

/** Whether results at the sizes that are timed are right, in places: rows at the beginning, in the middle and at the end, by plain sums in double. */
final class GpuProof {
    private static final int COLUMNS = 16;

    private GpuProof() {}

    /**
     * A product of two matrices.
     *
     * @param tolerance of the norm of the difference, relative to that of the result
     * @throws IllegalStateException if it is something else
     */
    static void matmul(Tensor a, Tensor b, Tensor product, double tolerance) {
        long n = product.shape()[0];
        long m = product.shape()[1];
        int inner = Math.toIntExact(a.shape()[1]);
        int width = (int) Math.min(COLUMNS, m);
        for (long column : new long[] {0, (m - width) / 2, m - width}) {
            double[] right = b.narrow(1, column, width).toDoubles();
            for (long row : new long[] {0, n / 2 + 1, n - 1}) {
                row = Math.min(row, n - 1);
                double[] left = a.narrow(0, row, 1).toDoubles();
                double[] want = new double[width];
                for (int k = 0; k < inner; k++)
                    for (int j = 0; j < width; j++) want[j] += left[k] * right[k * width + j];
                double[] got =
                        product.narrow(0, row, 1).narrow(1, column, width).toDoubles();
                compare("row " + row + ", columns from " + column + " of the product", got, want, tolerance);
            }
        }
    }

    /** Causal attention of q, k and v, batch × heads × length × width. */
    static void attention(Tensor q, Tensor k, Tensor v, Tensor result, double tolerance) {
        long[] shape = q.shape();
        int width = Math.toIntExact(shape[3]);
        for (long head : new long[] {0, shape[0] * shape[1] - 1}) {
            long batch = head / shape[1];
            double[] keys = head(k, batch, head % shape[1]).toDoubles();
            double[] values = head(v, batch, head % shape[1]).toDoubles();
            for (long row : new long[] {0, shape[2] / 2 + 1, shape[2] - 1}) {
                row = Math.min(row, shape[2] - 1);
                double[] query =
                        head(q, batch, head % shape[1]).narrow(0, row, 1).toDoubles();
                double[] got =
                        head(result, batch, head % shape[1]).narrow(0, row, 1).toDoubles();
                double[] want = attention(query, keys, values, (int) row + 1, width);
                compare("query " + row + " of head " + head + " of attention", got, want, tolerance);
            }
        }
    }

    private static Tensor head(Tensor t, long batch, long head) {
        return t.select(0, batch).select(0, head);
    }

    private static double[] attention(double[] query, double[] keys, double[] values, int length, int width) {
        double[] weights = new double[length];
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            for (int d = 0; d < width; d++) weights[i] += query[d] * keys[i * width + d];
            weights[i] /= Math.sqrt(width);
            max = Math.max(max, weights[i]);
        }
        double sum = 0;
        double[] result = new double[width];
        for (int i = 0; i < length; i++) {
            double w = Math.exp(weights[i] - max);
            sum += w;
            for (int d = 0; d < width; d++) result[d] += w * values[i * width + d];
        }
        for (int d = 0; d < width; d++) result[d] /= sum;
        return result;
    }

    private static void compare(String what, double[] got, double[] want, double tolerance) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < want.length; i++) {
            difference += (got[i] - want[i]) * (got[i] - want[i]);
            norm += want[i] * want[i];
        }
        // A NaN is no small difference.
        if (!(Math.sqrt(difference) <= tolerance * Math.sqrt(norm)))
            throw new IllegalStateException(what + " is wrong: " + got[0] + ", " + got[got.length - 1] + " where "
                    + want[0] + ", " + want[want.length - 1] + " are right; relative error "
                    + Math.sqrt(difference / norm));
    }
}
