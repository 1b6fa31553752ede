// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand.Reg;

/** Writes the code that multiplies panels in shared memory by all threads of a CTA. */
interface GemmMultiplier extends GemmSums {
    /** Writes 0 into the sums. */
    void clear();

    /** Adds the products of a stage of both panels. */
    void multiply(Reg leftStage, Reg rightStage);
}
