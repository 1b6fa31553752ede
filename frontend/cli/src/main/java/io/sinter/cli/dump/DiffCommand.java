// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter dump diff}: what differs between two dumps. */
@Command(
        name = "diff",
        description =
                "Compare two dumps: keys, graphs after each pass, kernels, memory. Times and source lines do not count.")
final class DiffCommand implements Runnable {
    private static final int LINES_SHOWN = 40;

    @Parameters(paramLabel = "DIR1", description = "A dump, or one program of it.")
    private Path first;

    @Parameters(paramLabel = "DIR2", description = "Another one.")
    private Path second;

    @Option(names = "--all", description = "Show all lines of every difference, not the first " + LINES_SHOWN + ".")
    private boolean all;

    @Spec
    private CommandSpec spec;

    private PrintWriter out;
    private boolean different;

    @Override
    public void run() {
        out = spec.commandLine().getOut();
        List<Path> one = DumpedProgram.folders(first);
        List<Path> two = DumpedProgram.folders(second);
        if (one.size() != two.size()) {
            different = true;
            out.println(first + " holds " + one.size() + " programs, " + second + " " + two.size());
        }
        for (int i = 0; i < Math.min(one.size(), two.size()); i++)
            compare(DumpedProgram.read(one.get(i)), DumpedProgram.read(two.get(i)));
        if (!different) out.println("no difference in " + one.size() + (one.size() == 1 ? " program" : " programs"));
        out.flush();
    }

    private void compare(DumpedProgram a, DumpedProgram b) {
        List<String> parts = new ArrayList<>();
        for (String field : List.of("key", "device", "backend", "vectorBits"))
            if (!a.field(field).equals(b.field(field)))
                parts.add(field + ": " + a.field(field) + " -> " + b.field(field));
        if (!a.field("key").equals(b.field("key")))
            parts.addAll(lines("what the key is made of", program(a), program(b)));
        Set<String> passes = new LinkedHashSet<>(a.stages().keySet());
        passes.addAll(b.stages().keySet());
        for (String pass : passes) parts.addAll(lines("graph after " + pass, stage(a, pass), stage(b, pass)));
        kernels(a, b, parts);
        for (String field : List.of("arguments", "results", "arena", "peak")) {
            long x = a.json().path("memory").path(field).asLong();
            long y = b.json().path("memory").path(field).asLong();
            if (x != y) parts.add(String.format(Locale.ROOT, "memory: %s %,d -> %,d bytes", field, x, y));
        }
        if (parts.isEmpty()) return;
        different = true;
        out.println(a.name() + " and " + b.name());
        for (String p : parts) out.println("  " + p);
    }

    /** What {@code key.txt} says, without the fields that are compared by themselves. */
    private static String program(DumpedProgram p) {
        return p.text("key.txt").replaceAll("(?m)^(key|device|backend|vector-bits) .*\n", "");
    }

    private static String stage(DumpedProgram p, String pass) {
        String file = p.stages().get(pass);
        return file == null ? "" : p.text(file).replaceAll(" *# @\\d+.*", "");
    }

    private void kernels(DumpedProgram a, DumpedProgram b, List<String> parts) {
        Map<String, JsonNode> one = byFile(a);
        Map<String, JsonNode> two = byFile(b);
        parts.addAll(lines("kernels", String.join("\n", one.keySet()), String.join("\n", two.keySet())));
        for (String file : one.keySet()) {
            if (!two.containsKey(file)) continue;
            JsonNode x = one.get(file);
            JsonNode y = two.get(file);
            for (String field : List.of("bytes", "flops", "times")) {
                long m = x.get(field).asLong();
                long n = y.get(field).asLong();
                if (m != n) parts.add(String.format(Locale.ROOT, "%s: %s %,d -> %,d", file, field, m, n));
            }
            parts.addAll(lines("loop IR of " + file, code(a, x.get("file")), code(b, y.get("file"))));
            for (int i = 0; i < Math.min(x.get("code").size(), y.get("code").size()); i++) {
                String code = x.get("code").get(i).asText();
                if (code.equals(y.get("code").get(i).asText())) parts.addAll(lines(code, a.text(code), b.text(code)));
            }
        }
    }

    private static Map<String, JsonNode> byFile(DumpedProgram p) {
        Map<String, JsonNode> kernels = new LinkedHashMap<>();
        for (JsonNode k : p.list("kernels")) kernels.put(DumpedProgram.fileName(k), k);
        return kernels;
    }

    /** Loop IR and numbers, without the source lines. */
    private static String code(DumpedProgram p, JsonNode file) {
        return p.text(file.asText()).replaceAll("(?m)^# from .*\n", "");
    }

    private List<String> lines(String what, String a, String b) {
        List<String> diff = LineDiff.of(a, b);
        if (diff.isEmpty()) return List.of();
        List<String> out = new ArrayList<>();
        out.add(what + ":");
        int shown = all ? diff.size() : Math.min(diff.size(), LINES_SHOWN);
        for (String line : diff.subList(0, shown)) out.add("  " + line);
        if (shown < diff.size()) out.add("  … and " + (diff.size() - shown) + " more lines (--all shows them)");
        return out;
    }
}
