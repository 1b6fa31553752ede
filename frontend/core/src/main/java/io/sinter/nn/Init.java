// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.ir.ref.SpecialFunctions;
import io.sinter.random.Generator;
import java.util.Arrays;

/**
 * First values for parameters ({@code torch.nn.init}), drawn from the session's generator: after {@code
 * Sinter.manualSeed} they are PyTorch's numbers. All write in place, f32 or f64, without recording a
 * gradient, and return the tensor.
 *
 * <p>Fans are counted as PyTorch does: for a weight [out, in, kernel…] the fan in is {@code in · kernel}, the
 * fan out {@code out · kernel}.
 */
public final class Init {
    private Init() {}

    // ---- gains

    /** {@code sqrt(2)}, for networks with ReLU. */
    public static final double RELU_GAIN = Math.sqrt(2);

    /** {@code 5 / 3}, for networks with tanh. */
    public static final double TANH_GAIN = 5.0 / 3;

    /** For networks with leaky ReLU of the given slope. */
    public static double leakyReluGain(double slope) {
        return Math.sqrt(2 / (1 + slope * slope));
    }

    // ---- distributions

    public static Tensor uniform_(Tensor t, double from, double to) {
        Generator g = Sinter.generator();
        return t.dtype() == DType.F64
                ? write(t, fill(new double[count(t)], a -> g.uniform(a, from, to)))
                : write(t, fill(new float[count(t)], a -> g.uniform(a, from, to)));
    }

    public static Tensor normal_(Tensor t, double mean, double std) {
        Generator g = Sinter.generator();
        return t.dtype() == DType.F64
                ? write(t, fill(new double[count(t)], a -> g.normal(a, mean, std)))
                : write(t, fill(new float[count(t)], a -> g.normal(a, mean, std)));
    }

    /**
     * Normal, cut off at {@code low} and {@code high} by the inverse of the distribution function: the
     * numbers of PyTorch until it went over to rejecting samples, with which torchvision's reference results
     * were made.
     */
    public static Tensor truncNormal_(Tensor t, double mean, double std, double low, double high) {
        double l = normalCdf((low - mean) / std);
        double u = normalCdf((high - mean) / std);
        uniform_(t, 2 * l - 1, 2 * u - 1);
        try (var _ = Sinter.noGrad()) {
            t.copy_(t.erfinv().mul(std * Math.sqrt(2)).add(mean).clamp(low, high));
        }
        return t;
    }

    public static Tensor constant_(Tensor t, double value) {
        double[] a = new double[count(t)];
        Arrays.fill(a, value);
        return write(t, a);
    }

    public static Tensor zeros_(Tensor t) {
        return constant_(t, 0);
    }

    public static Tensor ones_(Tensor t) {
        return constant_(t, 1);
    }

    // ---- by fan

    /** Uniform in ±gain · √(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
    public static Tensor xavierUniform_(Tensor t, double gain) {
        double bound = Math.sqrt(3) * gain * Math.sqrt(2.0 / (fan(t, 1) + fan(t, 0)));
        return uniform_(t, -bound, bound);
    }

    public static Tensor xavierUniform_(Tensor t) {
        return xavierUniform_(t, 1);
    }

    /** Normal with deviation gain · √(2 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
    public static Tensor xavierNormal_(Tensor t, double gain) {
        return normal_(t, 0, gain * Math.sqrt(2.0 / (fan(t, 1) + fan(t, 0))));
    }

    public static Tensor xavierNormal_(Tensor t) {
        return xavierNormal_(t, 1);
    }

    /** Which fan keeps its variance: in, that of the forward pass; out, that of the backward pass. */
    public enum Mode {
        FAN_IN,
        FAN_OUT
    }

    /** Uniform in ±gain · √(3 / fan) (He et al., 2015). */
    public static Tensor kaimingUniform_(Tensor t, double gain, Mode mode) {
        double bound = Math.sqrt(3) * gain / Math.sqrt(fan(t, mode));
        return uniform_(t, -bound, bound);
    }

