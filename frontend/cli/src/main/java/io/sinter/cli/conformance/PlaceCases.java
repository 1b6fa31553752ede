// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import static io.sinter.cli.conformance.LoopCases.columns;
import static io.sinter.cli.conformance.LoopCases.f32;
import static io.sinter.cli.conformance.LoopCases.head;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/** Loop kernels that read or update elements at data-dependent places, of which some are wrong. */
final class PlaceCases {
    /** Places that updates by place are made at: how many is part of the code. */
    private static final long PLACES = 9;

    private PlaceCases() {}

    static List<Supplier<MutantCase>> all() {
        return List.of(
                PlaceCases::gather,
                PlaceCases::scatter,
                PlaceCases::atomics,
                () -> byPlace(placesCase("scatter-by-place")),
                PlaceCases::elementsByPlace,
                () -> byPlace(placesCase("scatter-by-place-whole").inForm("by place, whole slices")));
    }

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
    private static MutantCase byPlace(MutantCase.Builder b) {
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
}
