// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import static io.sinter.cli.conformance.LoopCases.columns;
import static io.sinter.cli.conformance.LoopCases.f32;
import static io.sinter.cli.conformance.LoopCases.head;
import static io.sinter.cli.conformance.LoopCases.ragged;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scan;
import io.sinter.ir.ref.RefArray;
import java.util.List;
import java.util.function.Supplier;

/** Reductions and scans, in teams of every size. */
final class ReductionCases {
    private ReductionCases() {}

    static List<Supplier<MutantCase>> all() {
        return List.of(
                ReductionCases::row,
                ReductionCases::rowWide,
                ReductionCases::rowScratch,
                ReductionCases::rowScratchWide,
                ReductionCases::column,
                ReductionCases::split,
                ReductionCases::argmax,
                ReductionCases::scan,
                ReductionCases::scanParts);
    }

    private static MutantCase row() {
        MutantCase.Builder b = new MutantCase.Builder("row", (g, in) -> {
            Node x = ragged(g, in.get(0));
            Node z = g.mul(x, head(g, in.get(1), x));
            return List.of(g.sum(z, 1), g.reduce(Reduce.Kind.MAX, z, 1), g.reduce(Reduce.Kind.MIN, z, 1));
        });
        // By warps rows take several steps of a thread at a time, one of which ends where the row does.
        long[][] sizes = {
            {60, 904, 32}, {60, 869, 32}, {60, 1304, 0}, {40, 1303, 0}, {60, 256, 0}, {60, 257, 128}, {300, 12, 0}
        };
        for (long[] s : sizes)
            b.inTeams((int) s[2], f32(s[0], s[1]), f32(s[0], s[1] + 8))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, 1) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, 2) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, 3) : MutantInputs.ones(t));
        b.twice(f32(9, 1304), f32(9, 1312)).on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
        return b.build();
    }

    /** Values of 64 bits and truths, which threads give each other in another way. */
    private static MutantCase rowWide() {
        MutantCase.Builder b = new MutantCase.Builder("row-wide", (g, in) -> {
            Node x = ragged(g, in.get(0));
            Node y = columns(g, in.get(1), g.type(x).dim(1));
            return List.of(
                    g.sum(x, 1),
                    g.reduce(Reduce.Kind.MIN, y, 1),
                    g.reduce(Reduce.Kind.MAX, g.binary(Binary.EQ, y, g.constant(y, 7)), 1));
        });
        long[][] sizes = {
            {20, 968, 32}, {20, 869, 32}, {60, 1304, 0}, {40, 1303, 0}, {60, 256, 0}, {60, 257, 128}, {60, 120, 0}
        };
        for (long[] n : sizes) {
            MutantCase.Builder.Sized s = b.inTeams(
                            (int) n[2], Type.of(DType.F64, n[0], n[1]), Type.of(DType.I64, n[0], n[1] + 8))
                    .exactly((t, i) -> i == 0 ? MutantInputs.whole(t, i) : MutantInputs.integers(t, i));
            for (int seed = 0; seed < 8; seed++) {
                int from = seed;
                s.exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, from) : MutantInputs.one(t, from));
            }
        }
        b.twice(Type.of(DType.F64, 9, 1304), Type.of(DType.I64, 9, 1312))
                .exactly((t, i) -> i == 0 ? MutantInputs.whole(t, i) : MutantInputs.integers(t, i));
        return b.build();
    }

    /** Softmax: rows that registers hold, and longer ones, whose exponentials stay in scratch memory, where other threads read them. */
    private static MutantCase rowScratch() {
        MutantCase.Builder b =
                new MutantCase.Builder("row-scratch", (g, in) -> softmax(g, shown(g, in.get(0)))).aligned();
        // Rows, the distance from one to the next, and threads of a team; 0: as the kernel has it.
        for (long[] n : new long[][] {{40, 1308, 0}, {40, 1028, 0}})
            softmaxes(b.inTeams((int) n[2], f32(n[0], n[1])), 1e-5);
        b.twice(f32(9, 1308)).on((t, i) -> MutantInputs.uniform(t, i), 1e-5);
        // Of three operands registers hold less: these go through memory, by vectors where all rows begin at multiples
        // of 16 bytes.
        b.computing((g, in) -> softmax(g, sumOf(g, in)), null);
        for (long[] n : new long[][] {{8, 6156, 0}, {8, 6157, 0}, {8, 6156, 32}, {8, 6160, 32}, {8, 6157, 32}})
            softmaxes(b.inTeams((int) n[2], f32(n[0], n[1]), f32(n[0], n[1] + 8), f32(n[0], n[1] + 16)), 1e-5);
        b.twice(f32(8, 6156), f32(8, 6164), f32(8, 6172)).on((t, i) -> MutantInputs.uniform(t, i), 1e-5);
        return b.build();
    }

    private static List<Node> softmax(GraphBuilder g, Node x) {
        Node e = g.exp(g.sub(x, g.reduceKeep(Reduce.Kind.MAX, x, 1)));
        return List.of(g.div(e, g.sumKeep(e, 1)));
    }

    /** The rows of an operand. */
    private static Node shown(GraphBuilder g, Node x) {
        return columns(g, x, softmaxOf(g.type(x).dim(1)));
    }

    private static Node sumOf(GraphBuilder g, List<Node> in) {
        Node x = shown(g, in.get(0));
        long n = g.type(x).dim(1);
        return g.mul(g.add(x, columns(g, in.get(1), n)), columns(g, in.get(2), n));
    }

    /** Elements of rows that are so far apart: a multiple of 8, or one less, which has the same code, as scratch memory is rounded up. */
    private static int softmaxOf(long distance) {
        int some = Math.toIntExact(distance);
        return some % 8 == 4 ? some - 4 : some % 8 == 0 ? some - 9 : (some & -8) - 1;
    }

    /** Rows whose results are near to the reference's, and such whose results are the same in whatever order they are added up. */
    private static void softmaxes(MutantCase.Builder.Sized s, double tolerance) {
        s.on((t, i) -> MutantInputs.uniform(t, i), tolerance);
        for (int seed = 0; seed < 4; seed++) {
            int from = seed;
            s.exactly((t, i) -> i == 0 ? MutantInputs.twoOfMany(t, from) : neutral(t, i));
            s.exactly((t, i) -> switch (i) {
                case 0 -> MutantInputs.dominated(t, softmaxOf(t.dim(1)), from);
                case 1 -> Sample.uniform(t, -0.5, 0.5, from);
                default -> Sample.uniform(t, 0.98, 1.02, from);
            });
        }
        s.exactly((t, i) -> i == 0 ? MutantInputs.halvesOfTwo(t) : neutral(t, i));
    }

    /** What changes nothing: zeros to add, ones to multiply. */
    private static RefArray neutral(Type t, int number) {
        return number == 1 ? RefArray.zeros(t) : MutantInputs.ones(t);
    }

    /** The same of 64 bits. */
    private static MutantCase rowScratchWide() {
        MutantCase.Builder b = new MutantCase.Builder("row-scratch-f64", (g, in) -> softmax(g, shown(g, in.get(0))));
        for (long[] n : new long[][] {
            {9, 404, 0}, {9, 405, 0}, {9, 404, 32}, {9, 406, 32}, {9, 405, 32}, {9, 404, 128}, {9, 404, 1}, {9, 405, 1}
        }) softmaxes(b.inTeams((int) n[2], Type.of(DType.F64, n[0], n[1])), 1e-13);
        b.twice(Type.of(DType.F64, 9, 404)).on((t, i) -> MutantInputs.uniform(t, i), 1e-13);
        return b.build();
    }

    private static MutantCase column() {
        MutantCase.Builder b = new MutantCase.Builder("column", (g, in) -> {
            Node x = head(g, in.get(0));
            Node z = g.mul(x, head(g, in.get(1), x));
            return List.of(g.sum(z, 0), g.reduce(Reduce.Kind.MAX, z, 0), g.reduce(Reduce.Kind.MIN, z, 0));
        });
        for (long n : new long[] {204, 208, 209})
            b.at(f32(60, n), f32(60, n + 8))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 0, 1) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 0, 2) : MutantInputs.ones(t));
        for (long n : new long[] {204, 209})
            b.inTeams(4, f32(19, n), f32(19, n + 8))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 0, 3) : MutantInputs.ones(t))
                    .exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 0, 4) : MutantInputs.ones(t));
        // Fewer rows than are taken at a time.
        for (long rows : new long[] {2, 3})
            b.at(f32(rows, 204), f32(rows, 212)).on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
        b.twice(f32(20, 204), f32(20, 212)).on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
        return b.build();
    }

    /** Sums of few long rows in parts; each of the kernels also on rows that are apart, by teams of several sizes. */
    private static MutantCase split() {
        MutantCase.Builder b = new MutantCase.Builder("split-reduction", (g, in) -> {
            Node z = g.mul(in.get(0), in.get(1));
            return List.of(g.sum(z, 1), g.reduce(Reduce.Kind.MAX, z, 1));
        });
        for (int k = 0; k < 3; k++) {
            long n = k == 0 ? 64 * 400 : 64 * 401;
            MutantCase.Builder.Sized s = b.inTeams(k == 2 ? 128 : 0, f32(12, n), f32(12, n))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0)
                    .exactly((t, i) -> MutantInputs.whole(t, i));
            for (int seed = 0; seed < 2; seed++) {
                int from = seed;
                s.exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, from) : MutantInputs.ones(t));
            }
        }
        b.running((g, in) -> {
            Node z = g.mul(ragged(g, in.get(0)), head(g, in.get(1), ragged(g, in.get(0))));
            return List.of(g.sum(z, 1), g.reduce(Reduce.Kind.MAX, z, 1));
        });
        for (long[] s : APART) {
            MutantCase.Builder.Sized rows = b.inTeams((int) s[2], f32(s[0], s[1]), f32(s[0], s[1] + 8))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
            for (int seed = 0; seed < 4; seed++) {
                int from = seed;
                rows.exactly((t, i) -> i == 0 ? MutantInputs.spikes(t, 1, from) : MutantInputs.ones(t));
            }
        }
        b.twice(f32(9, 1301), f32(9, 1312)).on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
        for (Reduce.Kind kind : List.of(Reduce.Kind.SUM, Reduce.Kind.MAX)) {
            b.running((g, in) -> List.of(g.reduce(kind, ragged(g, in.get(0)), 1)));
            for (long[] s : APART) {
                MutantCase.Builder.Sized rows = b.inTeams((int) s[2], f32(s[0], s[1]))
                        .on((t, i) -> MutantInputs.uniform(t, i), kind == Reduce.Kind.SUM ? 1e-4 : 0);
                for (int seed = 0; seed < 6; seed++) {
                    int from = seed;
                    rows.exactly((t, i) -> MutantInputs.spikes(t, 1, from));
                }
            }
            b.twice(f32(9, 1301)).on((t, i) -> MutantInputs.uniform(t, i), kind == Reduce.Kind.SUM ? 1e-4 : 0);
        }
        return b.build();
    }

    /** Rows, the distance from one to the next, and threads of a team: vectors with a remainder, and rows that are not aligned. */
    private static final long[][] APART = {
        {60, 904, 32}, {60, 869, 32}, {60, 1304, 0}, {60, 1303, 128}, {60, 257, 0}, {300, 12, 0}
    };

    private static MutantCase argmax() {
        MutantCase.Builder b = new MutantCase.Builder(
                "argmax", (g, in) -> List.of(g.reduce(Reduce.Kind.ARGMAX, ragged(g, in.get(0)), 1)));
        long[][] sizes = {{60, 704}, {60, 703}, {60, 256}, {300, 12}};
        for (long[] s : sizes)
            b.at(f32(s))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i))
                    .exactly((t, i) -> RefArray.of(t, k -> k % 97 == 13 ? Double.NaN : k % 5));
        for (long n : new long[] {904, 869})
            b.inTeams(32, f32(20, n))
                    .exactly((t, i) -> MutantInputs.uniform(t, i))
                    .exactly((t, i) -> MutantInputs.whole(t, i));
        b.inTeams(1, f32(60, 256)).exactly((t, i) -> MutantInputs.uniform(t, i));
        b.twice(f32(9, 704)).exactly((t, i) -> MutantInputs.uniform(t, i));
        return b.build();
    }

    private static MutantCase scan() {
        MutantCase.Builder b = new MutantCase.Builder(
                "scan",
                (g, in) -> List.of(
                        g.apply(new Scan(Scan.Kind.SUM, 1, false), head(g, in.get(0))),
                        g.apply(new Scan(Scan.Kind.MAX, 0, true), head(g, in.get(0)))));
        for (long n : new long[] {136, 145})
            b.at(f32(37, n))
                    .exactly((t, i) -> MutantInputs.whole(t, i))
                    .exactly((t, i) -> MutantInputs.spikes(t, 1, i))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-4, 0);
        b.twice(f32(37, 136)).exactly((t, i) -> MutantInputs.whole(t, i));
        b.running((g, in) -> List.of(g.apply(new Scan(Scan.Kind.MAX, 0, true), head(g, in.get(0)))))
                .inTeams(4, f32(37, 136))
                .exactly((t, i) -> MutantInputs.whole(t, i));
        // Whole tiles of a CTA, and what is left of a line.
        for (long[] n : new long[][] {{2704, 2700}, {2705, 2700}, {2708, 2703}}) {
            int columns = Math.toIntExact(n[1]);
            b.running((g, in) -> List.of(g.apply(new Scan(Scan.Kind.SUM, 1, false), columns(g, in.get(0), columns))))
                    .by(in -> List.of(ScanModel.sums(in.get(0), columns, 1)))
                    .at(f32(3, n[0]))
                    .on((t, i) -> MutantInputs.uniform(t, i), 1e-3)
                    .on((t, i) -> MutantInputs.uniform(t, 5), 1e-3)
                    .on((t, i) -> MutantInputs.uniform(t, 6), 1e-3);
        }
        return b.build();
    }

    /** Few long lines that CTAs share: with a part that is empty, with one that is cut off, rows that are not aligned; whole numbers of 16 bits wrap. */
    private static MutantCase scanParts() {
        MutantCase.Builder b = new MutantCase.Builder("scan-parts", (_, in) -> in);
        for (long[] n : new long[][] {{8204, 8200}, {10908, 10903}, {10905, 10900}}) {
            int columns = Math.toIntExact(n[1]);
            Type[] types = {f32(2, n[0]), Type.of(DType.I64, 2, n[0]), Type.of(DType.I16, 2, n[0])};
            b.computing(
                    (g, in) -> List.of(
                            g.apply(new Scan(Scan.Kind.SUM, 1, false), columns(g, in.get(0), columns)),
                            g.apply(new Scan(Scan.Kind.MAX, 1, true), columns(g, in.get(1), columns)),
                            g.apply(new Scan(Scan.Kind.SUM, 1, false), columns(g, in.get(2), columns))),
                    in -> List.of(
                            ScanModel.sums(in.get(0), columns, 4),
                            ScanModel.greatestBackwards(in.get(1), columns),
                            ScanModel.sums(in.get(2), columns)));
            MutantCase.Builder.Sized s = b.at(types);
            for (int seed = 0; seed < 6; seed++) {
                int from = seed;
                s.on(
                        (t, i) -> switch (i) {
                            case 0 -> MutantInputs.uniform(t, from);
                            case 1 -> from < 2 ? MutantInputs.falling(t, from) : MutantInputs.records(t, from);
                            default -> Sample.uniform(t, -32768, 32768, from);
                        },
                        1e-3,
                        0);
            }
        }
        b.running((g, in) -> List.of(
                        g.apply(new Scan(Scan.Kind.SUM, 1, false), head(g, in.get(0))),
                        g.apply(new Scan(Scan.Kind.MAX, 1, true), head(g, in.get(1))),
                        g.apply(new Scan(Scan.Kind.SUM, 1, false), head(g, in.get(2)))))
                .twice(f32(2, 8204), Type.of(DType.I64, 2, 8204), Type.of(DType.I16, 2, 8204))
                .exactly((t, i) -> i == 1 ? MutantInputs.falling(t, i) : MutantInputs.whole(t, i));
        return b.build();
    }
}
