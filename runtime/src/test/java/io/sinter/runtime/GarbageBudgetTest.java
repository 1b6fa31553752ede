// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class GarbageBudgetTest {
    private static final long MB = 1L << 20;

    private final GarbageBudget budget = new GarbageBudget();

    private static void collect(GarbageBudget b) {
        b.collectionBegins();
        b.collectionEnds();
    }

    @Test
    void littleMemoryIsNoReason() {
        budget.born(256 * MB);
        assertFalse(budget.isExceeded());
        budget.born(1);
        assertTrue(budget.isExceeded());
    }

    @Test
    void whatACollectionLeftMayGrowByHalf() {
        long garbage = budget.born(300 * MB);
        budget.born(400 * MB);
        budget.collectionBegins();
        budget.died(300 * MB, garbage, true);
        budget.collectionEnds();
        assertEquals(600 * MB, budget.limit());
    }

    /** Whatever is born while a collection runs may be garbage: it does not raise the limit. */
    @Test
    void whatIsBornDuringACollectionDoesNotCount() {
        long garbage = budget.born(300 * MB);
        budget.collectionBegins();
        long later = budget.born(1000 * MB);
        budget.died(300 * MB, garbage, true);
        budget.collectionEnds();
        assertEquals(GarbageBudget.LEAST, budget.limit());
        budget.died(1000 * MB, later, true);
        assertEquals(GarbageBudget.LEAST, budget.limit());
    }

    /** Weights of 1000 MB that stay, gradients of as much that each step makes and drops: one collection tells, for all steps. */
    @Test
    void aCollectionInVainIsNotRepeatedAtEachStep() {
        budget.born(1000 * MB);
        int collections = 0;
        for (int step = 0; step < 100; step++) {
            long gradients = budget.born(1000 * MB);
            if (budget.isExceeded()) {
                collections++;
                collect(budget);
            }
            budget.died(1000 * MB, gradients, false);
        }
        assertEquals(1, collections);
    }

    /** Of what was in use once, the next collection that is due takes no account. */
    @Test
    void whatWasInUseOnceIsForgotten() {
        long model = budget.born(1000 * MB);
        collect(budget);
        budget.died(1000 * MB, model, false);
        assertEquals(1500 * MB, budget.limit());
        long garbage = budget.born(1600 * MB);
        assertTrue(budget.isExceeded());
        budget.collectionBegins();
        budget.died(1600 * MB, garbage, true);
        budget.collectionEnds();
        assertEquals(GarbageBudget.LEAST, budget.limit());
    }
}
