// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Convolutions with a {@link Stencil} and their weights' gradients, in all vector widths and in guarded memory, against
 * loops: of small integers every sum is exact, those of Winograd's algorithm, too.
 */
final class StencilKernelTest {
    private static final int[] WIDTHS = {512, 256, 128, 0};

    /**
     * x[n, c, h, w], weight[o, c, taps, taps].
     *
     * @param plain the input is declared to be memory, so no code need stage it
     * @param backward taps in descending order
     */
    private record Case(
            String name,
            int n,
            int c,
            int o,
            int h,
            int w,
            int taps,
            int stride,
            int dilation,
            int pad,
            boolean plain,
            boolean backward) {
        int positions(int pixels) {
            return (pixels - 1) * stride + (taps - 1) * dilation + 1;
        }

        int pixels(int extent) {
            return (extent + 2 * pad - dilation * (taps - 1) - 1) / stride + 1;
        }

        int outY() {
            return pixels(h);
        }

        int outX() {
            return pixels(w);
        }

        int tap(int t) {
            return (backward ? taps - 1 - t : t) * dilation;
        }
    }

    private static List<Case> cases() {
        return List.of(
                new Case("winograd", 2, 35, 40, 18, 17, 3, 1, 1, 1, true, false),
                new Case("winograd, staged by code", 2, 33, 67, 16, 16, 3, 1, 1, 1, false, false),
                new Case("winograd, backward", 9, 32, 33, 7, 8, 3, 1, 1, 1, true, true),
                new Case("winograd, input for several panels", 2, 70, 135, 8, 7, 3, 1, 1, 1, true, false),
                new Case("winograd, wide padding", 1, 32, 32, 22, 23, 3, 1, 1, 2, true, false),
                new Case("few channels", 2, 3, 8, 12, 13, 3, 1, 1, 1, true, false),
                new Case("one channel", 3, 1, 1, 12, 35, 3, 1, 1, 1, true, false),
                new Case("one channel, staged by code, stride 2", 2, 1, 1, 15, 16, 3, 2, 1, 1, false, false),
                new Case("alone, backward", 3, 1, 1, 9, 33, 3, 1, 1, 1, true, true),
                new Case("alone, staged by code", 2, 1, 1, 14, 14, 3, 1, 1, 1, false, false),
                new Case("alone, staged by code, backward", 2, 1, 1, 5, 18, 3, 1, 1, 1, false, true),
                new Case("alone, no padding", 2, 1, 1, 10, 21, 3, 1, 1, 0, true, false),
                new Case("alone, wide padding", 2, 1, 1, 6, 16, 3, 1, 1, 2, true, true),
                new Case("alone, one pixel", 4, 1, 1, 1, 1, 3, 1, 1, 1, true, false),
                new Case("alone, a row", 2, 1, 1, 1, 40, 3, 1, 1, 1, true, true),
                new Case("alone, several planes", 2, 3, 1, 9, 15, 3, 1, 1, 1, true, false),
                new Case("alone, 5 × 5", 2, 1, 1, 9, 19, 5, 1, 1, 2, true, false),
                new Case("alone, dilation", 2, 1, 1, 12, 17, 3, 1, 2, 2, true, true),
                new Case("alone, stride 2", 2, 1, 1, 15, 20, 3, 2, 1, 1, true, false),
                new Case("alone, stride 2, wide", 2, 1, 1, 14, 70, 3, 2, 1, 1, true, false),
                new Case("alone, stride 2, no padding", 2, 1, 1, 7, 65, 3, 2, 1, 0, true, false),
                new Case("alone, stride 2, staged by code", 2, 1, 1, 9, 40, 3, 2, 1, 1, false, false),
                new Case("alone, stride 3", 2, 1, 1, 10, 21, 3, 3, 1, 1, true, false),
                new Case("few output channels", 2, 5, 4, 13, 12, 5, 1, 1, 2, true, false),
                new Case("stem", 2, 3, 16, 21, 24, 7, 2, 1, 3, true, false),
                new Case("stride 2, one tap", 2, 5, 9, 14, 15, 1, 2, 1, 0, true, false),
                new Case("stride 3, staged by code", 1, 4, 7, 20, 19, 3, 3, 1, 1, false, false),
                new Case("dilation", 1, 4, 7, 20, 19, 3, 1, 2, 2, true, true));
    }

