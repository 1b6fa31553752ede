// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import java.util.Arrays;

/** Images and volumes read at given places (Jaderberg et al., 2015): functions of {@link F}. */
abstract sealed class GridSampling extends Resampling permits Unpooling {
    private static final double CUBIC = -0.75;

    GridSampling() {}

    /**
     * Values of images [N, C, H, W] at places [N, H', W', 2], or of volumes [N, C, D, H, W] at places [N, D',
     * H', W', 3].
     *
     * @param grid places in [-1, 1], the last axis of the image first (x, y, z)
     * @param mode "bilinear" (trilinear for volumes), "nearest", or for images "bicubic"
     * @param padding what lies outside: "zeros", "border" or "reflection"
     * @param alignCorners -1 and 1 are the centers of the outer elements rather than their outer edges
     */
    public static Tensor gridSample(Tensor x, Tensor grid, String mode, String padding, boolean alignCorners) {
        int n = x.rank() - 2;
        if (n != 2 && n != 3
                || grid.rank() != x.rank()
                || grid.size(-1) != n
                || grid.size(0) != x.size(0)
                || x.dtype() != grid.dtype()) {
            throw Errors.argument(
                    "gridSample",
                    x,
                    grid,
                    "needs [N, C, H, W] and [N, H', W', 2], or [N, C, D, H, W] and [N, D', H', W', 3], of one dtype");
        }
        if (!Arrays.asList("zeros", "border", "reflection").contains(padding)) {
            throw Errors.argument(
                    "gridSample", x, "unknown padding '" + padding + "'; known: zeros, border, reflection");
        }
        return Trace.call(() -> {
            long[] extents = Arrays.copyOfRange(x.shape(), 2, n + 2);
            Tensor[] at = new Tensor[n];
            for (int i = 0; i < n; i++) {
                Tensor c = grid.select(-1, n - 1 - i).flatten(1, -1);
                long size = extents[i];
                // From [-1, 1] to element numbers.
                at[i] = alignCorners
                        ? c.add(constant(c, 1)).mul((size - 1) / 2.0)
                        : c.add(constant(c, 1))
                                .mul((double) size)
                                .sub(constant(c, 1))
                                .mul(constant(c, 0.5));
            }
            Sampler s = new Sampler(x.flatten(2, -1), extents, padding, alignCorners);
            Tensor r =
                    switch (mode) {
                        case "nearest" -> s.nearest(at);
                        case "bilinear" -> s.linear(at);
                        case "bicubic" -> {
                            if (n != 2) throw Errors.argument("gridSample", x, "bicubic is for images");
                            yield s.cubic(at);
                        }
                        default ->
                            throw Errors.argument(
                                    "gridSample", x, "unknown mode '" + mode + "'; known: bilinear, nearest, bicubic");
                    };
            long[] to = grid.shape();
            long[] shape = new long[n + 2];
            shape[0] = x.size(0);
            shape[1] = x.size(1);
            System.arraycopy(to, 1, shape, 2, n);
            return r.reshape(shape);
        });
    }

    /** Reads flattened images [N, C, elements] at places, one tensor [N, P] for each axis. */
    private record Sampler(Tensor x, long[] extents, String padding, boolean alignCorners) {

        /** Places outside brought inside, as the padding says; zeros leave them. */
        private Tensor inside(Tensor at, long size) {
            return switch (padding) {
                case "border" -> at.clamp(0.0, (double) (size - 1));
                case "reflection" -> reflected(at, size).clamp(0.0, (double) (size - 1));
                default -> at;
            };
        }

        /** Back and forth between the outer elements, or between their outer edges. */
        private Tensor reflected(Tensor at, long size) {
            double low = alignCorners ? 0 : -0.5;
            double span = alignCorners ? size - 1 : size;
            if (span == 0) return at.mul(constant(at, 0));
            Tensor d = at.sub(low).abs();
            Tensor turns = d.detach().div(span).floor();
            Tensor rest = d.sub(turns.mul(span));
            Tensor even = turns.remainder(2.0).eq(0);
            return even.where(rest, rest.rsub(span)).add(low);
        }

