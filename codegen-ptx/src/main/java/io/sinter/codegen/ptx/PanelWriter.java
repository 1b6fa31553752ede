// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;

/** Writes the code that brings an operand's panels into shared memory, stage by stage. */
interface PanelWriter {
    /**
     * Writes {@code rest} with everything at hand that is the same for all panels of a tile.
     *
     * @param from the tile's first row
     */
    void tile(Operand from, Runnable rest);

    /** Panels of the tile are fetched from this step of k on. */
    void begin(Operand k0);

    /**
     * Begins to bring a panel: copies are under way, or elements are in registers. Panels are fetched one after the other, none of them left out but those at
     * the end.
     *
     * @param k0 its first step of k, which is below the depth
     * @param stage bytes from the first stage to the one it goes to
     */
    void fetch(Operand k0, Reg stage);

    /** Writes what was fetched into registers. */
    void put(Reg stage);

    /** Whether a fetch is a copy that is to be waited for. */
    boolean isAsync();
}
