// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Kernels that are no loop kernels: sorts and pooling, products and convolutions; {@link AttentionCases}. */
final class TemplateCases {
    /**
     * Batches, rows, steps, columns, and elements from one row of the right operand to the next. Edges within what one thread has of a tile, and between threads;
     * operands that go by their own code, and by asynchronous copies; panels that are whole, also at the end of memory, and others. The second has rows of results
     * that are aligned and operands that are not: the same code as the first's stores vectors.
     */
    private static final long[][] PRODUCTS = {
        {2, 70, 133, 131, 131},
        {2, 70, 133, 132, 133},
        {1, 72, 168, 136, 136},
        {1, 72, 288, 136, 136},
        {2, 68, 168, 104, 104},
        {2, 68, 160, 104, 104}
    };

    private TemplateCases() {}

    static List<Supplier<MutantCase>> all() {
        List<Supplier<MutantCase>> all = new ArrayList<>();
        all.add(() -> sort(DType.F32));
        all.add(() -> sort(DType.F64));
        all.add(TemplateCases::topK);
        all.add(TemplateCases::maxPool);
        for (DType t : List.of(DType.F32, DType.F64, DType.I64, DType.F16, DType.BF16)) all.add(() -> matmul(t));
        all.add(TemplateCases::tf32);
        all.add(TemplateCases::inParts);
        all.add(() -> hopper(DType.F16));
        all.add(() -> hopper(DType.BF16));
        all.add(TemplateCases::conv);
        all.add(TemplateCases::convGradients);
        all.add(TemplateCases::convTensor);
        all.addAll(AttentionCases.all());
        return all;
    }

    private static Type f32(long... shape) {
        return Type.of(DType.F32, shape);
    }

    // ---- routines

    /** Many short rows in teams, and tiles that are merged in two rounds; the elements of a row are apart, and many are equal. */
    private static MutantCase sort(DType t) {
        MutantCase.Builder b = new MutantCase.Builder("sort-" + t, (g, in) -> g.emit(new Sort(1, false), in));
        return b.at(Type.of(t, 1, 6100, 2))
                .exactly((x, i) -> MutantInputs.whole(x, i))
                .exactly((x, i) -> MutantInputs.uniform(x, i))
                .exactly((x, i) -> RefArray.of(x, k -> x.numel() - k))
                .and()
                .at(Type.of(t, 7, 21, 2))
                .exactly((x, i) -> MutantInputs.whole(x, i))
                .exactly((x, i) -> MutantInputs.edges(x))
                .and()
                .inTeams(64, Type.of(t, 3, 130, 2))
                .exactly((x, i) -> MutantInputs.whole(x, i))
                .and()
                .build();
    }

    /** Of a long row selected in rounds, of a short one at once. */
    private static MutantCase topK() {
        return new MutantCase.Builder("top-k", (g, in) -> g.emit(new TopK(1, 21, true), in))
                .at(f32(3, 4000, 2))
                .exactly((x, i) -> MutantInputs.whole(x, i))
                .exactly((x, i) -> MutantInputs.uniform(x, i))
                .and()
                .at(f32(5, 40, 3))
                .exactly((x, i) -> MutantInputs.whole(x, i))
                .exactly((x, i) -> MutantInputs.edges(x))
                .and()
                .build();
    }

    /** Windows over one edge and the other, and over padding alone, and of elements that are equal or lowest. */
    private static MutantCase maxPool() {
        MaxPool pool = new MaxPool(
                new long[] {3, 2}, new long[] {2, 1}, new long[] {1, 1}, new long[] {2, 3}, new long[] {2, 1});
        double lowest = Double.NEGATIVE_INFINITY;
        return new MutantCase.Builder("max-pool", (g, in) -> g.emit(pool, in))
                .at(f32(3, 17, 23))
                .exactly((x, i) -> MutantInputs.uniform(x, i))
                .exactly((x, i) -> MutantInputs.whole(x, i))
                .exactly((x, i) -> MutantInputs.edges(x))
                .exactly((x, i) -> RefArray.of(x, k -> k % 3 == 0 ? -0.0 : k % 3 == 1 ? 0 : lowest))
                .exactly((x, i) -> RefArray.of(x, _ -> lowest))
                .and()
                .build();
    }

