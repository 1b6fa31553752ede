// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Attention, forward and all gradients, of several blocks of queries, keys and features. */
final class AttentionCases {
    private static final double HIDDEN = Double.NEGATIVE_INFINITY;
    /** Of results that a list of arguments makes nothing known of. */
    private static final double ANY = Double.POSITIVE_INFINITY;

    /** Odd, and the last that f32 has at its distance: one more lies in the middle between two numbers. */
    private static final double LARGE = 0x1p24 + 2;

    private AttentionCases() {}

    static List<MutantCase> all() {
        return List.of(
                attention("attention", DType.F32, false, 2e-5),
                attention("attention-causal", DType.F32, true, 2e-5),
                attention("attention-f16", DType.F16, true, 6e-3));
    }

    /** Of types of 16 bits, weights are rounded to these before they are multiplied. */
    private static MutantCase attention(String template, DType t, boolean causal, double tolerance) {
        MutantCase.Builder b = new MutantCase.Builder(template, (g, in) -> {
            Node scale = g.constant(in.get(0), 0.2);
            List<Node> operands = new ArrayList<>(List.of(in.get(0), in.get(1), in.get(2), in.get(3), scale));
            List<Node> results = new ArrayList<>(g.emit(new Attention(causal), operands));
            operands.addAll(results);
            operands.add(in.get(4));
            results.addAll(g.emit(new AttentionGrad(causal), operands));
            return results;
        });
        MutantCase.Builder.Sized few = b.at(
                        Type.of(t, 2, 70, 20),
                        Type.of(t, 2, 67, 20),
                        Type.of(t, 2, 67, 68),
                        Type.of(t, 2, 70, 67),
                        Type.of(t, 2, 70, 68))
                .on((x, i) -> MutantInputs.uniform(x, i), tolerance);
        MutantCase.Builder.Sized more = b.at(
                        Type.of(t, 1, 68, 72),
                        Type.of(t, 1, 132, 72),
                        Type.of(t, 1, 132, 20),
                        Type.of(t, 1, 68, 132),
                        Type.of(t, 1, 68, 20))
                .on((x, i) -> i == 3 ? hidden(x) : MutantInputs.uniform(x, i), tolerance);
        if (t != DType.F32) return b.build();
        rounded(few, causal, tolerance, 0);
        rounded(more, causal, tolerance, 1);
        return b.build();
    }

    /** A mask that hides some keys, and from one query all. */
    private static RefArray hidden(Type t) {
        int keys = Math.toIntExact(t.dim(2));
        return RefArray.of(t, i -> i / keys % 68 == 5 || i * 7L % 11 == 3 ? HIDDEN : (i % 13 - 6) * 0.1);
    }

    /** Arguments with which one addition of each sum is rounded, in the middle between two floats, in one of the products after the other. */
    private static void rounded(MutantCase.Builder.Sized s, boolean causal, double tolerance, long seed) {
        // Scores: all alike but for that, so large that the last place counts.
        s.on(
                (t, i) -> switch (i) {
                    case 0 -> MutantInputs.pairs(t, seed);
                    case 1 -> alternating(t);
                    case 3 -> RefArray.zeros(t);
                    default -> MutantInputs.uniform(t, i);
                },
                tolerance,
                tolerance,
                ANY);
        // Results: two keys of equal weight for each query, one of a large value and one of a small.
        s.on(
                (t, i) -> switch (i) {
                    case 0 -> RefArray.zeros(t);
                    case 2 -> largeAndSmall(t, seed, false);
                    case 3 -> twoKeys(t, causal, seed);
                    default -> MutantInputs.uniform(t, i);
                },
                0,
                tolerance,
                ANY);
        // Gradients of values: one key for each query, of which two have the same.
        s.on(
                (t, i) -> switch (i) {
                    case 0 -> RefArray.zeros(t);
                    case 3 -> sharedKeys(t, causal, seed);
                    case 4 -> largeAndSmall(t, seed, true);
                    default -> MutantInputs.uniform(t, i);
                },
                0,
                tolerance,
                ANY,
                ANY,
                0);
        // Gradients of weights: as many keys as a power of two, whose values are alike.
        s.on(
                (t, i) -> switch (i) {
                    case 0 -> RefArray.zeros(t);
                    case 2 -> alternating(t);
                    case 3 -> powerOfTwo(t, causal, seed);
                    case 4 -> MutantInputs.pairs(t, seed);
                    default -> MutantInputs.uniform(t, i);
                },
                tolerance,
                tolerance,
                tolerance,
                tolerance,
                ANY);
    }

