// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * A part of a case's inputs, and the parts of its outputs that follow from it alone: rows of a matrix and the same rows of its product. The plain
 * evaluation of a whole case would take minutes; that of some parts of it, at the case's own shapes, takes a second.
 *
 * @param inputs what to take of each input
 * @param cotangent what to take of the cotangent; null where there is none
 * @param outputs what to compare of each output (the result, then the gradients of the inputs that have one); null: nothing
 */
record Part(List<UnaryOperator<Tensor>> inputs, UnaryOperator<Tensor> cotangent, List<UnaryOperator<Tensor>> outputs) {

    /** Instead of an axis: all of the tensor. */
    static final int WHOLE = -1;
    /** Instead of an output's axis: the part does not determine it. */
    static final int NONE = -2;

    /** The parts of given inputs. */
    @FunctionalInterface
    interface Choice {
        List<Part> of(Tensor[] inputs);

        /** These parts, then others. */
        default Choice and(Choice more) {
            return in -> {
                List<Part> all = new ArrayList<>(of(in));
                all.addAll(more.of(in));
                return all;
            };
        }
    }

    private static int[] wholes(int n) {
        int[] r = new int[n];
        Arrays.fill(r, WHOLE);
        return r;
    }

    /** One part, everything, for {@code outputs} outputs. */
    static Choice whole(int outputs) {
        return in -> List.of(new Part(cuts(wholes(in.length), 0, 0), t -> t, cuts(wholes(outputs), 0, 0)));
    }

    /**
     * The first, the last and a middle range of {@code n} along an axis of each tensor.
     *
     * @param in for each input the axis, or {@link #WHOLE}
     * @param out for each output the axis, {@link #WHOLE} or {@link #NONE}
     */
    static Choice along(long n, int[] in, int... out) {
        return alongWithGradients(n, in, WHOLE, out);
    }

    /** As {@link #along}; {@code dy} is the cotangent's axis. */
    static Choice alongWithGradients(long n, int[] in, int dy, int... out) {
        return inputs -> {
            List<Part> parts = new ArrayList<>();
            for (long from : starts(n, inputs, in)) {
                parts.add(new Part(
                        cuts(in, from, n), cuts(new int[] {dy}, from, n).getFirst(), cuts(out, from, n)));
            }
            return parts;
        };
    }

    private static TreeSet<Long> starts(long n, Tensor[] inputs, int[] axes) {
        for (int i = 0; i < axes.length; i++) {
            if (axes[i] < 0) continue;
            long last = inputs[i].size(axes[i]) - n;
            return new TreeSet<>(List.of(0L, last * 5 / 9, last));
        }
        throw new IllegalArgumentException("no input is cut");
    }

    private static List<UnaryOperator<Tensor>> cuts(int[] axes, long from, long n) {
        List<UnaryOperator<Tensor>> cuts = new ArrayList<>();
        for (int axis : axes) {
            if (axis == NONE) cuts.add(null);
            else if (axis == WHOLE) cuts.add(t -> t);
            else cuts.add(t -> t.narrow(axis, from, n));
        }
        return cuts;
    }
}
