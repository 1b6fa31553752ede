// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether a program magnifies rounding, as the difference of two nearly equal sums does: told by running it with every value moved by a rounding
 * error or two, a simple form of stochastic arithmetic (Vignes 1993), here in a fixed pattern.
 */
public final class Conditioning {
    /** A difference of more times what rounding errors make is none of rounding. */
    private static final double MOST = 64;

    private Conditioning() {}

    /**
     * Whether rounding explains a difference.
     *
     * @param want the graph's outputs for the arguments
     * @param difference of the outputs
     */
    public static boolean explains(
            Graph graph, List<RefArray> arguments, List<RefArray> want, Closeness.Difference difference) {
        RefArray moved;
        try {
            moved = run(graph, arguments).get(difference.result());
        } catch (IndexError e) {
            return true;
        }
        Closeness.Difference noise = Closeness.worst(List.of(moved), List.of(want.get(difference.result())), 0);
        return noise != null && difference.error() <= MOST * noise.error();
    }

    private static List<RefArray> run(Graph graph, List<RefArray> arguments) {
        Map<Node, List<RefArray>> values = new IdentityHashMap<>();
        int number = 0;
        for (int i = 0; i < arguments.size(); i++)
            values.put(graph.inputs().get(i), List.of(moved(arguments.get(i), number++)));
        for (Node n : graph.nodes()) {
            List<RefArray> results = n.op().evaluate(RefEvaluator.operands(n, values));
            int seed = number++;
            // What only moves elements rounds nothing.
            boolean rounds = !(n.op() instanceof View || n.op() instanceof Concat || n.op() instanceof Project);
            if (rounds) {
                List<RefArray> all = new ArrayList<>();
                for (RefArray r : results) all.add(moved(r, seed));
                results = all;
            }
            values.put(n, results);
        }
        return graph.outputs().stream().map(n -> values.get(n).getFirst()).toList();
    }

    /** Half of the elements a little larger, half of them smaller, in no order that a sum would cancel. */
    private static RefArray moved(RefArray a, int seed) {
        double unit = unit(a.dtype());
        if (unit == 0) return a;
        return RefArray.of(a.type(), i -> {
            int hash = (i + 1) * 0x9e3779b9 ^ (seed + 1) * 0x85ebca6b;
            return a.getDouble(i) * (Integer.bitCount(hash) % 2 == 0 ? 1 + unit : 1 - unit);
        });
    }

    /** A rounding error or two, relative. */
    private static double unit(DType t) {
        return switch (t) {
            case F64 -> 0x1p-51;
            case F32 -> 0x1p-22;
            case F16 -> 0x1p-9;
            case BF16 -> 0x1p-6;
            case I64, I32, I16, I8, U8, BOOL -> 0;
        };
    }
}