    @TestFactory
    Stream<DynamicTest> convolutions() {
        return tests("", false);
    }

    @TestFactory
    Stream<DynamicTest> gradients() {
        return tests("gradient of ", true);
    }

    private static Stream<DynamicTest> tests(String prefix, boolean gradient) {
        List<DynamicTest> tests = new ArrayList<>();
        for (Case c : cases()) {
            if (gradient && c.backward) continue;
            for (int width : WIDTHS) {
                tests.add(DynamicTest.dynamicTest(
                        prefix + c.name + ", width " + width, () -> new Problem(c, gradient).check(width)));
            }
        }
        return tests.stream();
    }

    private static final class Problem {
        private final Case c;
        private final boolean gradient;
        private final Arena arena = Arena.ofShared();
        private final ParameterBlock block = new ParameterBlock(arena);
        private final Buf x;
        private final Buf left;
        private final Buf out;
        private final Var image;
        private final Var channel;
        private final Var o;
        private final Var[] pixel;
        private final Var[] tap;

        Problem(Case c, boolean gradient) {
            this.c = c;
            this.gradient = gradient;
            Random random = new Random(c.hashCode());
            long weights = (long) c.o * c.c * c.taps * c.taps;
            long pixels = (long) c.n * c.o * c.outY() * c.outX();
            x = input(random, (long) c.n * c.c * c.h * c.w);
            left = input(random, gradient ? pixels : weights);
            out = block.buffer(DType.F32, gradient ? weights : pixels, Buf.Kind.OUT, _ -> 77);
            image = block.var("i", c.n);
            channel = block.var("c", c.c);
            o = block.var("o", c.o);
            pixel = new Var[] {block.var("y", c.outY()), block.var("x", c.outX())};
            tap = new Var[] {block.var("ty", c.taps), block.var("tx", c.taps)};
        }

        private Buf input(Random random, long count) {
            return block.buffer(DType.F32, count, Buf.Kind.IN, _ -> random.nextInt(7) - 3);
        }

        void check(int width) {
            try (arena) {
                JvmKernel kernel = JvmCodegen.compile(kernel(), new Options(width));
                long params = block.address();
                double[] expected = expected();
                List<String> forms = new ArrayList<>(List.of(""));
                if (width == 512) forms.addAll(kernel.forms(params, ""));
                for (String form : forms) {
                    for (Random order :
                            form.isEmpty() ? new Random[] {null, new Random(5)} : new Random[] {new Random(6)}) {
                        for (int i = 0; i < expected.length; i++) block.set(out, i, 77);
                        KernelRunner.run(kernel.in(form), params, order);
                        for (int i = 0; i < expected.length; i++)
                            assertEquals(expected[i], block.get(out, i), "element " + i + ", form '" + form + "'");
                    }
                }
                block.checkGuards();
            }
        }

