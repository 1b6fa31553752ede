// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The table at the end: ours, the peers, ratios (ours ÷ theirs), first calls, peak memory, geometric means. */
final class Comparison {
    private record Row(String name, JsonNode ours, List<JsonNode> peers) {}

    private final List<Row> rows = new ArrayList<>();
    private final int peers;

    Comparison(int peers) {
        this.peers = peers;
    }

    void add(String name, JsonNode ours, List<JsonNode> theirs) {
        rows.add(new Row(name, ours, theirs));
    }

    private static double number(JsonNode n, String field) {
        return n == null || !n.has(field) ? Double.NaN : n.get(field).asDouble();
    }

    String table() {
        StringBuilder s = new StringBuilder(String.format("%-38s %10s %10s %8s", "case", "ours ms", "first ms", "MB"));
        for (int k = 1; k <= peers; k++)
            s.append(String.format(" | %10s %6s %9s %7s", "peer " + k + " ms", "ratio", "first ms", "MB"));
        s.append('\n');
        double[] logs = new double[peers];
        int[] counts = new int[peers];
        for (Row r : rows) {
            double ours = number(r.ours, "median_ms");
            s.append(String.format(
                    "%-38s %10.3f %10.0f %8.0f",
                    r.name, ours, number(r.ours, "first_ms"), number(r.ours, "peak_rss_mb")));
            for (int k = 0; k < peers; k++) {
                JsonNode p = r.peers.get(k);
                double ratio = ours / number(p, "median_ms");
                s.append(String.format(
                        " | %10.3f %6.2f %9.0f %7.0f",
                        number(p, "median_ms"), ratio, number(p, "first_ms"), number(p, "peak_rss_mb")));
                if (Double.isFinite(ratio) && ratio > 0) {
                    logs[k] += Math.log(ratio);
                    counts[k]++;
                }
            }
            s.append('\n');
        }
        for (int k = 0; k < peers; k++) {
            s.append(String.format(
                    "geometric mean of ours / peer %d over %d cases: %.3f%n",
                    k + 1, counts[k], Math.exp(logs[k] / Math.max(1, counts[k]))));
        }
        return s.toString();
    }
}
