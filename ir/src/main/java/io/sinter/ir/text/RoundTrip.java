// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.text;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;

/**
 * A check of the text form on every graph that the compiler is given, and on all that its passes make of it; tests have it on ({@code
 * -Dsinter.check.text=true}).
 */
public final class RoundTrip {
    private static final boolean ON = Boolean.getBoolean("sinter.check.text");

    private RoundTrip() {}

    /** {@link #check}, if that was asked for. */
    public static void checkIfAsked(Graph graph) {
        if (ON) check(graph);
    }

    /**
     * The graph comes back from its text: the same text again, and the same key.
     *
     * @throws IllegalStateException if it does not
     */
    public static void check(Graph graph) {
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
