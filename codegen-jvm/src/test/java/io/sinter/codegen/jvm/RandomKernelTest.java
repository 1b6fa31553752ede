// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.ref.RandomKernel;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;

/**
 * Random loop kernels: generated code, scalar and at every vector width, against the interpreter, bit for
 * bit.
 */
class RandomKernelTest {
    @Property(tries = 150, shrinking = ShrinkingMode.OFF)
    void sameBits(@ForAll long seed, @ForAll @IntRange(min = 1, max = 5) int taskStep) {
        new KernelHarness(new RandomKernel(seed, false).build()).checkExact(taskStep);
    }

    /** With loop bodies split into very small parts. */
    @Property(tries = 50, shrinking = ShrinkingMode.OFF)
    void splitBodiesGiveTheSameBits(@ForAll long seed) {
        KernelHarness h = new KernelHarness(new RandomKernel(seed, false).build());
        h.budgets = List.of(100);
        h.checkExact(2);
    }

    @Property(tries = 50, shrinking = ShrinkingMode.OFF)
    void indexErrorsAreReported(@ForAll long seed) {
        new KernelHarness(new RandomKernel(seed, true).build()).checkExact(2);
    }

    /** A checked index in a loop, and again under a branch of it: it was added to the address twice. */
    @Example
    void checkedIndexUnderABranch() {
        new KernelHarness(new RandomKernel(-130193L, false).build()).checkExact(4);
    }

    /** A mask that is one truth for all elements, over a load whose index is checked. */
    @Example
    void checkedIndexUnderOneTruth() {
        new KernelHarness(new RandomKernel(-273L, true).build()).checkExact(2);
    }

    /** Loads lane by lane under a mask that is looked up lane by lane: parts that were estimated at 700 bytes had 8,100. */
    @Example
    void partsLargerThanEstimated() {
        new KernelHarness(new RandomKernel(173L, false).build()).checkExact(5);
    }
}