    // ---- products

    private static MutantCase.Builder products(String template) {
        return new MutantCase.Builder(template, (g, in) -> {
                    // Of columns, as many as the bias has: rows may lie at distances that are not aligned, and those of
                    // the result be.
                    long columns = g.type(in.get(2)).dim(0);
                    boolean whole = g.type(in.get(1)).dim(2) == columns;
                    Node right = whole ? in.get(1) : g.slice(in.get(1), 2, 0, columns, 1);
                    Node c = g.matmul(in.get(0), right);
                    Shape one = Shape.of(1, 1, g.type(in.get(2)).dim(0));
                    return List.of(g.add(
                            c, g.expand(g.reshape(in.get(2), one), g.type(c).shape())));
                })
                .aligned();
    }

    private static MutantCase matmul(DType t) {
        double tolerance =
                switch (t) {
                    case F64 -> 1e-13;
                    case F32 -> 1e-5;
                    case F16 -> 4e-3;
                    case BF16 -> 3e-2;
                    default -> 0;
                };
        MutantCase.Builder b = products("matmul-" + t);
        for (long[] n : PRODUCTS) {
            MutantCase.Builder.Sized s = b.at(
                            Type.of(t, n[0], n[1], n[2]), Type.of(t, n[0], n[2], n[4]), Type.of(t, n[3]))
                    .on((type, i) -> MutantInputs.uniform(type, i), 2 * tolerance)
                    .exactly((type, i) -> MutantInputs.whole(type, i));
            if (!t.isFloat()) continue;
            // The bias alone is not whole: the sum is rounded once more, or for the first time.
            s.exactly((type, i) -> i == 2 ? MutantInputs.uniform(type, i) : MutantInputs.whole(type, i));
            if (t.bytes() == 2) exactMiddles(s, t);
            for (int axis : new int[] {2, 1})
                s.on(
                        (type, i) ->
                                i == 2 - axis ? MutantInputs.infiniteEnd(type, axis, 0) : MutantInputs.uniform(type, i),
                        2 * tolerance);
            if (t != DType.F32 && t != DType.F64) continue;
            for (int seed = 0; seed < 12; seed++) {
                int from = seed;
                s.exactly((type, i) -> switch (i) {
                    case 0 -> MutantInputs.pairs(type, from);
                    case 1 -> MutantInputs.columns(type);
                    default -> RefArray.zeros(type);
                });
            }
        }
        ends(b, t, 2 * tolerance);
        return b.build();
    }

    /** Small products that end at each of 8 neighbours, in all three directions: a thread asks for each of those that it has whether it is there. */
    private static void ends(MutantCase.Builder b, DType t, double tolerance) {
        b.further();
        for (int e = 0; e < 8; e++) {
            long m = 40 + e;
            long k = 32 + (3 * e + 1) % 8;
            long n = 48 + (5 * e + 2) % 8;
            MutantCase.Builder.Sized s = b.at(Type.of(t, 2, m, k), Type.of(t, 2, k, n), Type.of(t, n))
                    .on((type, i) -> MutantInputs.uniform(type, i), tolerance);
            if (!t.isFloat()) continue;
            for (int axis : new int[] {2, 1})
                s.on(
                        (type, i) ->
                                i == 2 - axis ? MutantInputs.infiniteEnd(type, axis, 0) : MutantInputs.uniform(type, i),
                        tolerance);
        }
    }

