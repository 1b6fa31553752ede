// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * One result of an operator that has several. Its operand in a graph is the producing node; as
 * operands of its rules count all results of that node, in order.
 *
 * @param index which result
 * @param type the result's type
 */
public record Project(int index, Type type) implements Op {
    @Override
    public String name() {
        return "project";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("index", index);
        out.put("dtype", type.dtype().toString());
        out.put("shape", type.shape().toArray());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        if (index < 0 || index >= in.size()) {
            throw OpException.of(name(), in, "result " + index + " of a node with " + in.size() + " results");
        }
        if (!in.get(index).equals(type)) {
            throw OpException.of(name(), in, "result " + index + " has type " + in.get(index) + ", not " + type);
        }
        return List.of(type);
    }

    /**
     * Not a function of its own: reverse mode hands the gradients of all results to the producing
     * operator.
     */
    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        throw new IllegalStateException("a projection has no gradient of its own; differentiate its producer");
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        return List.of(in.get(index));
    }

    @Override
    public List<Sample> samples() {
        return List.of();
    }
}
