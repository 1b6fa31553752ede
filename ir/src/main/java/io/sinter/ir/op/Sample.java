// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * One application of an operator to concrete values, for tests of evaluators, generators and
 * gradients. {@link Op#samples} of any instance lists samples of its operator with various
 * attributes; {@code op} is the instance that is applied.
 *
 * @param op the operator with the sample's attributes
 * @param inputs the operands
 * @param smooth the function is differentiable around these operands (away from kinks and ties), so
 *     that central differences hold
 */
public record Sample(Op op, List<RefArray> inputs, boolean smooth) {
    public Sample {
        inputs = List.copyOf(inputs);
    }

    /** A sample for values and gradients. */
    public static Sample smooth(Op op, RefArray... inputs) {
        return new Sample(op, List.of(inputs), true);
    }

    /** A sample for values only: edge cases, kinks, integers. */
    public static Sample values(Op op, RefArray... inputs) {
        return new Sample(op, List.of(inputs), false);
    }

    /** Uniform values in [lo, hi) (integers: whole numbers in it), the same for the same seed. */
    public static RefArray uniform(Type type, double lo, double hi, long seed) {
        RandomGenerator r = RandomGeneratorFactory.of("SplittableRandom").create(seed);
        if (type.dtype().isFloat()) return RefArray.of(type, _ -> lo + (hi - lo) * r.nextDouble());
        return RefArray.ofLongs(type, _ -> (long) Math.floor(lo + (hi - lo) * r.nextDouble()));
    }

    /** The distinct values lo, lo+step, … in a shuffled order: no ties. */
    public static RefArray distinct(Type type, double lo, double step, long seed) {
        RandomGenerator r = RandomGeneratorFactory.of("SplittableRandom").create(seed);
        int n = Math.toIntExact(type.numel());
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = r.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return RefArray.of(type, i -> lo + step * order[i]);
    }

    @Override
    public String toString() {
        return op.name()
                + OpText.attributes(op)
                + inputs.stream().map(RefArray::type).toList();
    }
}