        /** The elements at whole places, 0 outside. */
        private Tensor read(Tensor[] whole) {
            Tensor flat = null;
            Tensor valid = null;
            for (int i = 0; i < whole.length; i++) {
                double last = extents[i] - 1;
                Tensor v = whole[i].detach();
                Tensor in = v.ge(0).logicalAnd(v.le(last));
                valid = valid == null ? in : valid.logicalAnd(in);
                Tensor place = cast(v.clamp(0.0, last), DType.I64);
                flat = flat == null ? place : flat.mul(extents[i]).add(place);
            }
            Shape s = Shape.of(x.size(0), x.size(1), flat.size(1));
            Tensor values = x.gather(2, Operators.expand(flat.unsqueeze(1), s));
            return valid.unsqueeze(1).where(values, constant(values, 0));
        }

        Tensor nearest(Tensor[] at) {
            Tensor[] whole = new Tensor[at.length];
            for (int i = 0; i < at.length; i++)
                whole[i] = inside(at[i], extents[i]).round();
            return read(whole);
        }

        Tensor linear(Tensor[] at) {
            int n = at.length;
            Tensor[] low = new Tensor[n];
            Tensor[] weight = new Tensor[n];
            for (int i = 0; i < n; i++) {
                Tensor p = inside(at[i], extents[i]);
                low[i] = p.detach().floor();
                weight[i] = p.sub(low[i]);
            }
            Tensor sum = null;
            for (int corner = 0; corner < 1 << n; corner++) {
                Tensor[] whole = new Tensor[n];
                Tensor w = null;
                for (int i = 0; i < n; i++) {
                    boolean high = (corner >> i & 1) == 1;
                    whole[i] = high ? low[i].add(constant(low[i], 1)) : low[i];
                    Tensor factor = high ? weight[i] : weight[i].rsub(1.0);
                    w = w == null ? factor : w.mul(factor);
                }
                Tensor part = read(whole).mul(w.unsqueeze(1));
                sum = sum == null ? part : sum.add(part);
            }
            return sum;
        }

        /** Cubic convolution (Keys, 1981): the sixteen elements around. */
        Tensor cubic(Tensor[] at) {
            Tensor[] low = new Tensor[2];
            Tensor[][] weight = new Tensor[2][4];
            for (int i = 0; i < 2; i++) {
                low[i] = at[i].detach().floor();
                Tensor t = at[i].sub(low[i]);
                for (int k = 0; k < 4; k++)
                    weight[i][k] = k == 0 || k == 3
                            ? outer(k == 0 ? t.add(constant(t, 1)) : t.rsub(2.0))
                            : inner(k == 1 ? t : t.rsub(1.0));
            }
            Tensor sum = null;
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 4; j++) {
                    Tensor[] whole = {
                        inside(low[0].add(constant(low[0], i - 1)), extents[0]),
                        inside(low[1].add(constant(low[1], j - 1)), extents[1])
                    };
                    Tensor part = read(whole).mul(weight[0][i].mul(weight[1][j]).unsqueeze(1));
                    sum = sum == null ? part : sum.add(part);
                }
            }
            return sum;
        }

        /** ((a + 2) t - (a + 3)) t² + 1, up to distance 1. */
        private static Tensor inner(Tensor t) {
            return t.mul(constant(t, CUBIC + 2))
                    .sub(constant(t, CUBIC + 3))
                    .mul(t)
                    .mul(t)
                    .add(constant(t, 1));
        }

        /** ((a t - 5 a) t + 8 a) t - 4 a, from 1 to 2. */
        private static Tensor outer(Tensor t) {
            return t.mul(constant(t, CUBIC))
                    .sub(constant(t, 5 * CUBIC))
                    .mul(t)
                    .add(constant(t, 8 * CUBIC))
                    .mul(t)
                    .sub(constant(t, 4 * CUBIC));
        }
    }
}
