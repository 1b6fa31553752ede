// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/** Kernels that are no loop kernels: sorts and pooling, products and convolutions; {@link AttentionCases}. */
final class TemplateCases {
    private TemplateCases() {}

    static List<MutantCase> all() {
        List<MutantCase> all = new ArrayList<>();
        all.add(sort(DType.F32));
        all.add(sort(DType.F64));
        all.add(topK());
        all.add(maxPool());
        for (DType t : List.of(DType.F32, DType.F64, DType.I64, DType.F16, DType.BF16)) all.add(matmul(t));
        all.add(hopper());
        all.add(conv());
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
                    Node c = g.matmul(in.get(0), in.get(1));
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
        // Edges within what one thread has of a tile, and between threads; operands that go by their own code, and by
        // asynchronous copies.
        // The second has rows of results that are aligned and operands that are not: the same code as the first's
        // stores vectors.
        long[][] sizes = {{2, 70, 133, 131}, {2, 70, 133, 132}, {1, 72, 136, 136}};
        for (long[] n : sizes) {
            MutantCase.Builder.Sized s = b.at(
                            Type.of(t, n[0], n[1], n[2]), Type.of(t, n[0], n[2], n[3]), Type.of(t, n[3]))
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
        return b.build();
    }

    /** Tensor copies, mbarriers and products by warpgroups. */
    private static MutantCase hopper() {
        MutantCase.Builder.Sized s = products("matmul-bf16-hopper")
                .on(Target.SM_90A)
                .at(Type.of(DType.BF16, 1, 136, 200), Type.of(DType.BF16, 1, 200, 264), Type.of(DType.BF16, 264))
                .on((t, i) -> MutantInputs.uniform(t, i), 6e-2)
                .exactly((t, i) -> MutantInputs.whole(t, i))
                .exactly((t, i) -> i == 2 ? MutantInputs.uniform(t, i) : MutantInputs.whole(t, i));
        exactMiddles(s, DType.BF16);
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

    private static MutantCase conv() {
        Conv conv = new Conv(new long[] {2, 1}, new long[] {1, 2}, new long[] {1, 0}, new long[] {1, 2}, 1);
        MutantCase.Builder.Sized s = new MutantCase.Builder(
                        "conv-f32", (g, in) -> List.of(g.add(g.apply(conv, in.get(0), in.get(1)), 0.5)))
                .aligned()
                .at(f32(2, 5, 9, 13), f32(7, 5, 3, 3))
                .on((t, i) -> MutantInputs.uniform(t, i), 1e-4)
                .exactly((t, i) -> MutantInputs.whole(t, i));
        // One tap of each of two channels: two products for each result, whose sum is rounded.
        for (int seed = 0; seed < 20; seed++) {
            int from = seed;
            s.exactly((t, i) -> i == 0
                    ? RefArray.of(t, k -> {
                        // Signs by row of pixels: what is rounded up here is rounded down there.
                        int sign = k / 13 % 2 == 0 ? 1 : -1;
                        int channel = k / 117 % 5;
                        return channel == from % 5 ? sign * (0x1p24 + 2) : channel == (from + 1) % 5 ? sign : 0;
                    })
                    : RefArray.of(t, k -> {
                        int channel = k / 9 % 5;
                        int output = k / 45;
                        boolean first = channel == from % 5 && k % 9 == (output + from) % 9;
                        boolean second = channel == (from + 1) % 5 && k % 9 == (output * 5 + from * 2 + 1) % 9;
                        return first || second ? 1 : 0;
                    }));
        }
        return s.and().build();
    }
}
