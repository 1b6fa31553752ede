// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.PtxType;

/**
 * Fragments of matrices in the registers of a warp, and their product. Lane {@code l} is number {@code l / 4} of its group of rows or
 * columns, and {@code l % 4} within; a register of 32 bits holds {@code p} neighbours along k.
 *
 * <p>Sums are taken in double and rounded once, which is within the tolerance of any order that a tensor core may add in.
 */
final class Mma {
    private Mma() {}

    /** Values of one type that share a register of a fragment. */
    static int packed(PtxType t) {
        return t == PtxType.F64 ? 1 : Math.max(1, 32 / t.bits());
    }

    private static double element(PtxType t, long register, int j) {
        int bits = t.bits();
        long v = bits >= 32 ? register : register >>> j * bits & IntOps.mask(bits);
        return t.isFloat() ? Floats.decode(t, v) : (double) IntOps.extend(t, v);
    }

    /** The m×k matrix of fragment a, by rows; m is 8 or 16. */
    static double[] a(Warp w, int[] registers, PtxType t, int m, int k) {
        int p = packed(t);
        int halves = m / 8;
        double[] x = new double[m * k];
        for (int i = 0; i < registers.length; i++) {
            long[] r = w.regs[registers[i]];
            for (int lane = 0; lane < Warp.LANES; lane++) {
                int row = lane / 4 + 8 * (i % halves);
                int column = lane % 4 * p + 4 * p * (i / halves);
                for (int j = 0; j < p; j++) x[row * k + column + j] = element(t, r[lane], j);
            }
        }
        return x;
    }

    /** The k×8 matrix of fragment b, by columns. */
    static double[] b(Warp w, int[] registers, PtxType t, int k) {
        int p = packed(t);
        double[] x = new double[8 * k];
        for (int i = 0; i < registers.length; i++) {
            long[] r = w.regs[registers[i]];
            for (int lane = 0; lane < Warp.LANES; lane++) {
                int from = lane % 4 * p + 4 * p * i;
                for (int j = 0; j < p; j++) x[lane / 4 * k + from + j] = element(t, r[lane], j);
            }
        }
        return x;
    }

    /** What is done with each element of an accumulator fragment. */
    interface Element {
        /** The new value of an element, of which {@code old} is the present one. */
        double next(int row, int column, double old);
    }

    /**
     * Reads fragment c and writes fragment d of m rows and 8 columns or, in groups of 8, more.
     *
     * @param sat integers are clamped
     */
    static void accumulate(Warp w, int[] d, PtxType dType, int[] c, PtxType cType, int m, boolean sat, Element f) {
        int halves = m / 8;
        for (int g = 0; g < d.length; g++) {
            if (dType.bits() == 16) {
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    int row = lane / 4 + 8 * (g % halves);
                    int column = g / halves * 8 + lane % 4 * 2;
                    long low = half(w, c, cType, g, lane, 0, dType, f, row, column);
                    long high = half(w, c, cType, g, lane, 1, dType, f, row, column + 1);
                    w.regs[d[g]][lane] = high << 16 | low;
                }
            } else {
                long[] from = w.regs[c[g]];
                long[] to = w.regs[d[g]];
                int inGroup = g % (2 * halves);
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    int row = lane / 4 + 8 * (inGroup / 2);
                    int column = g / (2 * halves) * 8 + lane % 4 * 2 + inGroup % 2;
                    double old = cType.isFloat()
                            ? Floats.decode(cType, from[lane])
                            : (double) IntOps.extend(cType, from[lane]);
                    to[lane] = encode(dType, f.next(row, column, old), sat);
                }
            }
        }
    }

    private static long half(
            Warp w, int[] c, PtxType cType, int g, int lane, int j, PtxType dType, Element f, int row, int column) {
        double old = cType.bits() == 16
                ? Floats.decode(cType, w.regs[c[g]][lane] >>> 16 * j & 0xffff)
                : Floats.decode(cType, w.regs[c[2 * g + j]][lane]);
        return encode(dType, f.next(row, column, old), false);
    }

    private static long encode(PtxType t, double v, boolean sat) {
        if (t.isFloat()) return Floats.encode(t, v, Rounding.RN);
        if (sat) v = Math.clamp(v, Integer.MIN_VALUE, Integer.MAX_VALUE);
        return (long) v & 0xffff_ffffL;
    }

    /** {@code Σ_k a[row, k] b[k, column]}; of f64 in order, each step rounded once. */
    static double dot(double[] a, double[] b, int row, int column, int k, boolean fma, double start) {
        double sum = start;
        if (fma) {
            for (int i = 0; i < k; i++) sum = Math.fma(a[row * k + i], b[column * k + i], sum);
        } else {
            for (int i = 0; i < k; i++) sum += a[row * k + i] * b[column * k + i];
        }
        return sum;
    }
}
