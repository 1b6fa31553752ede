// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import org.junit.jupiter.api.Test;

/** Random programs: plans against the reference. */
class RandomPlanTest {
    /** {@code -Dsinter.test.seed=N} runs from another seed; failures print theirs. */
    private static final long SEED = Long.getLong("sinter.test.seed", 1);

    private static final int PROGRAMS = Integer.getInteger("sinter.test.programs", 400);

    @Test
    void plansComputeWhatTheReferenceComputes() {
        for (long seed = SEED; seed < SEED + PROGRAMS; seed++) {
            RandomGraphs.Program p = RandomGraphs.program(seed, 4 + (int) (seed % 24));
            try {
                PlanTest.check(p.graph(), p.args(), "seed " + seed);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " (-Dsinter.test.seed=" + seed + "): " + e, e);
            }
        }
    }
}
