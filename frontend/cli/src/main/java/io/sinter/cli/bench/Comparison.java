// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * The table at the end: ours, the peers, ratios (ours ÷ theirs) beside the {@linkplain Figures figures} to reach, first calls, peak memory,
 * geometric means.
 */
final class Comparison {
    /** One case; {@code ours} holds our line to set against each peer's, or the only one where there is no peer. */
    private record Row(String name, List<JsonNode> ours, List<JsonNode> peers) {}

    private final List<Row> rows = new ArrayList<>();
    private final int peers;

    Comparison(int peers) {
        this.peers = peers;
    }

    /**
     * @param ours our line for each peer, or one line where there is no peer
     * @param theirs the peers' lines
     */
    void add(String name, List<JsonNode> ours, List<JsonNode> theirs) {
        rows.add(new Row(name, ours, theirs));
    }

    private static double number(JsonNode n, String field) {
        return n.has(field) ? n.get(field).asDouble() : Double.NaN;
    }

    private static String cell(String format, int width, double x) {
        return Double.isNaN(x) ? " ".repeat(width - 1) + "-" : String.format(format, x);
    }

    private static boolean isCompiled(JsonNode peer) {
        return peer.path("mode").asText().equals("compile");
    }

    String table() {
        StringBuilder s = new StringBuilder();
        header(s);
        for (Row r : rows) {
            row(s, r);
            s.append('\n');
        }
        for (int k = 0; k < peers; k++) summary(s, k);
        firstCalls(s);
        for (int k = 0; k < peers; k++) memory(s, k);
        return s.toString();
    }

    private void header(StringBuilder s) {
        for (int k = 0; k < peers; k++)
            s.append("peer ").append(k + 1).append(": ").append(name(k)).append('\n');
        s.append(String.format("%-38s", "case"));
        for (int k = 0; k < Math.max(1, peers); k++) {
            s.append(String.format(" | %10s %8s %6s", "ours ms", "first ms", "MB"));
            if (peers == 0) continue;
            String p = "peer " + (k + 1) + " ms";
            s.append(String.format(" %10s %8s %6s %6s %-10s", p, "first ms", "MB", "ratio", "figure"));
        }
        s.append('\n');
    }

    /** What the peer calls itself. */
    private String name(int k) {
        for (Row r : rows) {
            JsonNode p = r.peers.get(k);
            if (p.has("lib"))
                return p.get("lib").asText() + " " + p.path("mode").asText();
        }
        return "?";
    }

    private void row(StringBuilder s, Row r) {
        s.append(String.format("%-38s", r.name));
        for (int k = 0; k < Math.max(1, peers); k++) {
            s.append(" | ");
            times(s, r.ours.get(k));
            if (peers == 0) continue;
            JsonNode p = r.peers.get(k);
            s.append(' ');
            times(s, p);
            double ratio = ratio(r, k);
            s.append(' ').append(cell("%6.2f", 6, ratio)).append(' ');
            double figure = Figures.ratio(r.name, isCompiled(p));
            s.append(String.format("%-10s", Double.isNaN(figure) ? "-" : figure + " " + verdict(ratio <= figure)));
        }
    }

    private static void times(StringBuilder s, JsonNode line) {
        if (line.has("error")) {
            s.append(String.format("%-26s", "failed"));
            return;
        }
        s.append(cell("%10.3f", 10, number(line, "median_ms"))).append(' ');
        s.append(cell("%8.0f", 8, number(line, "first_ms"))).append(' ');
        s.append(cell("%6.0f", 6, number(line, "peak_rss_mb")));
    }

    private static double ratio(Row r, int k) {
        return number(r.ours.get(k), "median_ms") / number(r.peers.get(k), "median_ms");
    }

    private static String verdict(boolean met) {
        return met ? "met" : "MISSED";
    }

    private void summary(StringBuilder s, int k) {
        double logs = 0;
        int count = 0;
        int met = 0;
        int figures = 0;
        boolean compiled = false;
        for (Row r : rows) {
            double ratio = ratio(r, k);
            compiled |= isCompiled(r.peers.get(k));
            double figure = Figures.ratio(r.name, isCompiled(r.peers.get(k)));
            if (!Double.isNaN(figure)) figures++;
            if (ratio <= figure) met++;
            if (!(ratio > 0)) continue;
            logs += Math.log(ratio);
            count++;
        }
        if (count == 0) return;
        double mean = Math.exp(logs / count);
        double most = Figures.mean(compiled);
        s.append(String.format(
                "geometric mean of ours / peer %d over %d cases: %.3f (figure for all cases: %s, %s); %d of %d figures met%n",
                k + 1, count, mean, most, verdict(mean <= most), met, figures));
    }

    /** Peak memory of training: the process's, and what tensors took of it; of the peer, what came on top of its start. */
    private void memory(StringBuilder s, int k) {
        for (Row r : rows) {
            double figure = Figures.memory(r.name);
            JsonNode ours = r.ours.get(k);
            JsonNode peer = r.peers.get(k);
            double peak = number(ours, "peak_rss_mb");
            double theirs = number(peer, "peak_rss_mb");
            double tensors = number(ours, "tensor_mb");
            double ratio = peak / theirs;
            if (Double.isNaN(figure) || Double.isNaN(ratio) || Double.isNaN(tensors)) continue;
            s.append(String.format(
                    "memory of %s: %.2f of peer %d's (figure: %s, %s); %.0f MB of it tensors, the peer's %.0f MB above its start%n",
                    r.name,
                    ratio,
                    k + 1,
                    figure,
                    verdict(ratio <= figure),
                    tensors,
                    theirs - number(peer, "start_rss_mb")));
        }
    }

    private void firstCalls(StringBuilder s) {
        for (Row r : rows) {
            double figure = Figures.firstCall(r.name);
            double first = number(r.ours.getFirst(), "first_ms");
            if (Double.isNaN(figure) || Double.isNaN(first)) continue;
            s.append(String.format(
                    "first call of %s: %.0f ms (figure: %.0f, %s)%n", r.name, first, figure, verdict(first <= figure)));
        }
    }
}
