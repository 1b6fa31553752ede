// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.TopK;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The templates of the PTX generator, each with programs that reach every part of it: rows that are aligned and rows that are not, teams of one thread,
 * of a warp and of several, remainders and edges, several parameter blocks, wrong indices at every place that is checked.
 */
final class MutantCases {
    private MutantCases() {}

    static List<MutantCase> all() {
        List<MutantCase> all = new ArrayList<>();
        all.add(elementwise());
        all.add(strided());
        all.add(functions());
        all.add(integers());
        all.add(narrow());
        all.add(predicated());
        all.add(segments());
        all.add(row());
        all.add(rowScratch());
        all.add(column());
        all.add(split());
        all.add(argmax());
        all.add(scan());
        all.add(gather());
        all.add(scatter());
        all.add(philox());
        all.add(sort(DType.F32));
        all.add(sort(DType.F64));
        all.add(topK());
        all.add(maxPool());
        for (DType t : List.of(DType.F32, DType.F64, DType.I64, DType.F16, DType.BF16)) all.add(matmul(t));
        all.add(hopper());
        all.add(conv());
        all.add(attention(false));
        all.add(attention(true));
        all.add(attentionByTensorCores());
        return all;
    }

    private static MutantCase.Builder builder(String template, BiFunction<GraphBuilder, List<Node>, List<Node>> code) {
        return new MutantCase.Builder(template, nodes -> g -> code.apply(g, nodes));
    }

    private static Type f32(long... shape) {
        return Type.of(DType.F32, shape);
    }

    /** All but the last elements of each row: as many as leave a multiple of 4. */
    private static Node head(GraphBuilder g, Node x) {
        return columns(g, x, g.type(x).dim(1) - 4 & -4);
    }

    /** As many elements of each row of {@code y} as {@code like} has. */
    private static Node head(GraphBuilder g, Node y, Node like) {
        return columns(g, y, g.type(like).dim(1));
    }

    private static Node columns(GraphBuilder g, Node x, long n) {
        return g.slice(x, 1, 0, n, 1);
    }

    /** All but the last 5 elements of each row. */
    private static Node ragged(GraphBuilder g, Node x) {
        return columns(g, x, g.type(x).dim(1) - 5);
    }

    // ---- elementwise

    private static List<Node> arithmetic(GraphBuilder g, Node x, Node y) {
        Node z = g.add(g.mul(x, y), 0.3);
        Node w = g.div(z, g.add(g.mul(y, y), 0.7));
        return List.of(g.where(g.binary(Binary.LT, x, y), w, g.sub(z, x)), g.sqrt(g.mul(x, x)));
    }

    /** One piece of memory: wide accesses and their remainder. */
    private static MutantCase elementwise() {
        MutantCase.Builder b = builder("elementwise", (g, in) -> arithmetic(g, in.get(0), in.get(1)));
        for (long n : new long[] {1031, 1030, 2049})
            b.at(f32(n), f32(n))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        MutantCase.Builder.Sized few = b.at(f32(3), f32(3));
        for (int seed = 0; seed < 24; seed += 2) {
            int s = seed;
            few.exactly((t, i) -> MutantInputs.uniform(t, s + i)).exactly((t, i) -> MutantInputs.whole(t, s + i));
        }
        return b.build();
    }

