// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * An argument of the program.
 *
 * @param number position among the arguments
 * @param type what the caller passes
 * @param scalar a host scalar (of shape []) passed by value in the parameter block, rather than a
 *     buffer
 */
public record Input(int number, Type type, boolean scalar) implements Leaf {
    public Input {
        if (scalar && type.rank() != 0)
            throw new IllegalArgumentException("a scalar argument has shape [], not " + type);
    }

    @Override
    public String name() {
        return "input";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("number", number);
        out.put("dtype", type.dtype().toString());
        out.put("shape", type.shape().toArray());
        out.put("scalar", scalar);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 0);
        return List.of(type);
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Op.noGradient(call);
    }

    /** Has no value of its own: evaluators bind inputs before they evaluate nodes. */
    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        throw new IllegalStateException("input " + number + " was not bound to a value");
    }

    @Override
    public List<Sample> samples() {
        return List.of();
    }
}
