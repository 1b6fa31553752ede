// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import java.util.Random;

/**
 * Operands of attention of 16 bits by which roundings of f32 show: what is rounded to 16 bits lies beside the middle of two numbers, or a sum of weights is
 * small, and its logarithm, which is a result of f32, too.
 */
final class RoundingInputs {
    private static final float LOG2_E = (float) (1 / Math.log(2));

    private RoundingInputs() {}

    /** A last place of numbers from 1 to 2. */
    private static double place(DType t) {
        return t == DType.F16 ? 0x1p-10 : 0x1p-7;
    }

    private static int extent(Type t, int axis) {
        return Math.toIntExact(t.dim(axis));
    }

    /** Forward operands: queries of zeros, so that all weights are the same, and values whose mean is a middle in each column. */
    static RefArray ofMeans(Type t, int number) {
        if (number == 0) return RefArray.zeros(t);
        if (number == 1) return MutantInputs.uniform(t, number);
        double u = place(t.dtype());
        int n = extent(t, 1);
        int columns = extent(t, 2);
        return RefArray.of(t, i -> {
            int row = i / columns % n;
            double middle = 1 + (1 + i % columns * 7 % 29) * u + u / 2;
            double half = row % 2 == 0 ? u / 2 : -u / 2;
            // Of an odd number of values three are a middle three times; the first has one more place.
            if (n % 2 == 0 || row > 2) return middle + half;
            return row == 0 ? middle - 0.5 : middle + 0.25 - half;
        });
    }

    /** Keys of which each begins with 1; values are dense. */
    static RefArray keys(Type t, int number) {
        RefArray a = Sample.uniform(t, -1, 1, number);
        if (number == 1) for (int i = 0; i < a.size(); i += extent(t, 2)) a.set(i, 1);
        return a;
    }

    /** Queries whose greatest product with the {@link #keys} that they see is near 0, and of few others of which the exponential counts. */
    static RefArray small(Type queries, Type keys, boolean causal) {
        RefArray q = Sample.uniform(queries, -8, 8, 3);
        RefArray k = keys(keys, 1);
        int features = extent(queries, 2);
        int n = extent(queries, 1);
        int m = extent(keys, 1);
        for (int row = 0; row < 2 * n; row++) {
            double most = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < (causal ? Math.min(m, row % n + 1) : m); j++) {
                double product = 0;
                for (int d = 1; d < features; d++)
                    product += q.getDouble(row * features + d) * k.getDouble((row / n * m + j) * features + d);
                most = Math.max(most, product);
            }
            q.set(row * features, -most);
        }
        return q;
    }

    /** Of queries and keys one is zeros, and of the other each has one feature. */
    private static RefArray oneOf(Type t, boolean zeros) {
        int n = extent(t, 2);
        int rows = extent(t, 1);
        return zeros ? RefArray.zeros(t) : RefArray.of(t, i -> i % n == i / n % rows % n ? 1 : 0);
    }

    /** Only the first column is not 0. */
    private static RefArray first(Type t, double value) {
        int n = extent(t, 2);
        return RefArray.of(t, i -> i % n == 0 ? value : 0);
    }

    /**
     * Operands of the gradients: weights by logarithms of sums, such that a weight times its slope, which is the same for all, lies beside a middle of type
     * {@code of}.
     *
     * @param zero the operand that is zeros: queries or keys
     */
    static RefArray ofSlopes(Type t, int number, int zero, DType of) {
        float slope = 1.375f;
        return switch (number) {
            case 0, 1 -> oneOf(t, number == zero);
            case 2 -> first(t, 1);
            case 3 -> RefArray.zeros(t);
            case 4 -> {
                Random r = new Random(4);
                int mask = of == DType.F16 ? 0x1fff : 0xffff;
                yield RefArray.of(t, _ -> {
                    float x = r.nextFloat(0.1f, 2);
                    while (Math.abs((Float.floatToRawIntBits(weight(x) * slope) & mask) - (mask + 1) / 2) > 1)
                        x = Math.nextUp(x);
                    return x;
                });
            }
            default -> first(t, slope);
        };
    }

    /** What a score of 0 amounts to beside such a logarithm. */
    private static float weight(float logarithm) {
        return (float) Math.pow(2, logarithm * -LOG2_E);
    }

    /** Operands of the gradients: weights of 1, and slopes in the middle of two numbers, less half of f32's last place, with one sign or the other. */
    static RefArray ofDifferences(Type t, int number, int zero, int sign) {
        int n = t.rank() < 3 ? 1 : extent(t, 2);
        return switch (number) {
            case 0, 1 -> oneOf(t, number == zero);
            case 2 -> {
                double u = place(t.dtype());
                yield RefArray.of(t, i -> i % n == 0 ? 1 + i / n * 5 % 60 * u : i % n == 1 ? u / 2 : 0);
            }
            case 3 -> first(t, sign * 0x1p-24);
            case 4 -> RefArray.zeros(t);
            default -> RefArray.of(t, i -> i % n < 2 ? 1 : 0);
        };
    }
}