    /** Rows at any distance: 16 bytes at a time where it allows that, else element by element. */
    private static MutantCase strided() {
        MutantCase.Builder b = builder("elementwise-strided", (g, in) -> {
            Node x = head(g, in.get(0));
            return arithmetic(g, x, head(g, in.get(1), x));
        });
        for (long n : new long[] {204, 209, 206})
            b.at(f32(9, n), f32(9, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        return b.build();
    }

    private static MutantCase functions() {
        MutantCase.Builder b = builder("elementwise-functions", (g, in) -> {
            Node x = head(g, in.get(0));
            return List.of(g.unary(Unary.TANH, x), g.exp(x), g.log(g.mul(x, x)), g.unary(Unary.FLOOR, g.mul(x, 3)));
        });
        for (long n : new long[] {204, 209}) {
            MutantCase.Builder.Sized s = b.at(f32(40, n))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.edges(t))
                    .exactly((t, i) -> Sample.uniform(t, -110, 110, 3));
            for (double range : new double[] {0.1, 0.5, 1, 8, 30, 60})
                s.exactly((t, i) -> Sample.uniform(t, -range, range, 4));
        }
        return b.build();
    }

    private static MutantCase integers() {
        MutantCase.Builder b = builder("elementwise-integers", (g, in) -> {
            Node x = head(g, in.get(0));
            Node y = head(g, in.get(1), x);
            Node q = g.binary(Binary.FLOORDIV, x, y);
            Node r = g.binary(Binary.FMOD, x, y);
            Node s = g.binary(Binary.XOR, g.mul(x, y), g.binary(Binary.MAX, q, r));
            return List.of(s, g.cast(x, DType.F32), g.cast(y, DType.I8), g.cast(head(g, in.get(2), x), DType.I32));
        });
        for (long n : new long[] {204, 209})
            b.at(Type.of(DType.I64, 9, n), Type.of(DType.I64, 9, n + 8), f32(9, n + 16))
                    .exactly((t, i) -> i == 2 ? Sample.uniform(t, -900, 900, 1) : MutantInputs.integers(t, i))
                    .exactly((t, i) -> switch (i) {
                        case 0 -> RefArray.ofLongs(t, k -> k % 5 - 2);
                        case 1 -> RefArray.ofLongs(t, k -> k % 7 < 3 ? -1 - k % 3 : 1 + k % 4);
                        default -> Sample.uniform(t, -9, 9, 2);
                    });
        return b.build();
    }

    private static MutantCase narrow() {
        MutantCase.Builder b = builder("elementwise-narrow", (g, in) -> {
            Node x = g.cast(head(g, in.get(0)), DType.F32);
            Node y = g.cast(head(g, in.get(1), x), DType.F32);
            Node z = g.mul(g.mul(x, y), 0.3);
            return List.of(g.cast(z, DType.F16), g.cast(z, DType.BF16), g.cast(z, DType.F64));
        });
        for (long n : new long[] {204, 209})
            b.at(Type.of(DType.F16, 30, n), Type.of(DType.BF16, 30, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    /** Masked loads at both edges, and a transposed operand. */
    private static MutantCase predicated() {
        MutantCase.Builder b = builder("elementwise-predicated", (g, in) -> {
            Node x = in.get(0);
            Node y = in.get(1);
            Node p = g.padAxis(g.padAxis(x, 1, 2, 3), 0, 1, 2);
            Node s = g.slice(g.transpose(y, 0, 1), 1, 1, g.type(x).dim(1) + 5, 1);
            return List.of(g.add(p, s));
        });
        for (long n : new long[] {35, 34, 33, 32})
            b.at(f32(22, n), f32(n + 9, 25))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.uniform(t, 7 + i));
        return b.build();
    }

    /** Parameters of an optimizer's step: several blocks in one launch. */
    private static MutantCase segments() {
        return builder(
                        "segments",
                        (g, in) -> List.of(
                                g.sub(in.get(0), g.mul(in.get(3), 0.1)),
                                g.sub(in.get(1), g.mul(in.get(4), 0.1)),
                                g.sub(in.get(2), g.mul(in.get(5), 0.1))))
                .donating()
                .at(f32(1031), f32(1031), f32(1031), f32(1031), f32(1031), f32(1031))
                .exactly((t, i) -> MutantInputs.uniform(t, i))
                .and()
                .at(f32(7), f32(7), f32(6), f32(7), f32(7), f32(6))
                .exactly((t, i) -> MutantInputs.uniform(t, i))
                .exactly((t, i) -> MutantInputs.uniform(t, i + 6))
                .exactly((t, i) -> MutantInputs.uniform(t, i + 12))
                .and()
                .build();
    }

    // ---- reductions

    private static MutantCase row() {
        MutantCase.Builder b = builder("row", (g, in) -> {
            Node x = ragged(g, in.get(0));
            Node z = g.mul(x, head(g, in.get(1), x));
            return List.of(g.sum(z, 1), g.reduce(Reduce.Kind.MAX, z, 1), g.reduce(Reduce.Kind.MIN, z, 1));
        });
        long[][] sizes = {{60, 1304, 0}, {40, 1303, 0}, {60, 256, 0}, {60, 257, 128}, {300, 12, 0}};
        for (long[] s : sizes)
            b.inTeams((int) s[2], f32(s[0], s[1]), f32(s[0], s[1] + 8))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, 1) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, 2) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, 3) : MutantInputs.ones(t));
        return b.build();
    }

    /** Softmax: exponentials stay in scratch memory, where other threads read them. */
    private static MutantCase rowScratch() {
        MutantCase.Builder b = builder("row-scratch", (g, in) -> {
            Node x = head(g, in.get(0));
            Node e = g.exp(g.sub(x, g.reduceKeep(Reduce.Kind.MAX, x, 1)));
            return List.of(g.div(e, g.sumKeep(e, 1)));
        });
        for (int team : new int[] {0, 32, 1}) {
            for (long n : new long[] {1304, 1305}) {
                MutantCase.Builder.Sized s =
                        b.inTeams(team, f32(team == 1 ? 4 : 40, n)).on((t, i) -> MutantInputs.uniform(t, i), 1e-5);
                for (int seed = 0; seed < 4; seed++) {
                    int from = seed;
                    s.exactly((t, i) -> MutantInputs.twoOfMany(t, from));
                }
            }
        }
        return b.build();
    }

    private static MutantCase column() {
        MutantCase.Builder b = builder("column", (g, in) -> {
            Node x = head(g, in.get(0));
            Node z = g.mul(x, head(g, in.get(1), x));
            return List.of(g.sum(z, 0), g.reduce(Reduce.Kind.MAX, z, 0), g.reduce(Reduce.Kind.MIN, z, 0));
        });
        for (long n : new long[] {204, 209})
            b.at(f32(60, n), f32(60, n + 8))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 0, 1) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 0, 2) : MutantInputs.ones(t));
        return b.build();
    }

    private static MutantCase split() {
        MutantCase.Builder b = builder("split-reduction", (g, in) -> {
            Node z = g.mul(in.get(0), in.get(1));
            return List.of(g.sum(z, 1), g.reduce(Reduce.Kind.MAX, z, 1));
        });
        for (int k = 0; k < 3; k++) {
            long n = k == 0 ? 64 * 400 : 64 * 401;
            MutantCase.Builder.Sized s = b.inTeams(k == 2 ? 128 : 0, f32(12, n), f32(12, n))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> MutantInputs.whole(t, i));
            for (int seed = 0; seed < 10; seed++) {
                int from = seed;
                s.exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, from) : MutantInputs.ones(t));
            }
        }
        return b.build();
    }

    private static MutantCase argmax() {
        MutantCase.Builder b =
                builder("argmax", (g, in) -> List.of(g.reduce(Reduce.Kind.ARGMAX, ragged(g, in.get(0)), 1)));
        long[][] sizes = {{60, 704}, {60, 703}, {60, 256}, {300, 12}};
        for (long[] s : sizes)
            b.at(f32(s))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i))
                    .exactly((t, i) -> RefArray.of(t, k -> k % 97 == 13 ? Double.NaN : k % 5));
        return b.build();
    }

    private static MutantCase scan() {
        MutantCase.Builder b = builder(
                "scan",
                (g, in) -> List.of(
                        g.apply(new Scan(Scan.Kind.SUM, 1, false), head(g, in.get(0))),
                        g.apply(new Scan(Scan.Kind.MAX, 0, true), head(g, in.get(0)))));
        for (long n : new long[] {136, 145})
            b.at(f32(37, n))
                    .exactly((t, i) -> MutantInputs.whole(t, i))
                    .exactly((t, i) -> MutantInputs.spikes(t, 1, i))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
        return b.build();
    }

    // ---- data-dependent places

    private static MutantCase gather() {
        MutantCase.Builder b = builder(
                "gather",
                (g, in) -> List.of(
                        g.apply(new Gather(1), in.get(0), head(g, in.get(1))),
                        g.apply(new Take(0), head(g, in.get(0)), in.get(2))));
        for (long n : new long[] {40, 41}) {
            MutantCase.Builder.Sized s = b.at(f32(40, n), Type.of(DType.I64, 40, n + 12), Type.of(DType.I64, 50));
            for (int place = -1; place < 6; place++) {
                for (int which = 1; which <= (place < 0 ? 1 : 2); which++) {
                    long bound = which == 1 ? n : 40;
                    for (long wrong : place < 0 ? new long[1] : new long[] {bound, -bound - 1, bound + 7}) {
                        int p = place;
                        int w = which;
                        s.exactly((t, i) -> i == 0
                                ? MutantInputs.uniform(t, p + 1)
                                : MutantInputs.indices(t, -40, 40, p + i, i == w ? p : -1, wrong));
                    }
                }
            }
            // Each index wrong alike: one of them is reported, whole.
            s.exactly((t, i) -> i == 1
                    ? RefArray.ofLongs(t, _ -> n + 3)
                    : i == 2 ? MutantInputs.indices(t, -40, 40, 1, -1, 0) : MutantInputs.uniform(t, 1));
            s.exactly((t, i) -> i == 2
                    ? RefArray.ofLongs(t, _ -> 49)
                    : i == 1 ? MutantInputs.indices(t, -40, 40, 1, -1, 0) : MutantInputs.uniform(t, 1));
            // The least and the greatest index that there is.
            s.exactly((t, i) -> i == 0
                    ? MutantInputs.uniform(t, 1)
                    : RefArray.ofLongs(t, k -> k % 3 == 0 ? -40 : k % 3 == 1 ? 39 : 0));
        }
        return b.build();
    }

    private static MutantCase scatter() {
        MutantCase.Builder b = builder(
                "scatter",
                (g, in) -> List.of(
                        g.apply(new Scatter(1, Put.Mode.ADD), in.get(0), in.get(1), in.get(2)),
                        g.apply(new Put(0, Put.Mode.SET), in.get(0), in.get(3), in.get(4))));
        for (long n : new long[] {16, 15}) {
            MutantCase.Builder.Sized s =
                    b.at(f32(15, n), Type.of(DType.I64, 15, 40), f32(15, 40), Type.of(DType.I64, 6), f32(6, n));
            for (int place = -1; place < 5; place++) {
                for (int which = 1; which <= (place < 0 ? 1 : 3); which += 2) {
                    long bound = which == 1 ? n : 15;
                    for (long wrong : place < 0 ? new long[1] : new long[] {bound, -bound - 1, bound + 7}) {
                        int p = place;
                        int w = which;
                        s.exactly((t, i) -> t.dtype() != DType.I64
                                ? MutantInputs.uniform(t, p + i + 1)
                                : MutantInputs.indices(t, -15, 15, p + i, i == w ? p : -1, wrong));
                    }
                }
            }
        }
        return b.build();
    }

    private static MutantCase philox() {
        return builder("philox", (g, in) -> List.of(g.apply(new RandomBits(Shape.of(517)), in.get(0), in.get(1))))
                .at(Type.scalar(DType.I64), Type.scalar(DType.I64))
                .exactly((t, i) -> RefArray.ofLongs(t, _ -> i == 0 ? 0x1234_5678_9abc_def1L : 0xffff_fffeL))
                .exactly((t, i) -> RefArray.ofLongs(t, _ -> i == 0 ? -7 : 1))
                .and()
                .build();
    }

    // ---- routines

    /** Many short rows in teams, and tiles that are merged in two rounds; the elements of a row are apart, and many are equal. */
    private static MutantCase sort(DType t) {
        MutantCase.Builder b = builder("sort-" + t, (g, in) -> g.emit(new Sort(1, false), in));
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
        return builder("top-k", (g, in) -> g.emit(new TopK(1, 21, true), in))
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
        return builder("max-pool", (g, in) -> g.emit(pool, in))
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
        return builder(template, (g, in) -> {
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
        return products("matmul-bf16-hopper")
                .on(Target.SM_90A)
                .at(Type.of(DType.BF16, 1, 136, 200), Type.of(DType.BF16, 1, 200, 264), Type.of(DType.BF16, 264))
                .on((t, i) -> MutantInputs.uniform(t, i), 6e-2)
                .exactly((t, i) -> MutantInputs.whole(t, i))
                .exactly((t, i) -> i == 2 ? MutantInputs.uniform(t, i) : MutantInputs.whole(t, i))
                .and()
                .build();
    }

    private static MutantCase conv() {
        Conv conv = new Conv(new long[] {2, 1}, new long[] {1, 2}, new long[] {1, 0}, new long[] {1, 2}, 1);
        MutantCase.Builder.Sized s = builder(
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

    private static MutantCase.Builder attention(String template, boolean causal) {
        return builder(template, (g, in) -> {
            Node scale = g.constant(in.get(0), 0.2);
            List<Node> operands = new ArrayList<>(List.of(in.get(0), in.get(1), in.get(2), in.get(3), scale));
            List<Node> results = new ArrayList<>(g.emit(new Attention(causal), operands));
            operands.addAll(results);
            operands.add(in.get(4));
            results.addAll(g.emit(new AttentionGrad(causal), operands));
            return results;
        });
    }

    /** Forward and all gradients, of several blocks of queries, keys and features. */
    private static MutantCase attention(boolean causal) {
        return attention(causal ? "attention-causal" : "attention", causal)
                .at(f32(2, 68, 72), f32(2, 132, 72), f32(2, 132, 20), f32(2, 68, 132), f32(2, 68, 20))
                .on((t, i) -> i == 3 ? hidden(t) : MutantInputs.uniform(t, i), 2e-5)
                .and()
                .at(f32(2, 70, 20), f32(2, 67, 20), f32(2, 67, 68), f32(2, 70, 67), f32(2, 70, 68))
                .on((t, i) -> MutantInputs.uniform(t, i), 2e-5)
                .and()
                .build();
    }

    /** As {@link #attention(boolean)}, of f16: weights are rounded to 16 bits before they are multiplied. */
    private static MutantCase attentionByTensorCores() {
        return attention("attention-f16", true)
                .at(f16(2, 68, 72), f16(2, 132, 72), f16(2, 132, 20), f16(2, 68, 132), f16(2, 68, 20))
                .on((x, i) -> i == 3 ? hidden(x) : MutantInputs.uniform(x, i), 6e-3)
                .and()
                .at(f16(2, 70, 20), f16(2, 67, 20), f16(2, 67, 68), f16(2, 70, 67), f16(2, 70, 68))
                .on((x, i) -> MutantInputs.uniform(x, i), 6e-3)
                .and()
                .build();
    }

    private static Type f16(long... shape) {
        return Type.of(DType.F16, shape);
    }

    /** A mask that hides some keys, and from one query all. */
    private static RefArray hidden(Type t) {
        int keys = Math.toIntExact(t.dim(2));
        return RefArray.of(
                t, i -> i / keys % 68 == 5 || i * 7L % 11 == 3 ? Double.NEGATIVE_INFINITY : (i % 13 - 6) * 0.1);
    }
}
