// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.Shape;
import java.util.Arrays;

/**
 * First values of parameters and buffers: f32 tensors that are in memory from the start, drawn from the
 * session's generator.
 */
final class Fill {
    private Fill() {}

    private static float[] array(long... shape) {
        long n = Shape.of(shape).numel();
        if (n > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a parameter of shape " + Arrays.toString(shape) + " is too large: " + n + " elements");
        }
        return new float[(int) n];
    }

    static Tensor uniform(double bound, long... shape) {
        float[] a = array(shape);
        Sinter.generator().uniform(a, -bound, bound);
        return Tensor.from(a, shape);
    }

    static Tensor normal(double std, long... shape) {
        float[] a = array(shape);
        Sinter.generator().normal(a, 0, std);
        return Tensor.from(a, shape);
    }

    static Tensor constant(double value, long... shape) {
        float[] a = array(shape);
        if (value != 0) Arrays.fill(a, (float) value);
        return Tensor.from(a, shape);
    }
}
