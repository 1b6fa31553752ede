// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/** Loop kernels: elementwise ones; {@link ReductionCases} has those that add up, {@link PlaceCases} those with data-dependent places. */
final class LoopCases {
    private LoopCases() {}

    static List<Supplier<MutantCase>> all() {
        List<Supplier<MutantCase>> all = new ArrayList<>();
        all.add(LoopCases::elementwise);
        all.add(LoopCases::strided);
        all.add(LoopCases::functions);
        all.add(() -> others(DType.F32));
        all.add(() -> others(DType.F64));
        all.add(LoopCases::integers);
        all.add(LoopCases::narrow);
        all.add(LoopCases::predicated);
        all.add(LoopCases::segments);
        all.addAll(ReductionCases.all());
        all.addAll(PlaceCases.all());
        all.add(LoopCases::philox);
        return all;
    }

    static Type f32(long... shape) {
        return Type.of(DType.F32, shape);
    }

    /** All but the last elements of each row: as many as leave a multiple of 4. */
    static Node head(GraphBuilder g, Node x) {
        return columns(g, x, g.type(x).dim(1) - 4 & -4);
    }

    /** As many elements of each row of {@code y} as {@code like} has. */
    static Node head(GraphBuilder g, Node y, Node like) {
        return columns(g, y, g.type(like).dim(1));
    }

    static Node columns(GraphBuilder g, Node x, long n) {
        return g.slice(x, 1, 0, n, 1);
    }

    /** All but the last 5 elements of each row. */
    static Node ragged(GraphBuilder g, Node x) {
        return columns(g, x, g.type(x).dim(1) - 5);
    }

    private static List<Node> arithmetic(GraphBuilder g, Node x, Node y) {
        Node z = g.add(g.mul(x, y), 0.3);
        Node w = g.div(z, g.add(g.mul(y, y), 0.7));
        return List.of(g.where(g.binary(Binary.LT, x, y), w, g.sub(z, x)), g.sqrt(g.mul(x, x)));
    }