    /** 2 in even columns, 1 in odd ones. */
    private static RefArray alternating(Type t) {
        int n = Math.toIntExact(t.dim(2));
        return RefArray.of(t, i -> i % n % 2 == 0 ? 2 : 1);
    }

    /** Whether key {@code j} has the large values, or, in pairs of queries, query {@code j}. */
    private static boolean isLarge(int j, long seed) {
        return new Random(31 * seed + j).nextInt(8) < 4;
    }

    /** Rows of a large number and rows of 1, of either sign by column: of keys by themselves, of queries the earlier of each pair. */
    private static RefArray largeAndSmall(Type t, long seed, boolean queries) {
        int rows = Math.toIntExact(t.dim(1));
        int n = Math.toIntExact(t.dim(2));
        int[] partner = partners(rows, seed);
        return RefArray.of(t, i -> {
            int row = i / n % rows;
            boolean large = queries ? row <= partner[row] : isLarge(row, seed);
            return (i % n / 3 % 2 == 0 ? 1 : -1) * (large ? LARGE : 1);
        });
    }

    /** Pairs of queries; the last one of an odd number is with itself. */
    private static int[] partners(int queries, long seed) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < queries; i++) all.add(i);
        Collections.shuffle(all, new Random(seed));
        int[] partner = new int[queries];
        for (int i = 0; i < queries; i++) partner[all.get(i)] = all.get(Math.min(i ^ 1, queries - 1));
        return partner;
    }

    /** A mask that shows of the keys that a query may see one with large values and one with small ones, or else one. */
    private static RefArray twoKeys(Type t, boolean causal, long seed) {
        return mask(t, (i, seen) -> {
            Random r = new Random(seed * 1000 + i);
            List<Integer> large = new ArrayList<>();
            List<Integer> small = new ArrayList<>();
            for (int j = 0; j < (causal ? Math.min(i + 1, seen.length) : seen.length); j++)
                (isLarge(j, seed) ? large : small).add(j);
            if (!large.isEmpty()) seen[large.get(r.nextInt(large.size()))] = true;
            if (!small.isEmpty()) seen[small.get(r.nextInt(small.size()))] = true;
        });
    }

    /** A mask that shows each pair of queries a key of its own, while there are some. */
    private static RefArray sharedKeys(Type t, boolean causal, long seed) {
        int[] partner = partners(Math.toIntExact(t.dim(1)), seed);
        return mask(t, (i, seen) -> {
            int first = Math.min(i, partner[i]);
            if (first < seen.length) seen[causal ? first : seen.length - 1 - first] = true;
        });
    }

    /** A mask that shows as many keys as the greatest power of two of those that a query may see. */
    private static RefArray powerOfTwo(Type t, boolean causal, long seed) {
        return mask(t, (i, seen) -> {
            int may = causal ? Math.min(i + 1, seen.length) : seen.length;
            List<Integer> all = new ArrayList<>();
            for (int j = 0; j < may; j++) all.add(j);
            Collections.shuffle(all, new Random(seed * 1000 + i));
            for (int j : all.subList(0, Integer.highestOneBit(may))) seen[j] = true;
        });
    }

    private interface Showing {
        void show(int query, boolean[] seen);
    }

    private static RefArray mask(Type t, Showing showing) {
        int queries = Math.toIntExact(t.dim(1));
        int keys = Math.toIntExact(t.dim(2));
        RefArray mask = RefArray.of(t, _ -> HIDDEN);
        for (int row = 0; row < t.dim(0) * queries; row++) {
            boolean[] seen = new boolean[keys];
            showing.show(row % queries, seen);
            for (int j = 0; j < keys; j++) if (seen[j]) mask.set(row * keys + j, 0);
        }
        return mask;
    }
}
