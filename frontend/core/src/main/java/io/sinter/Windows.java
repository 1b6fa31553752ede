// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import java.util.function.DoubleUnaryOperator;

/**
 * Window functions of signal processing ({@code torch.signal.windows}): vectors of n numbers, computed in f64
 * and rounded once. A symmetric window is for filters; a periodic one ({@code symmetric} false) is the first
 * n numbers of the symmetric one of n + 1, for spectra.
 */
public final class Windows {
    private Windows() {}

    /** {@code f} at n places that are evenly spaced over [0, 1]. */
    private static Tensor window(String name, int n, boolean symmetric, DType dtype, DoubleUnaryOperator f) {
        if (n < 0) throw Errors.argument(name + ": " + n + " numbers");
        if (!dtype.isFloat()) throw Errors.argument(name + ": needs a floating-point dtype, not " + dtype);
        double[] v = new double[n];
        double last = symmetric ? n - 1 : n;
        for (int i = 0; i < n; i++) v[i] = n == 1 ? 1 : f.applyAsDouble(i / last);
        return Tensor.from(v).to(dtype);
    }

    /** Half of a sine wave, taken between the places. */
    public static Tensor cosine(int n, boolean symmetric, DType dtype) {
        double points = symmetric ? n : n + 1;
        double last = symmetric ? n - 1 : n;
        return window("cosine", n, symmetric, dtype, t -> Math.sin(Math.PI * (t * last + 0.5) / points));
    }

    /** {@code exp(-|i - center| / tau)}. */
    public static Tensor exponential(int n, double tau, boolean symmetric, DType dtype) {
        double last = symmetric ? n - 1 : n;
        return window("exponential", n, symmetric, dtype, t -> Math.exp(-Math.abs(t - 0.5) * last / tau));
    }

    /** {@code exp(-((i - center) / std)² / 2)}. */
    public static Tensor gaussian(int n, double std, boolean symmetric, DType dtype) {
        double last = symmetric ? n - 1 : n;
        return window("gaussian", n, symmetric, dtype, t -> {
            double z = (t - 0.5) * last / std;
            return Math.exp(-0.5 * z * z);
        });
    }

    /** {@code I0(beta sqrt(1 - (2t - 1)²)) / I0(beta)} for t from 0 to 1. */
    public static Tensor kaiser(int n, double beta, boolean symmetric, DType dtype) {
        double scale = i0(beta);
        return window(
                "kaiser",
                n,
                symmetric,
                dtype,
                t -> i0(beta * Math.sqrt(Math.max(0, 1 - (2 * t - 1) * (2 * t - 1)))) / scale);
    }

    /** The power series of the modified Bessel function of order 0. */
    private static double i0(double x) {
        double term = 1;
        double sum = 1;
        for (int k = 1; term > 1e-17 * sum; k++) {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return sum;
    }

    /** A triangle from 0 to 1 to 0. */
    public static Tensor bartlett(int n, boolean symmetric, DType dtype) {
        return window("bartlett", n, symmetric, dtype, t -> 1 - Math.abs(2 * t - 1));
    }

    /** {@code a0 - a1 cos(2πt) + a2 cos(4πt) - …}. */
    public static Tensor generalCosine(int n, double[] a, boolean symmetric, DType dtype) {
        double[] c = a.clone();
        return window("generalCosine", n, symmetric, dtype, t -> {
            double sum = 0;
            for (int k = 0; k < c.length; k++) sum += (k % 2 == 0 ? c[k] : -c[k]) * Math.cos(2 * Math.PI * k * t);
            return sum;
        });
    }

    /** {@code alpha - (1 - alpha) cos(2πt)}. */
    public static Tensor generalHamming(int n, double alpha, boolean symmetric, DType dtype) {
        return generalCosine(n, new double[] {alpha, 1 - alpha}, symmetric, dtype);
    }

    public static Tensor hamming(int n, boolean symmetric, DType dtype) {
        return generalHamming(n, 0.54, symmetric, dtype);
    }

    public static Tensor hann(int n, boolean symmetric, DType dtype) {
        return generalHamming(n, 0.5, symmetric, dtype);
    }

    public static Tensor blackman(int n, boolean symmetric, DType dtype) {
        return generalCosine(n, new double[] {0.42, 0.5, 0.08}, symmetric, dtype);
    }

    public static Tensor nuttall(int n, boolean symmetric, DType dtype) {
        return generalCosine(n, new double[] {0.3635819, 0.4891775, 0.1365995, 0.0106411}, symmetric, dtype);
    }
}
