// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import java.util.Locale;

/** {@code memory.txt}: what lives where, from when to when. */
final class MemoryReport {
    private MemoryReport() {}

    static String text(Model model) {
        if (model.dump.plan() == null)
            return "# The graph was run operator by operator: there is no plan of its memory.\n";
        Model.Memory m = model.memory();
        StringBuilder b = new StringBuilder();
        line(b, "arguments", m.arguments());
        line(b, "results", m.results());
        line(b, "arena", m.arena());
        line(b, "peak", m.peak());
        b.append("\n# Values in memory: bytes, first and last step of the plan that touch it, place, value, type.\n");
        for (Model.Lifetime l : model.lifetimes) {
            String type = l.type() == null ? "" : " " + l.type();
            b.append(String.format(
                    Locale.ROOT, "%12d %4d %4d  %-20s %s%s", l.bytes(), l.first(), l.last(), l.place(), l.id(), type));
            b.append('\n');
        }
        return b.toString();
    }

    private static void line(StringBuilder b, String what, long bytes) {
        b.append(String.format(Locale.ROOT, "%-10s %14d bytes", what, bytes)).append('\n');
    }
}
