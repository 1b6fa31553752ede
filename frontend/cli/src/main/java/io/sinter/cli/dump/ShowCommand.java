// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.cli.CommandFailure;
import io.sinter.ir.Graph;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.GraphDrawing;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter dump show}: prints a dumped program, or a graph in a file, in one of several forms. */
@Command(
        name = "show",
        description =
                "Show a dumped program (an overview, or one stage of it), or compile a graph in a file and show that.")
final class ShowCommand implements Runnable {
    enum Format {
        TEXT,
        DOT,
        SVG,
        HTML,
        JSON
    }

    @Parameters(paramLabel = "FILE|DIR", description = "A graph in a file, or the folder of a dumped program.")
    private Path place;

    @Option(
            names = "--stage",
            paramLabel = "S",
            description =
                    "A pass (trace, simplify, …), fusion, memory, passes, key, tuning, or a kernel (07, 07-softmax), whose loop"
                            + " IR that is, or with an ending its code (07.bytecode, 07.ptx, 07.ptxas.txt).")
    private String stage;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text, dot (Graphviz), svg, html (the page that opens in a browser) or json"
                    + " (default: ${DEFAULT-VALUE}).")
    private Format format;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "jvm",
            description = "What a graph in a file is compiled for (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Where it goes (default: standard output).")
    private Path output;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        String text = Files.isDirectory(place) ? program(DumpedProgram.at(place)) : file();
        if (output != null) {
            MinimizeCommand.write(output, text);
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(text);
        out.flush();
    }

    /** A graph in a file: as it is, or compiled into a dump that is then shown. */
    private String file() {
        Graph graph = DumpedProgram.graph(place);
        if (stage == null && format == Format.TEXT) return GraphPrinter.print(graph);
        if (stage == null && format == Format.DOT) return GraphDrawing.dot(graph);
        Path folder = null;
        try (Session session = GraphCheck.open(device)) {
            folder = Files.createTempDirectory("sinter-dump");
            session.dumpTo(folder);
            Executable.compile(graph, CompileContext.of(session));
            session.awaitDumps();
            return program(DumpedProgram.at(folder));
        } catch (IOException e) {
            throw new CommandFailure("cannot write a temporary dump: " + Reason.of(e), e);
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) {
        if (folder == null) return;
        try {
            Dumps.delete(folder);
        } catch (IOException e) {
            throw new CommandFailure("cannot remove the temporary dump " + folder + ": " + Reason.of(e), e);
        }
    }

    private String program(DumpedProgram p) {
        boolean whole = format == Format.JSON || format == Format.HTML;
        if (whole && stage != null)
            throw new CommandFailure("--format " + format.name().toLowerCase(Locale.ROOT)
                    + " is the whole program, with every stage: leave --stage away, or take text, dot or svg");
        return switch (format) {
            case TEXT -> stage == null ? overview(p) : p.text(stageFile(p));
            case JSON -> p.text("program.json");
            case HTML -> p.text("index.html");
            case SVG -> stage == null ? p.text("graph.svg") : GraphDrawing.svg(graph(p));
            case DOT -> GraphDrawing.dot(graph(p));
        };
    }

    /** The graph of the stage that is asked for; the one that was fused if none is. */
    private Graph graph(DumpedProgram p) {
        Map<String, String> stages = p.stages();
        String file = stage == null ? List.copyOf(stages.values()).getLast() : stageFile(p);
        if (!file.endsWith(".ir"))
            throw new CommandFailure(
                    "stage '" + stage + "' is no graph; graphs are " + String.join(", ", stages.keySet()));
        return DumpedProgram.parse(p.text(file), p.folder().resolve(file));
    }

    private String stageFile(DumpedProgram p) {
        String text =
                switch (stage) {
                    case "fusion", "memory", "key", "tuning" -> stage + ".txt";
                    case "passes" -> "passes.csv";
                    default -> null;
                };
        if (text != null) return text;
        for (Map.Entry<String, String> s : p.stages().entrySet())
            if (stage.equals(s.getKey()) || stage.equals(s.getValue())) return s.getValue();
        for (JsonNode s : p.list("stages"))
            if (stage.equals(s.get("pass").asText()))
                throw new CommandFailure("pass '" + stage + "' changed nothing in " + p.name());
        int dot = stage.indexOf('.');
        String name = dot < 0 ? stage : stage.substring(0, dot);
        for (JsonNode k : p.list("kernels")) {
            String file = DumpedProgram.fileName(k);
            boolean named = name.equals(file) || name.equals(file.substring(0, file.indexOf('-')));
            if (named) return kernelFile(p, k, dot < 0 ? ".loop" : stage.substring(dot));
        }
        int kernels = p.list("kernels").size();
        throw new CommandFailure("no stage '" + stage + "' in " + p.name() + "; it has "
                + String.join(", ", p.stages().keySet()) + ", fusion, memory, passes, key"
                + (kernels == 0
                        ? ""
                        : String.format(
                                Locale.ROOT,
                                ", and kernels 00 to %02d, whose code has an ending such as .bytecode or .ptx",
                                kernels - 1)));
    }

    /** One of a kernel's files: its loop IR, or its code, which may stand with another kernel of the same structure. */
    private static String kernelFile(DumpedProgram p, JsonNode kernel, String ending) {
        List<String> files = new ArrayList<>(List.of(kernel.get("file").asText()));
        kernel.get("code").forEach(f -> files.add(f.asText()));
        for (String f : files) if (f.endsWith(ending)) return f;
        throw new CommandFailure("kernel " + DumpedProgram.fileName(kernel) + " of " + p.name() + " has no file "
                + ending + "; it has " + String.join(", ", files));
    }

    private static String overview(DumpedProgram p) {
        StringBuilder b = new StringBuilder();
        b.append(p.name())
                .append(": key ")
                .append(p.field("key"))
                .append(", device ")
                .append(p.field("device"));
        b.append(", backend ").append(p.field("backend")).append("\n\nstages\n");
        p.stages().forEach((pass, file) -> b.append(String.format(Locale.ROOT, "  %-24s %s%n", pass, file)));
        b.append("\nkernels              bytes          flops  times  from\n");
        for (JsonNode k : p.list("kernels")) {
            JsonNode lines = k.get("lines");
            b.append(String.format(
                    Locale.ROOT,
                    "  %s%n%,26d %,14d %6d  %s%n",
                    DumpedProgram.fileName(k),
                    k.get("bytes").asLong(),
                    k.get("flops").asLong(),
                    k.get("times").asLong(),
                    lines.isEmpty() ? "" : lines.get(0).asText() + (lines.size() > 1 ? ", …" : "")));
        }
        JsonNode m = p.json().path("memory");
        if (!m.isMissingNode()) {
            b.append(String.format(
                    Locale.ROOT,
                    "%nmemory: arguments %,d, results %,d, arena %,d, peak %,d bytes%n",
                    m.get("arguments").asLong(),
                    m.get("results").asLong(),
                    m.get("arena").asLong(),
                    m.get("peak").asLong()));
        }
        return b.toString();
    }
}
