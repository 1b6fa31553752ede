// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.cli.CommandFailure;
import io.sinter.ir.Graph;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.text.GraphParser;
import io.sinter.runtime.Reason;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.ProgramInputs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A program's folder in a dump.
 *
 * @param folder the program's own
 * @param json its {@code program.json}
 */
public record DumpedProgram(Path folder, JsonNode json) {
    /** The program in {@code place}: a program's folder, or a dump of one program alone. */
    static DumpedProgram at(Path place) {
        List<Path> all = folders(place);
        if (all.size() > 1) {
            StringBuilder b = new StringBuilder(place + " holds " + all.size() + " programs; name one of them:");
            for (Path p : all) {
                DumpedProgram d = read(p);
                b.append("\n  ")
                        .append(p)
                        .append("  ")
                        .append(d.json.get("nodes").size())
                        .append(" nodes, ");
                b.append(d.json.get("kernels").size()).append(" kernels");
            }
            throw new CommandFailure(b.toString());
        }
        return read(all.getFirst());
    }

    /** The folders of all programs in {@code place}, in the order of their numbers. */
    public static List<Path> folders(Path place) {
        if (!Files.isDirectory(place))
            throw new CommandFailure(place + " is no folder: give the folder of a run with --dump DIR");
        if (Files.exists(place.resolve(Dumps.PROGRAM))) return List.of(place);
        List<Path> found = new ArrayList<>();
        try (Stream<Path> all = Files.list(place)) {
            all.filter(p -> Files.exists(p.resolve(Dumps.PROGRAM))).sorted().forEach(found::add);
        } catch (IOException e) {
            throw new CommandFailure("cannot read " + place + ": " + Reason.of(e), e);
        }
        if (found.isEmpty())
            throw new CommandFailure("no dumped program in " + place + ": run something with --dump " + place);
        return found;
    }

    public static DumpedProgram read(Path folder) {
        JsonNode json;
        try {
            json = new ObjectMapper().readTree(folder.resolve(Dumps.PROGRAM).toFile());
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where = at == null ? "" : "line " + at.getLineNr() + ", column " + at.getColumnNr() + ": ";
            throw damaged(folder, where + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new CommandFailure("cannot read " + folder.resolve(Dumps.PROGRAM) + ": " + Reason.of(e), e);
        }
        boolean another = json.isObject()
                && (!json.path("format").asText().equals(Dumps.FORMAT)
                        || json.path("version").asInt() != Dumps.VERSION);
        if (another) throw new CommandFailure(folder + " was dumped by another version of Sinter; dump it again");
        try {
            DumpSchema.check(json);
        } catch (IllegalArgumentException e) {
            throw damaged(folder, e.getMessage(), e);
        }
        return new DumpedProgram(folder, json);
    }

    private static CommandFailure damaged(Path folder, String problem, Exception e) {
        return new CommandFailure(folder.resolve(Dumps.PROGRAM) + " is damaged: " + problem + "; dump it again", e);
    }

    /** A file of the folder as text. */
    String text(String name) {
        try {
            return Files.readString(folder.resolve(name), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CommandFailure("cannot read " + folder.resolve(name) + ": " + Reason.of(e), e);
        }
    }

    String name() {
        return folder.toAbsolutePath().normalize().getFileName().toString();
    }

    String field(String name) {
        return json.path(name).asText();
    }

    List<JsonNode> list(String name) {
        List<JsonNode> all = new ArrayList<>();
        json.path(name).forEach(all::add);
        return all;
    }

    /** Nodes of the graph that was fused, by name, in program order. */
    Map<String, JsonNode> nodes() {
        Map<String, JsonNode> nodes = new LinkedHashMap<>();
        for (JsonNode n : list("nodes")) nodes.put(n.get("id").asText(), n);
        return nodes;
    }

    /** Files of the stages that changed something, by pass. */
    Map<String, String> stages() {
        Map<String, String> stages = new LinkedHashMap<>();
        for (JsonNode s : list("stages"))
            if (!s.get("file").asText().isEmpty())
                stages.put(s.get("pass").asText(), s.get("file").asText());
        return stages;
    }

    /** The program as it was traced. */
    public Graph trace() {
        return parse(text("00-trace.ir"), folder.resolve("00-trace.ir"));
    }

    /** The arguments that the program was run with, null for those that were not stored; null if none were. */
    List<RefArray> inputs(Graph trace) {
        if (!ProgramInputs.areIn(folder)) return null;
        try {
            return ProgramInputs.read(folder, trace);
        } catch (IOException e) {
            throw new CommandFailure(e.getMessage(), e);
        }
    }

    /** Where {@link #inputs} come from, in words. */
    String origin(List<RefArray> inputs) {
        long random = inputs.stream().filter(Objects::isNull).count();
        return "the arguments in " + folder + "/inputs"
                + (random == 0 ? "" : " (" + random + " of " + inputs.size() + " were left out there: random)");
    }

    /** The number of the kernel that {@code name} names: {@code 7}, {@code 07-softmax}, or {@code softmax} if there is one such. */
    int kernel(String name) {
        List<JsonNode> kernels = list("kernels");
        List<Integer> found = new ArrayList<>();
        for (JsonNode k : kernels) {
            String file = fileName(k);
            int number = k.get("number").asInt();
            if (name.equals(Integer.toString(number))
                    || name.equals(file)
                    || name.equals(file.substring(0, file.indexOf('-')))) return number;
            if (name.equals(k.get("name").asText())) found.add(number);
        }
        if (found.size() == 1) return found.getFirst();
        StringBuilder b = new StringBuilder(
                found.isEmpty() ? "no kernel '" + name + "'" : found.size() + " kernels are named '" + name + "'");
        b.append("; the program has:");
        for (JsonNode k : kernels) b.append("\n  ").append(fileName(k));
        throw new CommandFailure(b.toString());
    }

    /** {@code 07-softmax}. */
    static String fileName(JsonNode kernel) {
        String file = kernel.get("file").asText();
        return file.substring(file.lastIndexOf('/') + 1, file.lastIndexOf('.'));
    }

    /** The graph of a text, or a failure that names file, line and problem. */
    static Graph parse(String text, Path file) {
        try {
            return GraphParser.parse(text);
        } catch (RuntimeException e) {
            throw new CommandFailure(file + " is no graph: " + e.getMessage(), e);
        }
    }

    /** The graph in a file. */
    static Graph graph(Path file) {
        try {
            return parse(Files.readString(file, StandardCharsets.UTF_8), file);
        } catch (IOException e) {
            throw new CommandFailure("cannot read the graph " + file + ": " + Reason.of(e), e);
        }
    }
}
