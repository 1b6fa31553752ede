// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.text.GraphDiff;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/** Says of each program that is compiled in what it differs from the nearest one that was there already ({@code -Dsinter.log=recompiles}). */
final class RecompileLog {
    /** The programs that are remembered: the last ones. */
    private static final int REMEMBERED = 128;
    /** Programs with fewer operators in common have nothing to do with one another. */
    private static final double ALIKE = 0.5;

    private static final int SHOWN = 5;

    private record Known(int number, Graph graph, Sources sources) {}

    private final Consumer<String> out;
    private final Deque<Known> programs = new ArrayDeque<>();
    private int compiled;

    /** @param out takes a message of one or more lines */
    RecompileLog(Consumer<String> out) {
        this.out = out;
    }

    /** A program was found on disk: it is there from now on. */
    synchronized void loaded(Graph graph, Sources sources) {
        remember(new Known(0, graph, sources.kept(graph)));
    }

    /**
     * A program was compiled.
     *
     * @return in what it differs, in one line; empty if it is like no other
     */
    synchronized String compiled(Graph graph, Sources sources) {
        Known now = new Known(++compiled, graph, sources.kept(graph));
        StringBuilder b = new StringBuilder("sinter: compile ").append(now.number);
        at(b, now);
        b.append(": ").append(graph.nodes().size()).append(" operators");
        Known nearest = nearest(graph);
        String reason = "";
        if (nearest == null) {
            b.append(programs.isEmpty() ? ", the first program" : ", like no program before");
        } else {
            b.append(", like ").append(nearest.number == 0 ? "a program found on disk" : "program " + nearest.number);
            at(b, nearest);
            List<GraphDiff.Change> changes = GraphDiff.of(nearest.graph, graph);
            b.append(
                    changes.isEmpty()
                            ? ", and equal to it: it is compiled for something else (precision, checks)"
                            : ", but");
            for (GraphDiff.Change c : changes.subList(0, Math.min(SHOWN, changes.size())))
                b.append("\n    ").append(change(c, now, nearest));
            if (changes.size() > SHOWN)
                b.append("\n    … and ").append(changes.size() - SHOWN).append(" more differences");
            if (!changes.isEmpty()) reason = change(changes.getFirst(), now, nearest);
        }
        remember(now);
        out.accept(b.toString());
        return reason;
    }

    private void remember(Known k) {
        programs.addLast(k);
        if (programs.size() > REMEMBERED) programs.removeFirst();
    }

    /** The program with most in common: operators, then types of arguments, then the latest. */
    private Known nearest(Graph graph) {
        Known best = null;
        double most = ALIKE;
        for (Known k : programs) {
            double likeness = GraphDiff.likeness(k.graph, graph) + 0.01 * equalArguments(k.graph, graph);
            if (likeness < most) continue;
            most = likeness;
            best = k;
        }
        return best;
    }

    /** The part of the arguments that have equal types. */
    private static double equalArguments(Graph a, Graph b) {
        int most = Math.max(a.inputs().size(), b.inputs().size());
        int equal = 0;
        for (int i = 0; i < Math.min(a.inputs().size(), b.inputs().size()); i++)
            if (a.inputs().get(i).type().equals(b.inputs().get(i).type())) equal++;
        return most == 0 ? 1 : (double) equal / most;
    }

    private static String change(GraphDiff.Change c, Known now, Known before) {
        Known of = c.after() != null ? now : before;
        Node n = c.after() != null ? c.after() : c.before();
        if (n == null) return c.text();
        Sources.Source s = of.sources.of(n);
        if (s != null) return c.text() + ", at " + s;
        // An argument has no line of its own if it is data: it is known by who reads it first.
        for (Node reader : of.graph.nodes())
            if (reader.inputs().contains(n) && of.sources.of(reader) != null)
                return c.text() + ", read at " + of.sources.of(reader);
        return c.text();
    }

    /** Where a program is: at the line of its first result. */
    private static void at(StringBuilder b, Known k) {
        if (k.graph.outputs().isEmpty()) return;
        Sources.Source s = k.sources.of(k.graph.outputs().getFirst());
        if (s != null) b.append(" at ").append(s);
    }
}
