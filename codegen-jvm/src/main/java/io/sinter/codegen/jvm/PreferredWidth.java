// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import jdk.incubator.vector.FloatVector;

/** Touches the Vector API, as generated classes and those that they alone use do; loaded only where it is there. */
final class PreferredWidth {
    private PreferredWidth() {}

    /** Width of the CPU's widest vectors as HotSpot uses them: 128, 256 or 512. */
    static int bits() {
        int bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        return bits >= 512 ? 512 : bits >= 256 ? 256 : bits >= 128 ? 128 : 0;
    }
}
