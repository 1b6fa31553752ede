// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The templates of the PTX generator, each with programs that reach every part of it: rows that are aligned and rows that are not, teams of one thread,
 * of a warp and of several, remainders and edges, several parameter blocks, wrong indices at every place that is checked.
 */
final class MutantCases {
    private MutantCases() {}

    /** They are made when they are asked for: the inputs of all of them would fill the memory. */
    static List<Supplier<MutantCase>> all() {
        List<Supplier<MutantCase>> all = new ArrayList<>(LoopCases.all());
        all.addAll(TemplateCases.all());
        return all;
    }
}
