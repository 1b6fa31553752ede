// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.gen.SinterKernelHost.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

/** {@link LinearMap} of f32 in plain Java; a "vector" is as many elements as {@link GemmScalarTiles} has it. */
final class ScalarLinearMap extends LinearMap {
    private final float[][] matrix;
    private final int lanes;

    ScalarLinearMap(WinogradMatrix matrix, int lanes) {
        this.matrix = matrix.coefficients();
        this.lanes = lanes;
    }

    @Override
    public void apply(
            long from, long fromStep, long fromNext, long to, long toStep, long toNext, int runs, int vectors) {
        float[] x = new float[matrix[0].length];
        for (int r = 0; r < runs; r++) {
            for (long at = 0; at < (long) vectors * lanes * Float.BYTES; at += Float.BYTES) {
                for (int j = 0; j < x.length; j++) {
                    x[j] = MEMORY.get(JAVA_FLOAT_UNALIGNED, from + r * fromNext + j * fromStep + at);
                }
                for (int i = 0; i < matrix.length; i++) {
                    MEMORY.set(JAVA_FLOAT_UNALIGNED, to + r * toNext + i * toStep + at, combine(matrix[i], x));
                }
            }
        }
    }

    /** In the order of {@link WinogradMatrix#terms}, as the vectors' code does. */
    private static float combine(float[] row, float[] x) {
        float sum = 0;
        boolean first = true;
        for (int j : WinogradMatrix.terms(row)) {
            if (first) sum = row[j] == 1 ? x[j] : row[j] * x[j];
            else if (row[j] == 1) sum += x[j];
            else if (row[j] == -1) sum -= x[j];
            else sum = Math.fma(row[j], x[j], sum);
            first = false;
        }
        return sum;
    }
}
