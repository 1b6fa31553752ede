// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

/**
 * Special functions in double precision for the reference evaluator: textbook formulas, correct to
 * about 1e-15 relative (lgamma and digamma: also absolute, near their zeros), with no thought for
 * speed. "A&amp;S" is Abramowitz and Stegun, Handbook of Mathematical Functions (1964).
 */
public final class SpecialFunctions {
    private static final double EULER_GAMMA = 0.57721566490153286061;
    private static final double TWO_OVER_SQRT_PI = 1.1283791670955125739;

    /** ζ(k) - 1 for k = 0, 1, 2, … (the first two unused). */
    private static final double[] ZETA_MINUS_1 = new double[60];

    /** B(2k) / (2k (2k-1)) for k = 1, 2, …: coefficients of Stirling's series, A&amp;S 6.1.40. */
    private static final double[] STIRLING = {
        1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400
    };

    /**
     * B(2k) / 2k for k = 1, 2, …: coefficients of the digamma function's asymptotic series, A&amp;S
     * 6.3.18.
     */
    private static final double[] DIGAMMA_SERIES = {
        1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12, -3617.0 / 8160
    };

    static {
        // Direct sum to N, then the Euler–Maclaurin tail.
        int n = 40;
        for (int k = 2; k < ZETA_MINUS_1.length; k++) {
            double tail = Math.pow(n, 1.0 - k) / (k - 1)
                    + 0.5 * Math.pow(n, -k)
                    + k / 12.0 * Math.pow(n, -k - 1.0)
                    - k * (k + 1.0) * (k + 2.0) / 720 * Math.pow(n, -k - 3.0)
                    + k * (k + 1.0) * (k + 2.0) * (k + 3.0) * (k + 4.0) / 30240 * Math.pow(n, -k - 5.0);
            for (int i = n - 1; i >= 2; i--) tail += Math.pow(i, -k);
            ZETA_MINUS_1[k] = tail;
        }
    }

    private SpecialFunctions() {}

    /**
     * The error function: Kummer's series of positive terms (A&amp;S 7.1.6) up to 2, beyond it
     * through {@link #erfc}.
     */
    public static double erf(double x) {
        double a = Math.abs(x);
        if (a > 2) return Math.copySign(1 - erfc(a), x);
        double term = a;
        double sum = a;
        for (int k = 1; term > sum * 1e-18; k++) {
            term *= 2 * a * a / (2 * k + 1);
            sum += term;
        }
        return Math.copySign(TWO_OVER_SQRT_PI * expMinusSquare(a) * sum, x);
    }

    /**
     * The complementary error function: from {@link #erf} below 1/2, else the continued fraction
     * A&amp;S 7.1.14, relatively accurate in the tail.
     */
    public static double erfc(double x) {
        if (Double.isNaN(x)) return x;
        if (x < 0.5) return 1 - erf(x);
        if (x > 27.3) return 0;
        // Backwards from a depth that suffices for the x at hand.
        int depth = (int) (60 + 400 / (x * x));
        double f = x;
        for (int k = depth; k >= 1; k--) f = x + k / 2.0 / f;
        return expMinusSquare(x) / (Math.sqrt(Math.PI) * f);
    }

    /** exp(-x²) without the error of rounding x². */
    private static double expMinusSquare(double x) {
        double square = x * x;
        double rest = Math.fma(x, x, -square);
        return Math.exp(-square) * (1 - rest);
    }

    /**
     * The inverse error function: Winitzki's approximation (2008), then Halley steps on erf, or on
     * erfc in the tails.
     */
    public static double erfinv(double y) {
        double a = Math.abs(y);
        if (!(a < 1)) return a == 1 ? Math.copySign(Double.POSITIVE_INFINITY, y) : Double.NaN;
        if (a == 0) return y;
        double l = Math.log1p(-a * a);
        double t = 2 / (Math.PI * 0.147) + l / 2;
        double x = Math.sqrt(Math.sqrt(t * t - l / 0.147) - t);
        for (int i = 0; i < 4; i++) {
            double error = a < 0.5 ? erf(x) - a : (1 - a) - erfc(x);
            double step = error / (TWO_OVER_SQRT_PI * expMinusSquare(x));
            x -= step / (1 + x * step);
        }
        return Math.copySign(x, y);
    }

    /**
     * log |Γ(x)|: the series about 2 (A&amp;S 6.1.33) near the zeros 1 and 2, Stirling's series
     * above, reflection below 0.
     */
    public static double lgamma(double x) {
        if (Double.isNaN(x)) return x;
        if (Double.isInfinite(x)) return Double.POSITIVE_INFINITY;
        if (x <= 0) {
            if (x == Math.floor(x)) return Double.POSITIVE_INFINITY;
            // The distance to the nearest integer is exact, and with it the sine next to a pole.
            double sine = Math.sin(Math.PI * Math.abs(x - Math.rint(x)));
            return Math.log(Math.PI / sine) - lgamma(1 - x);
        }
        if (x < 0.5) return lgammaNear2(x) - Math.log(x) - Math.log1p(x);
        if (x < 1.5) return lgammaNear2(x - 1) - Math.log1p(x - 1);
        if (x < 2.5) return lgammaNear2(x - 2);
        double product = 1;
        while (x < 15) product *= x++;
        double sum = 0;
        for (int k = STIRLING.length - 1; k >= 0; k--) sum = sum / (x * x) + STIRLING[k];
        return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + sum / x - Math.log(product);
    }

    /** log Γ(2+z) for |z| ≤ 1/2. */
    private static double lgammaNear2(double z) {
        double sum = 0;
        for (int k = ZETA_MINUS_1.length - 1; k >= 2; k--) sum = -z * (sum - ZETA_MINUS_1[k] / k);
        // sum = Σ (-1)^k (ζ(k)-1) z^(k-1) / k
        return z * (1 - EULER_GAMMA + sum);
    }

    /**
     * The digamma function, derivative of lgamma: asymptotic series (A&amp;S 6.3.18) after shifting
     * up; PyTorch's values at 0 and at negative integers.
     */
    public static double digamma(double x) {
        if (x == 0) return Math.copySign(Double.POSITIVE_INFINITY, -x);
        if (x < 0) {
            if (x == Math.floor(x)) return Double.NaN;
            double fraction = x - Math.rint(x);
            return digamma(1 - x) - Math.PI / Math.tan(Math.PI * fraction);
        }
        if (Double.isInfinite(x)) return x;
        double shift = 0;
        while (x < 12) shift += 1 / x++;
        double sum = 0;
        for (int k = DIGAMMA_SERIES.length - 1; k >= 0; k--) sum = (sum + DIGAMMA_SERIES[k]) / (x * x);
        return Math.log(x) - 0.5 / x - sum - shift;
    }
}
