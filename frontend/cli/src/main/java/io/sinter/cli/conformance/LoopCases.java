// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Loop kernels: elementwise and with data-dependent places; {@link ReductionCases} has the others. */
final class LoopCases {
    /** Places that updates by place are made at: how many is part of the code. */
    private static final long PLACES = 9;

    private LoopCases() {}

    static List<MutantCase> all() {
        List<MutantCase> all = new ArrayList<>();
        all.add(elementwise());
        all.add(strided());
        all.add(functions());
        all.add(others(DType.F32));
        all.add(others(DType.F64));
        all.add(integers());
        all.add(narrow());
        all.add(predicated());
        all.add(segments());
        all.addAll(ReductionCases.all());
        all.add(gather());
        all.add(scatter());
        all.add(atomics());
        all.add(byPlace());
        all.add(elementsByPlace());
        all.add(philox());
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

    // ---- elementwise

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

    // ---- data-dependent places

    /** Indices of rows that are aligned and of such that are not, into as many elements: how many these are is part of the code. */
    private static MutantCase gather() {
        BiFunction<GraphBuilder, List<Node>, List<Node>> both = (g, in) -> List.of(
                g.apply(new Gather(1), columns(g, in.get(0), 40), head(g, in.get(1))),
                g.apply(new Take(0), head(g, in.get(3)), in.get(2)));
        MutantCase.Builder b = new MutantCase.Builder("gather", both);
        for (long n : new long[] {40, 41}) {
            Type[] types = {
                f32(40, n == 40 ? 40 : 44), Type.of(DType.I64, 40, n + 12), Type.of(DType.I64, 50), f32(40, n + 8)
            };
            // Threads with one step each, and with several, some of which they take at a time.
            for (int team : new int[] {0, 2}) {
                MutantCase.Builder.Sized s = b.inTeams(team, types);
                for (int place = -1; place < (team == 0 ? 6 : 24); place++) {
                    for (int which = 1; which <= (place < 0 ? 1 : 2); which++) {
                        for (long wrong : place < 0 ? new long[1] : new long[] {40, -41, 47}) {
                            int p = place;
                            int w = which;
                            s.exactly((t, i) -> t.dtype() != DType.I64
                                    ? MutantInputs.uniform(t, p + 1)
                                    : MutantInputs.indices(t, -40, 40, p + i, i == w ? p : -1, wrong));
                        }
                    }
                }
                // Each index wrong alike: one of them is reported, whole.
                for (int which = 1; which <= 2; which++) {
                    int w = which;
                    s.exactly((t, i) -> t.dtype() != DType.I64
                            ? MutantInputs.uniform(t, 1)
                            : i == w ? RefArray.ofLongs(t, _ -> 49) : MutantInputs.indices(t, -40, 40, 1, -1, 0));
                }
                // The least and the greatest index that there is.
                s.exactly((t, i) -> t.dtype() != DType.I64
                        ? MutantInputs.uniform(t, 1)
                        : RefArray.ofLongs(t, k -> k % 3 == 0 ? -40 : k % 3 == 1 ? 39 : 0));
            }
            b.twice(types)
                    .exactly((t, i) -> t.dtype() != DType.I64
                            ? MutantInputs.uniform(t, i)
                            : MutantInputs.indices(t, -40, 40, i, -1, 0));
        }
        // Each check by another number.
        b.running((g, in) -> both.apply(g, in).reversed());
        for (long n : new long[] {40, 41})
            b.at(f32(40, n == 40 ? 40 : 44), Type.of(DType.I64, 40, n + 12), Type.of(DType.I64, 50), f32(40, n + 8))
                    .exactly((t, i) -> t.dtype() != DType.I64
                            ? MutantInputs.uniform(t, i)
                            : MutantInputs.indices(t, -40, 40, i, i == 1 ? 2 : -1, 40))
                    .exactly((t, i) -> t.dtype() != DType.I64
                            ? MutantInputs.uniform(t, i)
                            : MutantInputs.indices(t, -40, 40, i, i == 1 ? 3 : -1, 40));
        return b.build();
    }

    private static MutantCase scatter() {
        MutantCase.Builder b = new MutantCase.Builder(
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
            for (int which = 1; which <= 3; which += 2) {
                int w = which;
                s.exactly((t, i) -> t.dtype() != DType.I64
                        ? MutantInputs.uniform(t, i + 1)
                        : i == w ? RefArray.ofLongs(t, _ -> 22) : MutantInputs.indices(t, -15, 15, i, -1, 0));
            }
            b.inTeams(1, f32(15, n), Type.of(DType.I64, 15, 40), f32(15, 40), Type.of(DType.I64, 6), f32(6, n))
                    .exactly((t, i) -> t.dtype() != DType.I64
                            ? MutantInputs.uniform(t, i + 1)
                            : MutantInputs.indices(t, -15, 15, i, -1, 0));
        }
        return b.build();
    }

    /**
     * Scatters whose updates may come in any order: instructions for one element and for two neighbours, sums and extremes, of floats and of whole numbers. Sums
     * are exact, so that all orders give the same.
     */
    private static MutantCase atomics() {
        BiFunction<GraphBuilder, List<Node>, List<Node>> updates = (g, in) -> List.of(
                g.apply(new Put(0, Put.Mode.ADD), in.get(0), in.get(3), in.get(4)),
                g.apply(new Scatter(1, Put.Mode.MAX), in.get(1), in.get(5), in.get(6)),
                g.apply(new Put(0, Put.Mode.ADD), in.get(2), in.get(3), in.get(7)));
        // In place: there is nothing to copy before.
        MutantCase.Builder b = new MutantCase.Builder("scatter-atomic", updates)
                .donating(true)
                .with(Numerics.DEFAULT.withDeterministic(false));
        for (long n : new long[] {16, 15, 18}) {
            MutantCase.Builder.Sized s = b.at(updated(n));
            for (int place = -1; place < 5; place++) {
                for (int which = 3; which <= (place < 0 ? 3 : 5); which += 2) {
                    long bound = which == 3 ? 15 : n;
                    for (long wrong : place < 0 ? new long[1] : new long[] {bound, -bound - 1, bound + 7}) {
                        int p = place;
                        int w = which;
                        s.exactly((t, i) -> isPlace(i)
                                ? MutantInputs.indices(t, -15, 15, p + i, i == w ? p : -1, wrong)
                                : update(t, p + i + 1));
                    }
                }
            }
            for (int which = 3; which <= 5; which += 2) {
                int w = which;
                s.exactly((t, i) -> !isPlace(i)
                        ? update(t, i + 1)
                        : i == w ? RefArray.ofLongs(t, _ -> 22) : MutantInputs.indices(t, -15, 15, i, -1, 0));
            }
        }
        b.running(updates).donating(false);
        for (long n : new long[] {16, 15, 18})
            b.twice(updated(n))
                    .exactly((t, i) -> isPlace(i) ? MutantInputs.indices(t, -15, 15, i, -1, 0) : update(t, i + 1));
        // Threads that copy several elements before, some of them at a time, and that find several wrong places.
        for (long n : new long[] {76, 75, 79, 77}) {
            MutantCase.Builder.Sized s = b.inTeams(4, updated(n));
            for (int place = -1; place < (n < 77 ? 8 : 0); place++) {
                for (long wrong : place < 0 ? new long[1] : new long[] {15, -16}) {
                    int p = place;
                    s.exactly((t, i) -> isPlace(i)
                            ? MutantInputs.indices(t, -15, 15, i, i == 3 ? p : -1, wrong)
                            : update(t, i + 1));
                }
            }
        }
        return b.build();
    }

    private static Type[] updated(long n) {
        return new Type[] {
            f32(15, n),
            Type.of(DType.I64, 15, n),
            Type.of(DType.F16, 15, n),
            Type.of(DType.I64, 40),
            f32(40, n),
            Type.of(DType.I64, 15, 40),
            Type.of(DType.I64, 15, 40),
            Type.of(DType.F16, 40, n)
        };
    }

    private static boolean isPlace(int argument) {
        return argument == 3 || argument == 5;
    }

    private static RefArray update(Type t, long seed) {
        return t.dtype() == DType.I64 ? MutantInputs.integers(t, seed) : MutantInputs.whole(t, seed);
    }

    /**
     * Slices that a warp updates place by place: of so few tasks that each has up to 64 elements, and of so many that each has up to 1024, which take
     * several steps at a time; of slices of one part and of several.
     */
    private static MutantCase byPlace() {
        MutantCase.Builder b = placesCase("scatter-by-place");
        for (long n : new long[] {16, 70}) updates(b, 150, f32(2, PLACES, n), f32(2, 150, n));
        for (long n : new long[] {524, 523, 1164, 1163}) updates(b, 33, f32(16, PLACES, n), f32(16, 33, n));
        lateUpdates(b, f32(2, PLACES, 16), f32(2, 270, 16));
        lateUpdates(b, f32(2, PLACES, 70), f32(2, 270, 70));
        twice(b, f32(2, PLACES, 16), f32(2, 40, 16));
        twice(b, f32(2, PLACES, 70), f32(2, 40, 70));
        return b.build();
    }

    /** The same of single elements. */
    private static MutantCase elementsByPlace() {
        MutantCase.Builder b = placesCase("scatter-by-place-elements");
        for (long n : new long[] {150, 257, 32}) updates(b, n, f32(3, PLACES), f32(3, n));
        lateUpdates(b, f32(3, PLACES), f32(3, 270));
        twice(b, f32(3, PLACES), f32(3, 40));
        return b.build();
    }

    /** What is updated is copied before, by a kernel of another template. */
    private static MutantCase.Builder placesCase(String template) {
        return new MutantCase.Builder(
                        template,
                        (g, in) -> List.of(g.apply(new Put(1, Put.Mode.ADD), in.get(0), in.get(1), in.get(2))))
                .inKernels("put");
    }

    private static void twice(MutantCase.Builder b, Type to, Type from) {
        b.twice(to, Type.of(DType.I64, from.dim(1)), from)
                .exactly((t, i) -> i == 1 ? places(t, 1) : MutantInputs.uniform(t, i));
    }

    /** Places that are met once, often, in any order, by one warp's lanes and by several's; all the same; wrong ones, of which the first is reported. */
    private static void updates(MutantCase.Builder b, long n, Type to, Type from) {
        MutantCase.Builder.Sized s = b.at(to, Type.of(DType.I64, n), from);
        for (int seed = 0; seed < 3; seed++) {
            int k = seed;
            s.exactly((t, i) -> i == 1 ? places(t, k) : MutantInputs.uniform(t, 3 * k + i));
        }
        s.exactly((t, i) -> i == 1 ? RefArray.ofLongs(t, _ -> PLACES - 1) : MutantInputs.uniform(t, i));
        // Each place in one of those stretches alone that a warp's lanes look at together; at the first of one, at the
        // last.
        for (long first : new long[] {0, 6, 7, 8})
            s.exactly((t, i) ->
                    i == 1 ? RefArray.ofLongs(t, k -> (k / 32 + first) % PLACES) : MutantInputs.uniform(t, i));
        for (int at : new int[] {0, 31}) {
            s.exactly((t, i) -> i == 1
                    ? RefArray.ofLongs(t, k -> k % 32 == at ? 1 + k / 32 % (PLACES - 1) : 0)
                    : MutantInputs.uniform(t, i));
        }
        s.exactly((t, i) -> i == 1
                ? RefArray.ofLongs(t, k -> k == 0 ? 0 : k < n - 3 ? 2 : k % PLACES)
                : MutantInputs.uniform(t, i));
        for (long at : new long[] {0, 1, 5, 31, 32, 36, 63, 64, 100, 127, 128, 133, 149}) {
            if (at >= n) continue;
            for (long wrong : new long[] {PLACES, -PLACES - 1, PLACES + 7})
                s.exactly((t, i) ->
                        i == 1 ? RefArray.ofLongs(t, k -> k == at ? wrong : place(k, at)) : MutantInputs.uniform(t, i));
            // More than one: the first of them.
            s.exactly((t, i) -> i == 1
                    ? RefArray.ofLongs(t, k -> k >= at && (k - at) % 29 < 2 ? PLACES + k : place(k, at))
                    : MutantInputs.uniform(t, i));
        }
    }

    /**
     * Wrong places, one of a stretch or all, and another one behind them: the first is reported by warps that look for updates behind all of them. Those before
     * are one place's, whose one warp is slow, and all others of these have nothing to do.
     */
    private static void lateUpdates(MutantCase.Builder b, Type to, Type from) {
        MutantCase.Builder.Sized s = b.at(to, Type.of(DType.I64, from.dim(1)), from);
        for (int first : new int[] {128, 160, 192, 224}) {
            for (long wrong : new long[] {PLACES, -PLACES - 1}) {
                for (int count : new int[] {1, 32})
                    s.exactly((t, i) -> i == 1
                            ? RefArray.ofLongs(
                                    t,
                                    k -> first <= k && k < first + count
                                            ? wrong
                                            : k == 262 ? PLACES + 5 : k < 256 ? 2 : 3)
                            : MutantInputs.uniform(t, i));
            }
        }
    }

    private static RefArray places(Type t, long seed) {
        return RefArray.ofLongs(t, k -> place(k, seed));
    }

    private static long place(long number, long seed) {
        return (number * number + seed * number + number / 7) % (2 * PLACES) - PLACES;
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
