// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * An operator with its attributes. One declaration holds everything that is known about it: name, type rule with the error text,
 * gradient, reference evaluation, decomposition or scalar expression, and sample inputs.
 *
 * <p>Operands of one operator have explicit shapes and dtypes: nothing broadcasts or promotes below the frontend; {@link Emitter}'s
 * helpers insert the {@link Expand} and {@link Cast} nodes.
 */
public sealed interface Op
        permits Leaf, Elementwise, View, Concat, Reduce, BlockReduce, Scan, Indexed, Routine, Loop, Composite, Project {
    /** The operator's name in the text form, unique over all operators, lower case. */
    String name();

    /** Writes the attributes in a fixed order. */
    void attributes(Attrs out);

    /**
     * The type rule.
     *
     * @return one type per output (most operators have one)
     * @throws io.sinter.ir.OpException naming operator, operand types, the problem and the remedy
     */
    List<Type> infer(List<Type> in);

    /**
     * The vector-Jacobian product, written in operators, so that it is traced, fused and differentiable again.
     *
     * @return one gradient per input, null where none flows (integer inputs, inputs that {@link GradCall#needs} does not ask for)
     */
    <V> List<V> gradient(GradCall<V> call);

    /** Plain evaluation on arrays, obviously right, in double precision where it matters; one result per output. */
    List<RefArray> evaluate(List<RefArray> in);

    /** Inputs that exercise the operator: types, values, edge cases. Every backend is tested on all of them. */
    List<Sample> samples();

    /** Same operator with the same attributes. */
    default boolean sameAs(Op other) {
        return this == other
                || (getClass() == other.getClass() && OpText.format(this).equals(OpText.format(other)));
    }

    /** Gradient of an operator through which none flows: comparisons, integer results, leaves. */
    static <V> List<V> noGradient(GradCall<V> call) {
        return java.util.Collections.nCopies(call.inputs().size(), null);
    }
}
