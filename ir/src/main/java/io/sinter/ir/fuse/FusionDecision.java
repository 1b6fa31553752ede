// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

/** Answer to "may these be one kernel?", with the reason if not. Dumps show the refusals. */
public sealed interface FusionDecision {
    /** They may. */
    record Yes() implements FusionDecision {}

    /** They may not, because of {@code reason}. */
    record No(String reason) implements FusionDecision {}

    FusionDecision YES = new Yes();

    static FusionDecision no(String reason) {
        return new No(reason);
    }

    default boolean yes() {
        return this instanceof Yes;
    }
}
