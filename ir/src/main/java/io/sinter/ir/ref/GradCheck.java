// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.op.Op;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.Tape.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares gradients with central differences, in f64 on the reference evaluator. */
public final class GradCheck {
    private static final double STEP = 1e-5;
    private static final double TOLERANCE = 2e-6;

    private GradCheck() {}

    /** A function of values, written against a tape. */
    public interface Function {
        List<Var<RefArray>> apply(Tape<RefArray> tape, List<Var<RefArray>> inputs);
    }

    /** The function that applies one operator. */
    public static Function of(Op op) {
        return (tape, in) -> tape.emit(op, in);
    }

    /**
     * The function whose results are the gradients of {@code f}'s f64 results, weighted by fixed
     * random numbers, by its f64 operands.
     */
    public static Function gradientOf(Function f) {
        return (tape, in) -> {
            List<Var<RefArray>> out = floats(f.apply(tape, in));
            return tape.gradients(out, weights(tape, out), floats(in));
        };
    }

    /**
     * Checks the gradients of {@code f} at {@code inputs} by every element of every f64 operand.
     *
     * @return a description of the first mismatch, or empty
     */
    public static Optional<String> check(Function f, List<RefArray> inputs) {
        Tape<RefArray> tape = new Tape<>(new RefEmitter());
        List<Var<RefArray>> in = inputs.stream().map(tape::leaf).toList();
        List<Var<RefArray>> out = floats(f.apply(tape, in));
        List<Var<RefArray>> grads = tape.gradients(out, weights(tape, out), in);
        for (int k = 0; k < inputs.size(); k++) {
            if (!isF64(inputs.get(k))) continue;
            for (int i = 0; i < inputs.get(k).size(); i++) {
                double slope = (weighted(f, inputs, k, i, STEP) - weighted(f, inputs, k, i, -STEP)) / (2 * STEP);
                double got = grads.get(k).value().getDouble(i);
                if (!(Math.abs(got - slope) <= TOLERANCE * Math.max(1, Math.abs(slope)))) {
                    return Optional.of("gradient by operand "
                            + k
                            + ", element "
                            + i
                            + ": "
                            + got
                            + ", central difference "
                            + slope);
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isF64(RefArray a) {
        return a.dtype() == io.sinter.ir.DType.F64;
    }

    private static List<Var<RefArray>> floats(List<Var<RefArray>> values) {
        return values.stream().filter(v -> isF64(v.value())).toList();
    }

    private static List<Var<RefArray>> weights(Tape<RefArray> tape, List<Var<RefArray>> out) {
        List<Var<RefArray>> w = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) w.add(tape.leaf(Sample.uniform(tape.type(out.get(i)), 0.5, 1.5, 97 + i)));
        return w;
    }

    /** Σ weights · f with element i of operand k moved. */
    private static double weighted(Function f, List<RefArray> inputs, int k, int i, double by) {
        RefArray moved = RefArray.of(inputs.get(k).type(), inputs.get(k)::getDouble);
        moved.set(i, moved.getDouble(i) + by);
        List<RefArray> in = new ArrayList<>(inputs);
        in.set(k, moved);
        Tape<RefArray> tape = new Tape<>(new RefEmitter());
        List<Var<RefArray>> out =
                floats(f.apply(tape, in.stream().map(tape::leaf).toList()));
        List<Var<RefArray>> w = weights(tape, out);
        double sum = 0;
        for (int o = 0; o < out.size(); o++) {
            RefArray y = out.get(o).value();
            for (int e = 0; e < y.size(); e++)
                sum += y.getDouble(e) * w.get(o).value().getDouble(e);
        }
        return sum;
    }
}
