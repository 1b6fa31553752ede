// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.ref.RandomKernel;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/** Random loop kernels on the simulator against the interpreter, bit for bit. */
class RandomKernelTest {
    @Property(tries = 150, shrinking = ShrinkingMode.OFF)
    void sameBits(@ForAll long seed) {
        SimRun.checkExact(new RandomKernel(seed, false).build());
    }

    @Property(tries = 50, shrinking = ShrinkingMode.OFF)
    void indexErrorsAreReported(@ForAll long seed) {
        SimRun.checkExact(new RandomKernel(seed, true).build());
    }

    /** Checks under masks: of a neighbouring element, and in the value of a store that is not done. */
    @Example
    void checksUnderMasks() {
        for (long seed : new long[] {673498092107646839L, 4268252544303524289L})
            SimRun.checkExact(new RandomKernel(seed, true).build());
    }

    /** A checked index in a loop, and again under a branch of it. */
    @Example
    void checkedIndexUnderABranch() {
        SimRun.checkExact(new RandomKernel(-130193L, false).build());
    }
}