    /** With {@link #RELU_GAIN} and the fan in. */
    public static Tensor kaimingUniform_(Tensor t) {
        return kaimingUniform_(t, RELU_GAIN, Mode.FAN_IN);
    }

    /** Normal with deviation gain / √fan (He et al., 2015). */
    public static Tensor kaimingNormal_(Tensor t, double gain, Mode mode) {
        return normal_(t, 0, gain / Math.sqrt(fan(t, mode)));
    }

    /** With {@link #RELU_GAIN} and the fan in. */
    public static Tensor kaimingNormal_(Tensor t) {
        return kaimingNormal_(t, RELU_GAIN, Mode.FAN_IN);
    }

    /**
     * Rows (or columns, where there are fewer of them) orthonormal, times {@code gain} (Saxe et al., 2014):
     * the orthogonal factor, with a positive diagonal in the other, of a normal matrix.
     */
    public static Tensor orthogonal_(Tensor t, double gain) {
        if (t.rank() < 2) throw new IllegalArgumentException("orthogonal_(" + t.type() + "): needs two axes or more");
        int rows = (int) t.size(0);
        int columns = count(t) / rows;
        float[] drawn = fill(new float[count(t)], a -> Sinter.generator().normal(a, 0, 1));
        boolean wide = rows < columns;
        int vectors = Math.min(rows, columns);
        double[][] q = new double[vectors][Math.max(rows, columns)];
        for (int v = 0; v < vectors; v++) {
            for (int i = 0; i < q[v].length; i++) q[v][i] = drawn[wide ? v * columns + i : i * columns + v];
        }
        orthonormalize(q);
        double[] out = new double[drawn.length];
        for (int v = 0; v < vectors; v++) {
            for (int i = 0; i < q[v].length; i++) out[wide ? v * columns + i : i * columns + v] = gain * q[v][i];
        }
        return write(t, out);
    }

    /** Gram-Schmidt, each vector against those before it, twice for accuracy. */
    private static void orthonormalize(double[][] q) {
        for (int v = 0; v < q.length; v++) {
            for (int pass = 0; pass < 2; pass++) {
                for (int w = 0; w < v; w++) {
                    double dot = dot(q[v], q[w]);
                    for (int i = 0; i < q[v].length; i++) q[v][i] -= dot * q[w][i];
                }
            }
            double norm = Math.sqrt(dot(q[v], q[v]));
            for (int i = 0; i < q[v].length; i++) q[v][i] /= norm;
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += a[i] * b[i];
        return sum;
    }

    // ---- helpers

    private static double fan(Tensor t, Mode mode) {
        return fan(t, mode == Mode.FAN_IN ? 1 : 0);
    }

    private static double fan(Tensor t, int axis) {
        if (t.rank() < 2) {
            throw new IllegalArgumentException("fans of " + t.type() + ": a weight of two axes or more is needed");
        }
        double fan = t.size(axis);
        for (int i = 2; i < t.rank(); i++) fan *= t.size(i);
        return fan;
    }

    private static double normalCdf(double x) {
        return (1 + SpecialFunctions.erf(x / Math.sqrt(2))) / 2;
    }

    private static int count(Tensor t) {
        if (!t.dtype().isFloat())
            throw new IllegalArgumentException("cannot initialise " + t.type() + " with real numbers");
        return Math.toIntExact(t.numel());
    }

    private interface Filler<A> {
        void fill(A array);
    }

    private static <A> A fill(A array, Filler<A> filler) {
        filler.fill(array);
        return array;
    }

    private static Tensor write(Tensor t, float[] values) {
        try (var _ = Sinter.noGrad()) {
            return t.copy_(Tensor.from(values, t.shape()));
        }
    }

    private static Tensor write(Tensor t, double[] values) {
        try (var _ = Sinter.noGrad()) {
            return t.copy_(Tensor.from(values, t.shape()));
        }
    }
}
