// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.ref.RandomKernel;
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
}
