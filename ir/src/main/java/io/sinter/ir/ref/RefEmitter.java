// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.Type;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Op;
import java.util.List;

/**
 * Operators applied at once to reference arrays: runs gradients and decompositions without a graph.
 */
public final class RefEmitter implements Emitter<RefArray> {
    /**
     * Infers (and so checks) the result types, evaluates, and checks that the results have them.
     *
     * @throws io.sinter.ir.OpException if the operands do not fit the operator
     */
    @Override
    public List<RefArray> emit(Op op, List<RefArray> inputs) {
        List<Type> types = op.infer(inputs.stream().map(RefArray::type).toList());
        List<RefArray> results = op.evaluate(inputs);
        List<Type> got = results.stream().map(RefArray::type).toList();
        if (!got.equals(types))
            throw new IllegalStateException(op.name() + " evaluates to " + got + " but infers " + types);
        return results;
    }

    @Override
    public Type type(RefArray value) {
        return value.type();
    }
}