    /** Operands of f32 rounded to TF32: to the nearer of two, halves away from 0. */
    private static MutantCase tf32() {
        MutantCase.Builder b = products("matmul-tf32").with(Numerics.DEFAULT.withProducts(MatmulPrecision.HIGH));
        // A quarter of a last place from one number and three quarters from the other.
        double uneven = 1 + 0x1.8p-11;
        for (long[] n : PRODUCTS) {
            MutantCase.Builder.Sized s = b.at(f32(n[0], n[1], n[2]), f32(n[0], n[2], n[4]), f32(n[3]))
                    .on((t, i) -> MutantInputs.uniform(t, i), 3e-2)
                    .exactly((t, i) -> MutantInputs.whole(t, i));
            for (int axis : new int[] {2, 1})
                s.on((t, i) -> i == 2 - axis ? MutantInputs.infiniteEnd(t, axis, 0) : MutantInputs.uniform(t, i), 3e-2);
            for (int seed = 0; seed < 3; seed++) {
                int from = seed;
                s.on(
                        (t, i) -> switch (i) {
                            case 0 -> MutantInputs.single(t, uneven, from);
                            case 1 -> MutantInputs.ones(t);
                            default -> RefArray.zeros(t);
                        },
                        0x1p-12);
                s.on(
                        (t, i) -> switch (i) {
                            case 0 -> MutantInputs.single(t, 1, from);
                            case 1 -> RefArray.of(t, _ -> uneven);
                            default -> RefArray.zeros(t);
                        },
                        0x1p-12);
                // A bias three quarters of the sum's last place.
                s.exactly((t, i) -> switch (i) {
                    case 0 -> MutantInputs.single(t, 0x1p10, from);
                    case 1 -> MutantInputs.ones(t);
                    default -> MutantInputs.signs(t, 0x1.8p-14, from);
                });
            }
        }
        // Sums that end at other places of a panel.
        for (long k : new long[] {130, 135, 138, 143})
            for (int axis : new int[] {2, 1})
                b.at(f32(2, 70, k), f32(2, k, 131), f32(131))
                        .on(
                                (t, i) -> i == 2 - axis
                                        ? MutantInputs.infiniteEnd(t, axis, 0)
                                        : MutantInputs.uniform(t, i),
                                3e-2);
        ends(b, DType.F32, 3e-2);
        return b.build();
    }

    /** Long sums of small results, in four parts that a second kernel adds up. */
    private static MutantCase inParts() {
        MutantCase.Builder b = products("matmul-parts");
        // Rows, steps, columns, elements from one row of the right operand to the next, and steps of a panel: where
        // rows
        // are aligned panels are larger.
        long[][] sizes = {
            {37, 530, 45, 45, 16},
            {38, 1056, 48, 48, 32},
            {35, 530, 48, 49, 16},
            {66, 530, 46, 46, 16},
            {36, 530, 47, 47, 16}
        };
        for (long[] n : sizes)
            b.by(in -> List.of(ProductModel.inParts(in, 4, (int) n[4])))
                    .at(f32(1, n[0], n[1]), f32(1, n[1], n[3]), f32(n[2]))
                    .on((t, i) -> MutantInputs.uniform(t, i), 2e-4)
                    .on((t, i) -> MutantInputs.uniform(t, i + 3), 2e-4)
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        return b.build();
    }

    /** Tensor copies, mbarriers and products by warpgroups. */
    private static MutantCase hopper(DType dtype) {
        MutantCase.Builder.Sized s = products("matmul-" + dtype + "-hopper")
                .on(Target.SM_90A)
                .at(Type.of(dtype, 1, 136, 200), Type.of(dtype, 1, 200, 264), Type.of(dtype, 264))
                .on((t, i) -> MutantInputs.uniform(t, i), dtype == DType.F16 ? 8e-3 : 6e-2)
                .exactly((t, i) -> MutantInputs.whole(t, i))
                .exactly((t, i) -> i == 2 ? MutantInputs.uniform(t, i) : MutantInputs.whole(t, i));
        exactMiddles(s, dtype);
        // Edges at other places, and tiles that end there.
        for (long[] n : new long[][] {{1, 131, 136, 264}, {1, 192, 72, 256}, {1, 129, 200, 272}})
            s.and()
                    .further()
                    .at(Type.of(dtype, n[0], n[1], n[2]), Type.of(dtype, n[0], n[2], n[3]), Type.of(dtype, n[3]))
                    .on((t, i) -> MutantInputs.uniform(t, i), dtype == DType.F16 ? 8e-3 : 6e-2)
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        return s.and().build();
    }

    /** Sums in the middle between two results, to which biases add less than f32 has places for. */
    private static void exactMiddles(MutantCase.Builder.Sized s, DType t) {
        for (int seed = 0; seed < 2; seed++) {
            int from = seed;
            s.exactly((type, i) -> switch (i) {
                case 0 -> MutantInputs.middles(type);
                case 1 -> MutantInputs.firstRows(type);
                default -> MutantInputs.signs(type, t == DType.F16 ? 0x1p-14 : 0x1p-17, from);
            });
        }
    }

