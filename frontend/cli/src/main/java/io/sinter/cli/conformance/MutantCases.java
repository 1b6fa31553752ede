// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import java.util.ArrayList;
import java.util.List;

/**
 * The templates of the PTX generator, each with programs that reach every part of it: rows that are aligned and rows that are not, teams of one thread,
 * of a warp and of several, remainders and edges, several parameter blocks, wrong indices at every place that is checked.
 */
final class MutantCases {
    private MutantCases() {}

    static List<MutantCase> all() {
        List<MutantCase> all = new ArrayList<>(LoopCases.all());
        all.addAll(TemplateCases.all());
        return all;
    }
}
