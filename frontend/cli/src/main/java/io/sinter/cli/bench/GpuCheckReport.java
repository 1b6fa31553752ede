// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code gpu-check} finds: printed as it comes, and kept for the JSON file. */
final class GpuCheckReport {
    private final PrintWriter out;
    private final Map<String, Object> json = new LinkedHashMap<>();
    private final List<String> failures = new ArrayList<>();

    GpuCheckReport(PrintWriter out) {
        this.out = out;
    }

    /** A heading. */
    void section(String title) {
        out.println();
        out.println(title);
        out.flush();
    }

    /** A fact: a line, and a field. */
    void fact(String name, Object value) {
        json.put(name, value);
        out.printf(Locale.ROOT, "  %-22s %s%n", name, value);
        out.flush();
    }

    /** A line that is no figure. */
    void note(String text) {
        out.println("  " + text);
        out.flush();
    }

    /** Something is wrong. */
    void failure(String text) {
        failures.add(text);
        note("FAILED " + text);
    }

    /**
     * A row of a table.
     *
     * @param table name of the list of rows in the JSON file
     * @param cells columns by name; NaN is what is not known
     */
    void row(String table, String name, Map<String, Double> cells) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("case", name);
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "  %-28s", name));
        cells.forEach((column, value) -> {
            boolean known = !Double.isNaN(value);
            if (known) row.put(column, value);
            line.append(known ? String.format(Locale.ROOT, "  %s %.4g", column, value) : "  " + column + " -");
        });
        @SuppressWarnings("unchecked")
        List<Object> rows = (List<Object>) json.computeIfAbsent(table, _ -> new ArrayList<>());
        rows.add(row);
        out.println(line);
        out.flush();
    }

    List<String> failures() {
        return failures;
    }

    /** Everything, for the file. */
    Map<String, Object> json() {
        Map<String, Object> all = new LinkedHashMap<>(json);
        all.put("failures", failures);
        return all;
    }
}
