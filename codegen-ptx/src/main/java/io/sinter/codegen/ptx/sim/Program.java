// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Kernel;
import java.util.List;

/**
 * A kernel that has been translated.
 *
 * @param slots registers and constants, whose numbers begin after the special registers
 * @param sharedEnd the address at which static shared memory ends and dynamic begins
 * @param sharedGranule the least number of bytes, up to 4, that the kernel accesses at once in shared memory
 * @param globalGranule the same in global memory
 * @param constBank constant memory of the module
 */
record Program(
        Kernel kernel,
        Step[] steps,
        List<Names.Slot> slots,
        List<String> predicateNames,
        int localBytes,
        int sharedEnd,
        List<SharedVariable> sharedVariables,
        int sharedGranule,
        int globalGranule,
        Store constBank,
        Dim3 cluster) {
    /** Where a variable lies in shared memory. */
    record SharedVariable(String name, int at, int bytes) {}

    String name() {
        return kernel.name();
    }

    int predicates() {
        return predicateNames.size();
    }

    String registerName(int r) {
        return slots.get(r - Names.SPECIALS).name();
    }

    String predicateName(int p) {
        return predicateNames.get(p);
    }
}
