// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import java.util.Arrays;

/** Pooling that says where its elements came from, and its inverse: functions of {@link F}. */
abstract sealed class Unpooling extends GridSampling permits Specials {
    Unpooling() {}

    /**
     * As {@code maxPool}, with the places of the greatest elements in the flattened last {@code n} axes of
     * the input.
     */
    public static ValuesAndIndices maxPoolWithIndices(
            Tensor x, int n, long[] kernel, long[] stride, long[] padding, long[] dilation, boolean ceilMode) {
        return Windows.of("maxPool", x, n, kernel, stride, padding, dilation, ceilMode)
                .maxima(x);
    }

    /**
     * As {@code adaptiveMaxPool}, with the places of the greatest elements in the flattened last axes of the
     * input.
     */
    public static ValuesAndIndices adaptiveMaxPoolWithIndices(Tensor x, long... output) {
        int n = output.length;
        if (n > x.rank())
            throw Errors.argument("adaptive pooling", x, Arrays.toString(output) + " has more axes than the input");
        ValuesAndIndices equal = equalWindows(x, output);
        if (equal != null) return equal;
        Tensor values = x;
        Tensor at = places(x, n);
        for (int i = 0; i < n; i++) {
            int axis = x.rank() - n + i;
            long size = values.size(axis);
            long m = output[i];
            if (m == size) continue;
            Tensor[] v = new Tensor[(int) m];
            Tensor[] p = new Tensor[(int) m];
            for (int k = 0; k < m; k++) {
                long start = k * size / m;
                long length = Math.ceilDiv((k + 1) * size, m) - start;
                Tensor part = Movement.Moving.part(values, axis, start, length);
                Tensor best = part.detach().argmax(axis, true);
                v[k] = part.gather(axis, best);
                p[k] = Movement.Moving.part(at, axis, start, length).gather(axis, best);
            }
            values = Combining.cat(axis, v);
            at = Combining.cat(axis, p);
        }
        return new ValuesAndIndices(values, at);
    }

    /** The place of each element in the flattened last {@code n} axes: i64 of x's shape. */
    private static Tensor places(Tensor x, int n) {
        long[] s = x.shape();
        long[] last = Arrays.copyOfRange(s, s.length - n, s.length);
        long count = Arrays.stream(last).reduce(1, (a, b) -> a * b);
        return Tensor.arange(count).reshape(last).expand(s);
    }

    /** Windows of one size side by side, where the extents are multiples of the result's; else null. */
    private static ValuesAndIndices equalWindows(Tensor x, long[] output) {
        int n = output.length;
        if (n == 0 || n > 3 || x.rank() > n + 2 || x.rank() < n + 1) return null;
        long[] kernel = new long[n];
        for (int i = 0; i < n; i++) {
            long size = x.size(x.rank() - n + i);
            if (output[i] <= 0 || size == 0 || size % output[i] != 0) return null;
            kernel[i] = size / output[i];
        }
        long[] none = {0};
        long[] one = {1};
        return Windows.of("adaptive pooling", x, n, kernel, kernel, none, one, false)
                .maxima(x);
    }

    /**
     * Elements put back to their places in zeros: the last {@code output.length} axes of the result have
     * extents {@code output}.
     */
    public static Tensor maxUnpool(Tensor x, Tensor indices, long... output) {
        int n = output.length;
        if (x.rank() < n || !x.type().shape().equals(indices.type().shape()) || indices.dtype() != DType.I64) {
            throw Errors.argument("maxUnpool", x, indices, "needs an i64 place for each element");
        }
        return Trace.call(() -> {
            long[] s = x.shape();
            long count = Arrays.stream(output).reduce(1, (a, b) -> a * b);
            long[] to = Arrays.copyOf(s, s.length - n + 1);
            to[to.length - 1] = count;
            System.arraycopy(output, 0, s, s.length - n, n);
            int axis = to.length - 1;
            return Tensor.zeros(to, x.dtype())
                    .scatter(axis, indices.flatten(axis, -1), x.flatten(axis, -1))
                    .reshape(s);
        });
    }
}
