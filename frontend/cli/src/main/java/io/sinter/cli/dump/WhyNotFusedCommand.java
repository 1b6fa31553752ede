// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.cli.CommandFailure;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter dump why-not-fused}: the reason why two operators are in two kernels. */
@Command(
        name = "why-not-fused",
        description =
                "Say why two operators did not become one kernel. Each is named by its node (%%12), by the user's line"
                        + " (Model.java:42), or by its operator (softmax).")
final class WhyNotFusedCommand implements Runnable {
    @Parameters(paramLabel = "A", description = "A node, a line or an operator.")
    private String a;

    @Parameters(paramLabel = "B", description = "Another one.")
    private String b;

    @Option(
            names = "--in",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "Folder of a dumped program (default: the current one).")
    private Path folder;

    @Spec
    private CommandSpec spec;

    private DumpedProgram program;
    private Map<String, JsonNode> nodes;
    private final Map<Integer, String> kernelNames = new HashMap<>();

    @Override
    public void run() {
        program = DumpedProgram.at(folder);
        nodes = program.nodes();
        for (JsonNode k : program.list("kernels"))
            kernelNames.put(k.get("number").asInt(), DumpedProgram.fileName(k));
        Set<String> as = select(a);
        Set<String> bs = select(b);
        PrintWriter out = spec.commandLine().getOut();
        for (String line : answer(as, bs)) out.println(line);
        out.flush();
    }

    /** The nodes that a selector names. */
    private Set<String> select(String selector) {
        Set<String> found = new LinkedHashSet<>();
        nodes.forEach((id, n) -> {
            String line = n.path("line").asText();
            boolean sameLine = line.equals(selector) || line.startsWith(selector + " ");
            if (id.equals(selector) || sameLine || n.get("op").asText().equals(selector)) found.add(id);
        });
        if (found.isEmpty()) {
            Set<String> lines = new LinkedHashSet<>();
            Set<String> operators = new TreeSet<>();
            nodes.values().forEach(n -> {
                operators.add(n.get("op").asText());
                if (n.has("line")) lines.add(n.get("line").asText());
            });
            throw new CommandFailure("nothing in " + program.name() + " is '" + selector + "': give a node such as "
                    + nodes.keySet().stream().findFirst().orElse("%0")
                    + (lines.isEmpty() ? "" : "; one of the lines " + String.join(", ", lines))
                    + "; or one of the operators " + String.join(", ", operators));
        }
        return found;
    }

    private List<String> answer(Set<String> as, Set<String> bs) {
        List<String> out = new ArrayList<>();
        for (String x : as) {
            for (String y : bs) {
                Set<Integer> common = new LinkedHashSet<>(kernels(x));
                common.retainAll(kernels(y));
                if (x.equals(y) || common.isEmpty()) continue;
                out.add("They are one kernel: " + name(common.iterator().next()));
                out.add("  " + describe(x));
                out.add("  " + describe(y));
                return out;
            }
        }
        direct(as, bs, out);
        if (!as.equals(bs)) direct(bs, as, out);
        if (!out.isEmpty()) return out;
        boolean nothing = as.stream().allMatch(x -> kernels(x).isEmpty())
                || bs.stream().allMatch(x -> kernels(x).isEmpty());
        if (nothing) {
            for (String x : as) if (kernels(x).isEmpty()) out.add(vanishes(x));
            for (String x : bs) if (kernels(x).isEmpty() && !as.contains(x)) out.add(vanishes(x));
            return out;
        }
        List<String> path = path(as, bs);
        if (path.isEmpty()) path = path(bs, as);
        if (!path.isEmpty()) return along(path);
        out.add(
                "Neither reads what the other computes. Such operators become one kernel only if they go through the same"
                        + " rows or elements and read a common operand there.");
        for (String x : as) out.add("  " + describe(x) + " is in " + names(x));
        for (String x : bs) out.add("  " + describe(x) + " is in " + names(x));
        return out;
    }

    private String vanishes(String x) {
        return describe(x)
                + " is in no kernel: an argument, a constant, or a view, which is an index expression of its readers.";
    }

    /** Refusals of one of {@code from} into a kernel of one of {@code to}. */
    private void direct(Set<String> from, Set<String> to, List<String> out) {
        Set<Integer> kernels = new LinkedHashSet<>();
        for (String y : to) kernels.addAll(kernels(y));
        for (JsonNode r : program.list("refusals")) {
            String producer = r.get("node").asText();
            if (!from.contains(producer) || !kernels.contains(r.get("into").asInt())) continue;
            out.add(describe(producer));
            out.add("  is in " + names(producer) + ", not in "
                    + name(r.get("into").asInt()) + ": " + r.get("reason").asText());
        }
    }

    /** The way from one of {@code from} to one that needs it, producers first; empty if there is none. */
    private List<String> path(Set<String> from, Set<String> to) {
        Map<String, String> next = new LinkedHashMap<>();
        ArrayDeque<String> todo = new ArrayDeque<>();
        for (String y : to) {
            if (kernels(y).isEmpty()) continue; // an argument or a view, where no kernel can change
            next.put(y, "");
            todo.add(y);
        }
        while (!todo.isEmpty()) {
            String n = todo.poll();
            if (from.contains(n) && !kernels(n).isEmpty()) {
                List<String> path = new ArrayList<>();
                for (String x = n; !x.isEmpty(); x = next.get(x)) path.add(x);
                return path;
            }
            for (JsonNode in : nodes.get(n).get("inputs")) {
                if (next.putIfAbsent(in.asText(), n) == null) todo.add(in.asText());
            }
        }
        return List.of();
    }

    /** Where the kernels change on a way, and why. */
    private List<String> along(List<String> path) {
        List<String> out = new ArrayList<>();
        out.add("On the way from the one to the other:");
        String before = null;
        for (String x : path) {
            if (kernels(x).isEmpty()) continue;
            if (before != null) {
                Set<Integer> common = new LinkedHashSet<>(kernels(before));
                common.retainAll(kernels(x));
                if (common.isEmpty()) {
                    out.add("  " + describe(before));
                    out.add("    is in " + names(before) + ", not in " + names(x) + ": " + reason(before, kernels(x)));
                }
            }
            before = x;
        }
        out.add("  " + describe(path.getLast()));
        return out;
    }

    private String reason(String producer, Set<Integer> into) {
        Set<String> reasons = new LinkedHashSet<>();
        for (JsonNode r : program.list("refusals"))
            if (r.get("node").asText().equals(producer)
                    && into.contains(r.get("into").asInt()))
                reasons.add(r.get("reason").asText());
        return reasons.isEmpty() ? "it is stored for other readers, and read from there" : String.join("; ", reasons);
    }

    private Set<Integer> kernels(String id) {
        Set<Integer> numbers = new LinkedHashSet<>();
        nodes.get(id).path("kernels").forEach(k -> numbers.add(k.asInt()));
        return numbers;
    }

    private String names(String id) {
        if (kernels(id).isEmpty()) return "no kernel";
        return String.join(" and ", kernels(id).stream().map(this::name).toList());
    }

    private String name(int kernel) {
        return kernelNames.getOrDefault(kernel, "a loop");
    }

    private String describe(String id) {
        JsonNode n = nodes.get(id);
        StringBuilder s =
                new StringBuilder(id).append(' ').append(n.get("op").asText()).append(' ');
        s.append(n.get("types").get(0).asText());
        if (n.has("line"))
            s.append(" (")
                    .append(n.get("line").asText())
                    .append(n.has("module") ? ", " + n.get("module").asText() : "")
                    .append(')');
        return s.toString();
    }
}