    private static final long[] STRIDE = {2, 1};
    private static final long[] PAD_LOW = {1, 2};
    private static final long[] PAD_HIGH = {1, 0};
    private static final long[] DILATION = {1, 2};
    private static final ConvModel CONV = new ConvModel(STRIDE, PAD_LOW, DILATION);

    private static MutantCase conv() {
        Conv conv = new Conv(STRIDE, PAD_LOW, PAD_HIGH, DILATION, 1);
        return new MutantCase.Builder("conv-f32", (g, in) -> List.of(g.add(g.apply(conv, in.get(0), in.get(1)), 0.5)))
                .by(in -> List.of(CONV.forward(in.get(0), in.get(1), f32(2, 70, 5, 11), 0.5f)))
                .aligned()
                .at(f32(2, 5, 9, 13), f32(70, 5, 3, 3))
                .on((t, i) -> MutantInputs.uniform(t, i), 1e-4)
                .on((t, i) -> MutantInputs.uniform(t, i + 2), 1e-4)
                .exactly((t, i) -> MutantInputs.whole(t, i))
                .and()
                .build();
    }

    /** By input and by weight: gathered where a stride skips, and sums over pixels. */
    private static MutantCase convGradients() {
        Type x = f32(2, 60, 9, 13);
        Type w = f32(60, 60, 2, 2);
        Type y = f32(2, 60, 5, 13);
        return new MutantCase.Builder(
                        "conv-gradients",
                        (g, in) -> List.of(
                                g.add(
                                        g.apply(
                                                new ConvInputGrad(x.shape(), STRIDE, PAD_LOW, PAD_HIGH, DILATION, 1),
                                                in.get(2),
                                                in.get(1)),
                                        0.5),
                                g.apply(
                                        new ConvWeightGrad(w.shape(), STRIDE, PAD_LOW, PAD_HIGH, DILATION, 1),
                                        in.get(0),
                                        in.get(2))))
                .by(in -> List.of(CONV.byInput(in.get(2), in.get(1), x, 0.5f), CONV.byWeight(in.get(0), in.get(2), w)))
                .aligned()
                .at(x, w, y)
                .on((t, i) -> MutantInputs.uniform(t, i), 1e-4)
                .on((t, i) -> MutantInputs.uniform(t, i + 3), 1e-4)
                .exactly((t, i) -> MutantInputs.whole(t, i))
                .and()
                .build();
    }

    private static int sign(int number) {
        return number % 2 == 0 ? 1 : -1;
    }

    /** By tensor cores, of bf16: operands by their own code. */
    private static MutantCase convTensor() {
        Conv conv = new Conv(STRIDE, PAD_LOW, PAD_HIGH, DILATION, 1);
        MutantCase.Builder.Sized s = new MutantCase.Builder(
                        "conv-bf16", (g, in) -> List.of(g.add(g.apply(conv, in.get(0), in.get(1)), in.get(2))))
                .aligned()
                .at(
                        Type.of(DType.BF16, 2, 13, 9, 13),
                        Type.of(DType.BF16, 70, 13, 3, 3),
                        Type.of(DType.BF16, 2, 70, 5, 11))
                .on((t, i) -> MutantInputs.uniform(t, i), 6e-2)
                .exactly((t, i) -> MutantInputs.whole(t, i))
                .exactly((t, i) -> i == 2 ? MutantInputs.uniform(t, i) : MutantInputs.whole(t, i));
        // Sums in the middle between two results, to which less is added than f32 has places for.
        for (int seed = 0; seed < 4; seed++) {
            int from = seed;
            s.exactly((t, i) -> switch (i) {
                case 0 -> MutantInputs.ones(t);
                case 1 ->
                    RefArray.of(t, k -> {
                        int channel = k / 9 % 13;
                        int output = k / 117;
                        if (k % 9 != 4 || channel > 1) return 0;
                        return sign(output) * (channel == 0 ? 256 : 1 + output / 2 % 2 * 2);
                    });
                default -> MutantInputs.signs(t, 0x1p-17, from);
            });
        }
        return s.and().build();
    }
}
