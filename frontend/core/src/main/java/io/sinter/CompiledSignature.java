// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;

/**
 * What a compiled function is traced anew for: equal signatures trace to equal programs.
 *
 * @param types of the arguments
 * @param aliases for each argument the first one that has the same value
 * @param grads whether it requires gradients
 */
record CompiledSignature(
        List<Type> types,
        List<Integer> aliases,
        List<Boolean> grads,
        boolean gradMode,
        Numerics numerics,
        Session session) {

    static CompiledSignature of(Trace t, Tensor[] inputs) {
        List<Type> types = new ArrayList<>();
        List<Integer> aliases = new ArrayList<>();
        List<Boolean> grads = new ArrayList<>();
        for (Tensor x : inputs) {
            types.add(x.type());
            grads.add(x.requiresGrad());
            int first = 0;
            while (inputs[first].value() != x.value()) first++;
            aliases.add(first);
        }
        Session session = Session.current();
        return new CompiledSignature(types, aliases, grads, t.gradMode, session.numerics(), session);
    }

    /**
     * This signature with the same extent, 0, for every dynamic axis.
     *
     * @throws RuntimeException if there is no such axis
     */
    CompiledSignature general(List<CompileOptions.Axis> dynamic) {
        List<Type> general = new ArrayList<>(types);
        for (CompileOptions.Axis a : dynamic) {
            if (a.argument() >= general.size())
                throw Errors.argument("a dynamic axis of argument " + a.argument()
                        + ", but the function was called with " + general.size() + " arguments");
            Type type = general.get(a.argument());
            int axis = a.axis() < 0 ? a.axis() + type.rank() : a.axis();
            if (axis < 0 || axis >= type.rank())
                throw Errors.argument("axis " + a.axis() + " of argument " + a.argument() + " is dynamic, but it is a "
                        + types.get(a.argument()));
            Shape shape = type.shape().with(axis, 0);
            general.set(a.argument(), new Type(type.dtype(), shape));
        }
        return new CompiledSignature(general, aliases, grads, gradMode, numerics, session);
    }
}
