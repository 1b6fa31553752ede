// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.List;

/**
 * What a {@link GemmKernel} that is a convolution knows besides: its right operand is one array, padded with zeros, under windows. A generator may
 * lay that array out once and read every window's element at an offset from the pixel, where a matrix would hold each element as often as there
 * are taps. The kernel's meaning does not depend on it.
 *
 * <p>The last {@code dims.size()} variables of n are the pixels and those of k the taps; in the gradient of a weight it is the other way about.
 * Variables of both groups before those (images, channels) are the planes: those of k first, then those of n. Pixel p sees at tap t the position
 * {@code p · step + t · dilation}, or {@code p · step + (taps - 1 - t) · dilation} if the dim is backward.
 *
 * @param staged the array's element, 0 in the padding, in the batch's and the planes' variables and the dims' positions
 * @param plain {@code staged} is memory of the accumulation type with a stride for each of its variables, masked by nothing but the dims' bounds
 * @param left the left operand without its mask, if it is memory of the accumulation type with a stride for each variable of m and k, and is
 *     masked by nothing but the taps' number; else null
 * @param pixelsInK the gradient of a weight
 */
public record Stencil(Expr staged, boolean plain, Expr.Load left, boolean pixelsInK, List<Dim> dims) {
    /**
     * One spatial axis.
     *
     * @param position its variable in {@link #staged}
     * @param step from pixel to pixel, at least 1
     * @param dilation from tap to tap, at least 1
     * @param overlap as many positions at the end of a row are padding, and as many at its beginning: rows may share them
     * @param low where in the array the first position is, in the batch's variables
     * @param extent of the array; what is beyond is padding
     * @param taps how many taps there are, from 0 on, in the batch's variables: at most the extent of the tap's variable
     */
    public record Dim(
            Var position,
            Coef step,
            Coef dilation,
            boolean backward,
            Coef overlap,
            Index low,
            Coef extent,
            Index taps) {}
}
