// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/** The spatial axes of a convolution as a {@link Stencil} has them. */
final class StencilDims {
    /** With fewer pixels in an image than this, columns of a matrix run over images instead. */
    private static final long FEW_PIXELS = 40;

    /** Lanes that the estimate assumes; the choice must not depend on the machine. */
    private static final long LANES = 16;

    private final List<Stencil.Dim> dims = new ArrayList<>();
    private final List<Index> places = new ArrayList<>();

    /**
     * Pixels that see, at tap t, the element {@code pixel · step + t · dilation + low} of an array, or {@code pixel - t + low} where it is
     * backward.
     *
     * @param low an index in the batch's variables, from {@code least} to {@code most}
     * @param taps how many taps there are, in the batch's variables, and {@code mostTaps} at most
     * @param extent of the array
     */
    record Axis(
            long pixels,
            long mostTaps,
            Index taps,
            long step,
            long dilation,
            boolean backward,
            Index low,
            long least,
            long most,
            long extent,
            long stride,
            long pad,
            long kernel) {
        /** Of a convolution, or of its weight's gradient. */
        static Axis forward(long pixels, long taps, long stride, long dilation, long pad, long extent) {
            Index low = IndexMath.constant(-pad);
            Index all = IndexMath.constant(taps);
            return new Axis(pixels, taps, all, stride, dilation, false, low, -pad, -pad, extent, stride, pad, taps);
        }

        /** Of an input's gradient; of one residue of its pixels if there is a stride. */
        static Axis backward(long pixels, long kernel, long stride, long dilation, long pad, long extent) {
            if (stride == 1) {
                long low = pad - (kernel - 1) * dilation;
                Index at = IndexMath.constant(low);
                Index all = IndexMath.constant(kernel);
                return new Axis(pixels, kernel, all, 1, dilation, true, at, low, low, extent, 1, pad, kernel);
            }
            long most = (kernel + stride - 1) / stride;
            long least = pad / stride - (most - 1);
            long greatest = (stride - 1 + pad) / stride - (most - 1);
            return new Axis(
                    pixels / stride, most, null, 1, 1, true, null, least, greatest, extent, stride, pad, kernel);
        }

        /** Of the pixels {@code stride · q + residue}: those see the taps {@code stride · u + (residue + pad) mod stride}. */
        Axis withResidue(Index residue) {
            Index shifted = IndexMath.add(residue, pad);
            Index low = IndexMath.add(IndexMath.div(shifted, stride), 1 - mostTaps);
            Index first = IndexMath.mod(shifted, stride);
            Index count = IndexMath.div(IndexMath.add(IndexMath.mul(first, -1), kernel + stride - 1), stride);
            return new Axis(
                    pixels, mostTaps, count, step, dilation, backward, low, least, most, extent, stride, pad, kernel);
        }

        long positions() {
            return (pixels - 1) * step + (mostTaps - 1) * dilation + 1;
        }

        /** Positions of padding that two rows may share. */
        long overlap() {
            if (step != 1) return 0;
            long before = Math.max(0, -most);
            long after = Math.max(0, least + positions() - extent);
            return Math.min(Math.min(before, after), positions() - pixels);
        }
    }

    StencilDims(List<Axis> axes) {
        for (int d = 0; d < axes.size(); d++) {
            Axis a = axes.get(d);
            Var position = new Var("p" + d, Coef.of(a.positions()));
            dims.add(new Stencil.Dim(
                    position,
                    Coef.of(a.step),
                    Coef.of(a.dilation),
                    a.backward,
                    Coef.of(a.overlap()),
                    a.low,
                    Coef.of(a.extent),
                    a.taps));
            places.add(IndexMath.add(IndexMath.var(position), a.low));
        }
    }

    List<Stencil.Dim> dims() {
        return dims;
    }

    /** Where a position is in the array, per axis. */
    List<Index> places() {
        return places;
    }

    /** Whether windows overlap or jump, and rows of an image fill vectors well with their padding between them. */
    static boolean pays(List<Axis> axes, DType dtype) {
        if (!dtype.isFloat() || axes.size() > 3) return false;
        long taps = 1;
        long steps = 1;
        long pixels = 1;
        for (Axis a : axes) {
            if (a.pixels < 1 || a.mostTaps < 1 || a.extent < 1) return false;
            taps *= a.mostTaps;
            steps *= a.stride;
            pixels *= a.pixels;
        }
        if ((taps == 1 && steps == 1) || pixels < FEW_PIXELS) return false;
        Axis x = axes.getLast();
        long rows = axes.size() > 1 ? axes.get(axes.size() - 2).pixels : 1;
        long pitch = (x.positions() + x.step - 1) / x.step - x.overlap();
        long columns = (rows - 1) * pitch + x.pixels;
        long computed = pixels / (rows * x.pixels) * ((columns + LANES - 1) / LANES * LANES);
        return pixels * 5 >= computed * 3;
    }
}
