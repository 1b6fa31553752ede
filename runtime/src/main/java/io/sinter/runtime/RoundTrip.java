// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.text.GraphParser;
import io.sinter.ir.text.GraphPrinter;

/** A check of the text form on every program that is compiled; tests have it on ({@code -Dsinter.check.text=true}). */
final class RoundTrip {
    static final boolean ON = Boolean.getBoolean("sinter.check.text");

    private RoundTrip() {}

    /**
     * The graph comes back from its text: the same text again, and the same key.
     *
     * @throws IllegalStateException if it does not
     */
    static void check(Graph graph) {
        String text = GraphPrinter.print(graph);
        Graph back;
        try {
            back = GraphParser.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException("the text of a program is refused: " + e.getMessage(), e);
        }
        boolean same =
                GraphPrinter.print(back).equals(text) && Canonical.of(back).equals(Canonical.of(graph));
        if (!same) throw new IllegalStateException("a program comes back from its text as another one:\n" + text);
    }
}
