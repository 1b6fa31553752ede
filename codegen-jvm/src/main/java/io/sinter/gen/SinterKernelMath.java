// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import io.sinter.ir.ref.SpecialFunctions;

/**
 * Scalar functions that the JVM and {@link Math} lack, with the semantics of the loop IR's primitives. Called
 * by generated code.
 */
public final class SinterKernelMath {
    private SinterKernelMath() {}

    /** f16 bits to f32, exact. */
    public static float fromF16(short bits) {
        return Float.float16ToFloat(bits);
    }

    /** f32 to f16 bits, nearest even. */
    public static short toF16(float x) {
        return Float.floatToFloat16(x);
    }

    /** bf16 bits to f32, exact. */
    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** f32 to bf16 bits, nearest even; NaN stays NaN. */
    public static short toBf16(float x) {
        int u = Float.floatToRawIntBits(x);
        if (Float.isNaN(x)) return (short) (u >>> 16 | 0x40);
        return (short) (u + 0x7fff + (u >>> 16 & 1) >>> 16);
    }

    /** Truncating; 0 if {@code b} is 0. */
    public static int div(int a, int b) {
        return b == 0 ? 0 : a / b;
    }

    /** Truncating; 0 if {@code b} is 0. */
    public static long div(long a, long b) {
        return b == 0 ? 0 : a / b;
    }

    /** Sign of the dividend; 0 if {@code b} is 0. */
    public static int rem(int a, int b) {
        return b == 0 ? 0 : a % b;
    }

    /** Sign of the dividend; 0 if {@code b} is 0. */
    public static long rem(long a, long b) {
        return b == 0 ? 0 : a % b;
    }

    /** By squaring, wrapping; a negative exponent gives 0 unless the base is 1 or -1. */
    public static long pow(long base, long exponent) {
        if (exponent < 0) return base == 1 ? 1 : base == -1 ? ((exponent & 1) == 0 ? 1 : -1) : 0;
        long result = 1;
        for (long b = base, e = exponent; e != 0; e >>= 1, b *= b) {
            if ((e & 1) != 0) result *= b;
        }
        return result;
    }

    /** {@link #pow(long, long)}, wrapping at 32 bits. */
    public static int pow(int base, int exponent) {
        return (int) pow((long) base, (long) exponent);
    }

    /** C's pow: {@code pow(1, NaN)} and {@code pow(-1, ±inf)} are 1, where {@link Math#pow} has NaN. */
    public static double pow(double a, double b) {
        if (a == 1 || a == -1 && Double.isInfinite(b)) return 1;
        return Math.pow(a, b);
    }

    /** Counts outside [0, 32) give 0. */
    public static int shl(int a, int n) {
        return (n & ~31) != 0 ? 0 : a << n;
    }

    /** Counts outside [0, 64) give 0. */
    public static long shl(long a, long n) {
        return (n & ~63) != 0 ? 0 : a << n;
    }

    /** Arithmetic; counts outside [0, 32) give the sign. */
    public static int shr(int a, int n) {
        return a >> ((n & ~31) != 0 ? 31 : n);
    }

    /** Arithmetic; counts outside [0, 64) give the sign. */
    public static long shr(long a, long n) {
        return a >> ((n & ~63) != 0 ? 63 : n);
    }

    /** Logical; counts outside [0, 32) give 0. */
    public static int ushr(int a, int n) {
        return (n & ~31) != 0 ? 0 : a >>> n;
    }

    /** Logical; counts outside [0, 64) give 0. */
    public static long ushr(long a, long n) {
        return (n & ~63) != 0 ? 0 : a >>> n;
    }

    /** High 32 bits of the unsigned product. */
    public static int umulhi(int a, int b) {
        return (int) ((a & 0xffffffffL) * (b & 0xffffffffL) >>> 32);
    }

    /** Toward zero; keeps the sign of zero. */
    public static double trunc(double x) {
        return x < 0 ? Math.ceil(x) : Math.floor(x);
    }

    public static double erf(double x) {
        return SpecialFunctions.erf(x);
    }

    public static double erfinv(double x) {
        return SpecialFunctions.erfinv(x);
    }

    public static double lgamma(double x) {
        return SpecialFunctions.lgamma(x);
    }

    public static double digamma(double x) {
        return SpecialFunctions.digamma(x);
    }
}