    /** One piece of memory: wide accesses and their remainder. */
    private static MutantCase elementwise() {
        MutantCase.Builder b = new MutantCase.Builder("elementwise", (g, in) -> arithmetic(g, in.get(0), in.get(1)));
        for (long n : new long[] {1031, 1030, 2049})
            b.at(f32(n), f32(n))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        MutantCase.Builder.Sized few = b.at(f32(3), f32(3));
        for (int seed = 0; seed < 24; seed += 2) {
            int s = seed;
            few.exactly((t, i) -> MutantInputs.uniform(t, s + i)).exactly((t, i) -> MutantInputs.whole(t, s + i));
        }
        b.twice(f32(1031), f32(1031)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    /** Rows at any distance: 16 bytes at a time where it allows that, else element by element. */
    private static MutantCase strided() {
        MutantCase.Builder b = new MutantCase.Builder("elementwise-strided", (g, in) -> {
            Node x = head(g, in.get(0));
            return arithmetic(g, x, head(g, in.get(1), x));
        });
        for (long n : new long[] {204, 208, 209, 206})
            b.at(f32(9, n), f32(9, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        // Threads with several steps, which take some of them at a time, and those that are left one by one: of the
        // first and the last of these, some steps end where a row does.
        for (long n : new long[] {228, 208, 209, 221})
            b.inTeams(8, f32(9, n), f32(9, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        b.twice(f32(9, 204), f32(9, 212)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    private static MutantCase functions() {
        MutantCase.Builder b = new MutantCase.Builder("elementwise-functions", (g, in) -> {
            Node x = head(g, in.get(0));
            return List.of(g.unary(Unary.TANH, x), g.exp(x), g.log(g.mul(x, x)), g.unary(Unary.FLOOR, g.mul(x, 3)));
        });
        for (long n : new long[] {204, 208, 209}) {
            MutantCase.Builder.Sized s = b.at(f32(40, n))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.edges(t))
                    .exactly((t, i) -> Sample.uniform(t, -110, 110, 3));
            // Beside whole numbers: three times them is rounded to a whole number, or to one less.
            s.exactly((t, i) -> RefArray.of(t, k -> Math.nextAfter((float) (k % 120 - 60), k % 2 == 0 ? -1e9 : 1e9)));
            for (double range : new double[] {0.1, 0.5, 1, 8, 30, 60})
                s.exactly((t, i) -> Sample.uniform(t, -range, range, 4));
        }
        for (long n : new long[] {228, 221})
            b.inTeams(8, f32(9, n))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.edges(t));
        b.twice(f32(9, 204)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    /** What is taken apart at a quarter of a turn, near 0, where a result becomes another one, and by digits of 2/π where arguments are large. */
    private static MutantCase others(DType dtype) {
        MutantCase.Builder b = new MutantCase.Builder("functions-others-" + dtype, (g, in) -> {
            Node x = head(g, in.get(0));
            // Those of f64 are computed in f64 for f32, too, in more places than a result of f32 shows.
            return dtype == DType.F64
                    ? List.of(
                            g.unary(Unary.SIN, x),
                            g.unary(Unary.ATAN, x),
                            g.binary(Binary.POW, x, head(g, in.get(1), x)))
                    : List.of(
                            g.unary(Unary.ERF, x),
                            g.unary(Unary.EXPM1, x),
                            g.unary(Unary.LOG1P, head(g, in.get(1), x)));
        });
        for (long n : new long[] {204, 209}) {
            MutantCase.Builder.Sized s = b.at(Type.of(dtype, 30, n), Type.of(dtype, 30, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> i == 0 ? MutantInputs.edges(t) : MutantInputs.whole(t, i))
                    .exactly((t, i) -> i == 0 ? MutantInputs.uniform(t, i) : MutantInputs.edges(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.edges(t) : RefArray.of(t, k -> (k / 7 % 9 - 4) * 0.5));
            for (double range : new double[] {0.01, 0.3, 1, 6, 40, 1e4, 1e9, 1e30})
                s.exactly((t, i) -> i == 0 ? Sample.uniform(t, -range, range, 4) : MutantInputs.uniform(t, 7));
            for (double range : new double[] {1, 30, 1e3})
                s.exactly((t, i) -> i == 0 ? Sample.uniform(t, 0, 9, 5) : Sample.uniform(t, -range, range, 4));
            for (int seed = 0; seed < 4; seed++) {
                int from = seed;
                s.exactly((t, i) -> i == 0 ? MutantInputs.ofAllSizes(t, from) : MutantInputs.uniform(t, from));
            }
        }
        b.twice(Type.of(dtype, 9, 204), Type.of(dtype, 9, 212)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    private static MutantCase integers() {
        MutantCase.Builder b = new MutantCase.Builder("elementwise-integers", (g, in) -> {
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
        for (long n : new long[] {228, 221})
            b.inTeams(8, Type.of(DType.I64, 9, n), Type.of(DType.I64, 9, n + 8), f32(9, n + 16))
                    .exactly((t, i) -> i == 2 ? Sample.uniform(t, -900, 900, 1) : MutantInputs.integers(t, i));
        b.twice(Type.of(DType.I64, 9, 204), Type.of(DType.I64, 9, 212), f32(9, 220))
                .exactly((t, i) -> i == 2 ? Sample.uniform(t, -900, 900, 1) : MutantInputs.integers(t, i));
        return b.build();
    }

    private static MutantCase narrow() {
        MutantCase.Builder b = new MutantCase.Builder("elementwise-narrow", (g, in) -> {
            Node x = g.cast(head(g, in.get(0)), DType.F32);
            Node y = g.cast(head(g, in.get(1), x), DType.F32);
            Node z = g.mul(g.mul(x, y), 0.3);
            return List.of(g.cast(z, DType.F16), g.cast(z, DType.BF16), g.cast(z, DType.F64));
        });
        for (long n : new long[] {204, 208, 209})
            b.at(Type.of(DType.F16, 30, n), Type.of(DType.BF16, 30, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i));
        for (long n : new long[] {228, 221})
            b.inTeams(8, Type.of(DType.F16, 30, n), Type.of(DType.BF16, 30, n + 8))
                    .exactly((t, i) -> MutantInputs.uniform(t, i));
        b.twice(Type.of(DType.F16, 9, 204), Type.of(DType.BF16, 9, 212)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    /** Masked loads at both edges, which lie everywhere in a vector of elements, and a transposed operand. */
    private static MutantCase predicated() {
        MutantCase.Builder b = new MutantCase.Builder("elementwise-predicated", padded(2, 3));
        long[][] sizes = {{35, 2, 3}, {34, 2, 3}, {33, 2, 5}, {32, 2, 3}, {33, 3, 4}, {31, 4, 5}, {41, 5, 6}, {34, 3, 3}
        };
        for (long[] s : sizes) {
            if (s != sizes[0]) b.running(padded(s[1], s[2]));
            b.at(f32(22, s[0]), f32(s[0] + s[1] + s[2] + 4, 25))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.uniform(t, 7 + i));
        }
        b.running(padded(2, 3)).inTeams(2, f32(22, 35), f32(44, 25)).exactly((t, i) -> MutantInputs.uniform(t, i));
        b.twice(f32(22, 35), f32(44, 25)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    private static BiFunction<GraphBuilder, List<Node>, List<Node>> padded(long before, long after) {
        return (g, in) -> {
            Node x = in.get(0);
            Node y = in.get(1);
            Node p = g.padAxis(g.padAxis(x, 1, before, after), 0, 1, 2);
            Node s = g.slice(g.transpose(y, 0, 1), 1, 1, g.type(p).dim(1), 1);
            return List.of(g.add(p, s));
        };
    }

    /** Parameters of an optimizer's step: several blocks in one launch. */
    private static MutantCase segments() {
        return new MutantCase.Builder(
                        "segments",
                        (g, in) -> List.of(
                                g.sub(in.get(0), g.mul(in.get(3), 0.1)),
                                g.sub(in.get(1), g.mul(in.get(4), 0.1)),
                                g.sub(in.get(2), g.mul(in.get(5), 0.1))))
                .donating(true)
                .at(f32(1031), f32(1031), f32(1031), f32(1031), f32(1031), f32(1031))
                .exactly((t, i) -> MutantInputs.uniform(t, i))
                .and()
                .at(f32(7), f32(7), f32(6), f32(7), f32(7), f32(6))
                .exactly((t, i) -> MutantInputs.uniform(t, i))
                .exactly((t, i) -> MutantInputs.uniform(t, i + 6))
                .exactly((t, i) -> MutantInputs.uniform(t, i + 12))
                .and()
                .donating(false)
                .at(f32(1031), f32(1031), f32(1031), f32(1031), f32(1031), f32(1031))
                .exactly((t, i) -> MutantInputs.uniform(t, i))
                .and()
                .inTeams(8, f32(131), f32(131), f32(131), f32(131), f32(131), f32(131))
                .exactly((t, i) -> MutantInputs.uniform(t, i))
                .exactly((t, i) -> MutantInputs.uniform(t, i + 6))
                .and()
                .build();
    }

    private static MutantCase philox() {
        return new MutantCase.Builder(
                        "philox", (g, in) -> List.of(g.apply(new RandomBits(Shape.of(517)), in.get(0), in.get(1))))
                .at(Type.scalar(DType.I64), Type.scalar(DType.I64))
                .exactly((t, i) -> RefArray.ofLongs(t, _ -> i == 0 ? 0x1234_5678_9abc_def1L : 0xffff_fffeL))
                .exactly((t, i) -> RefArray.ofLongs(t, _ -> i == 0 ? -7 : 1))
                .and()
                .twice(Type.scalar(DType.I64), Type.scalar(DType.I64))
                .exactly((t, i) -> RefArray.ofLongs(t, _ -> i == 0 ? 99 : 0x1_0000_0000L))
                .and()
                .build();
    }
}
