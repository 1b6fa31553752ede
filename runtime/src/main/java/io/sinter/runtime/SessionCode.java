// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.StoredPlan;
import java.util.function.UnaryOperator;

/** Makes the code of a session's kernels, with a fault in them if one is wanted. */
final class SessionCode implements JvmKernels.Maker {
    private final JvmCode code;
    /** Changes kernels before code is generated for them: a fault for tests to find; or null. */
    private volatile UnaryOperator<Kernel> fault;

    SessionCode(JvmCode code) {
        this.code = code;
    }

    /** @param change what kernels are changed to before code is generated for them; null for nothing */
    void seedFault(UnaryOperator<Kernel> change) {
        fault = change;
    }

    @Override
    public JvmKernel make(Kernel kernel, String name) {
        UnaryOperator<Kernel> change = fault;
        Kernel changed = change == null ? kernel : change.apply(kernel);
        // A cache on disk must not give wrong code to those who ask for the right one.
        return code.make(changed, changed == kernel ? name : StoredPlan.name(changed));
    }

    @Override
    public JvmKernel load(String name) {
        return fault == null ? code.load(name) : null;
    }
}