        private GemmKernel kernel() {
            long plane = (long) c.h * c.w;
            long sign = c.backward ? -c.dilation : c.dilation;
            long shift = c.backward ? (c.taps - 1L) * c.dilation - c.pad : -c.pad;
            Index[] at = new Index[2];
            for (int d = 0; d < 2; d++)
                at[d] = block.index(List.of(pixel[d], tap[d]), List.of((long) c.stride, sign), shift);
            Index index = block.index(
                    List.of(image, channel, pixel[0], pixel[1], tap[0], tap[1]),
                    List.of(c.c * plane, plane, (long) c.stride * c.w, (long) c.stride, sign * c.w, sign),
                    shift * c.w + shift);
            Expr b = masked(index, at);
            List<Stencil.Dim> dims = new ArrayList<>();
            Index[] place = new Index[2];
            int[] extents = {c.h, c.w};
            for (int d = 0; d < 2; d++) {
                int pixels = c.pixels(extents[d]);
                int positions = c.positions(pixels);
                int after = Math.max(0, positions - c.pad - extents[d]);
                int overlap = c.stride != 1 ? 0 : Math.min(Math.min(c.pad, after), positions - pixels);
                Var p = block.var("p" + d, positions);
                dims.add(new Stencil.Dim(
                        p,
                        block.number(c.stride),
                        block.number(c.dilation),
                        c.backward,
                        block.number(overlap),
                        block.index(List.of(), List.of(), -c.pad),
                        block.number(extents[d]),
                        block.index(List.of(), List.of(), c.taps)));
                place[d] = block.index(List.of(p), List.of(1L), -c.pad);
            }
            Index staged = block.index(
                    List.of(image, channel, dims.get(0).position(), dims.get(1).position()),
                    List.of(c.c * plane, plane, (long) c.w, 1L),
                    -(long) c.pad * c.w - c.pad);
            long outPlane = (long) c.outY() * c.outX();
            Index ofPixel = block.index(
                    List.of(image, o, pixel[0], pixel[1]), List.of(c.o * outPlane, outPlane, (long) c.outX(), 1L), 0);
            long all = (long) c.taps * c.taps;
            Index ofWeight =
                    block.index(List.of(o, channel, tap[0], tap[1]), List.of(c.c * all, all, (long) c.taps, 1L), 0);
            Expr.Load a = new Expr.Load(left, gradient ? ofPixel : ofWeight);
            Stencil stencil = new Stencil(masked(staged, place), c.plain, gradient ? null : a, gradient, dims);
            Local result = new Local("result", DType.F32);
            Stmt store = new Stmt.Store(out, gradient ? ofWeight : ofPixel, new Expr.Ref(result));
            List<Var> pixels = List.of(pixel);
            List<Var> taps = List.of(tap);
            return new GemmKernel(
                    "stencil",
                    gradient ? List.of() : List.of(image),
                    List.of(o),
                    gradient ? with(channel, taps) : pixels,
                    gradient ? with(image, pixels) : with(channel, taps),
                    a,
                    b,
                    DType.F32,
                    result,
                    List.of(store),
                    stencil,
                    List.of(),
                    block.slots());
        }

        private static List<Var> with(Var first, List<Var> rest) {
            List<Var> all = new ArrayList<>(List.of(first));
            all.addAll(rest);
            return all;
        }

        private Expr masked(Index index, Index[] at) {
            Expr mask = null;
            int[] extents = {c.h, c.w};
            for (int d = 0; d < 2; d++) {
                Expr i = new Expr.IndexValue(DType.I32, at[d]);
                Expr limit = new Expr.Arg(DType.I32, block.slot(extents[d]));
                Expr inside = Expr.bin(
                        Prim2.AND, Expr.bin(Prim2.GE, i, Expr.Const.of(DType.I32, 0)), Expr.bin(Prim2.LT, i, limit));
                mask = mask == null ? inside : Expr.bin(Prim2.AND, mask, inside);
            }
            return new Expr.Load(x, index, mask, Expr.Const.of(DType.F32, 0));
        }

        private double[] expected() {
            double[] sums = new double[Math.toIntExact(block.count(out))];
            double[] xs = values(x);
            double[] lefts = values(left);
            for (int n = 0; n < c.n; n++)
                for (int oc = 0; oc < c.o; oc++)
                    for (int ic = 0; ic < c.c; ic++)
                        for (int t = 0; t < c.taps * c.taps; t++) plane(n, oc, ic, t, xs, lefts, sums);
            return sums;
        }

        /** What one tap of one channel adds to an image's pixels, or the pixels to the tap. */
        private void plane(int n, int oc, int ic, int t, double[] xs, double[] lefts, double[] sums) {
            int weight = (oc * c.c + ic) * c.taps * c.taps + t;
            for (int y = 0; y < c.outY(); y++) {
                int iy = y * c.stride + c.tap(t / c.taps) - c.pad;
                if (iy < 0 || iy >= c.h) continue;
                for (int px = 0; px < c.outX(); px++) {
                    int ix = px * c.stride + c.tap(t % c.taps) - c.pad;
                    if (ix < 0 || ix >= c.w) continue;
                    int p = ((n * c.o + oc) * c.outY() + y) * c.outX() + px;
                    double element = xs[((n * c.c + ic) * c.h + iy) * c.w + ix];
                    if (gradient) sums[weight] += element * lefts[p];
                    else sums[p] += element * lefts[weight];
                }
            }
        }

        private double[] values(Buf b) {
            double[] r = new double[Math.toIntExact(block.count(b))];
            for (int i = 0; i < r.length; i++) r[i] = block.get(b, i);
            return r;
        }
    }
}
