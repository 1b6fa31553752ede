// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import io.sinter.cli.CommandFailure;
import io.sinter.ir.Graph;
import io.sinter.ir.ref.Minimizer;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter dump minimize}: from a program that goes wrong to a few operators that do. */
@Command(
        name = "minimize",
        description =
                "Shrink a graph whose compiled form differs from the reference evaluator, or fails, to a small one"
                        + " that still does.")
final class MinimizeCommand implements Runnable {
    @Parameters(
            paramLabel = "FILE",
            description = "A graph, such as 00-trace.ir of a dump, or the folder of a dumped program.")
    private Path file;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "jvm",
            description = "jvm, ptx-sim, or reference: loop IR, interpreted, without a code generator"
                    + " (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "Take random arguments from this seed (default: those that were dumped with the program, or seed 0).")
    private Long seed;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Where the small graph goes (default: standard output).")
    private Path output;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        DumpedProgram program = Files.isDirectory(file) ? DumpedProgram.at(file) : null;
        Graph graph = program != null ? program.trace() : DumpedProgram.graph(file);
        List<RefArray> inputs = program == null || seed != null ? null : program.inputs(graph);
        boolean random = inputs == null;
        long from = seed == null ? 0 : seed;
        List<RefArray> arguments =
                random ? GraphCheck.arguments(graph, from) : GraphCheck.arguments(graph, inputs, from);
        String on = device + " with " + (random ? "seed " + from : program.origin(inputs));
        PrintWriter out = spec.commandLine().getOut();
        try (Session session = GraphCheck.open(device)) {
            GraphCheck.Outcome first = GraphCheck.check(graph, arguments, session);
            if (first instanceof GraphCheck.Outcome.Agrees)
                throw new CommandFailure(file + " agrees with the reference evaluator on " + on
                        + ": there is nothing to minimize; try another --seed or --device");
            if (first instanceof GraphCheck.Outcome.SaysNothing s)
                throw new CommandFailure((random ? "random arguments do" : "the dumped arguments do") + " not suit "
                        + file + ": " + s.cause().getMessage() + "; try another --seed");
            Minimizer.Fault fault = (g, known) -> GraphCheck.check(g, GraphCheck.arguments(g, known, from), session)
                    .kind()
                    .equals(first.kind());
            // Without stored arguments each graph draws its own, as it will when the small one is run by itself.
            Graph small = random
                    ? Minimizer.minimize(
                            graph,
                            g -> fault.shows(g, Collections.nCopies(g.inputs().size(), null)))
                    : Minimizer.minimize(graph, arguments, fault);
            String text = "# " + first.kind() + " on " + on + ": " + Minimizer.size(small) + " of "
                    + Minimizer.size(graph) + " operators\n" + GraphPrinter.print(small);
            if (output == null) out.print(text);
            else write(output, text);
            if (output != null)
                out.println(Minimizer.size(small) + " of " + Minimizer.size(graph) + " operators in " + output);
        } finally {
            out.flush();
        }
    }

    static void write(Path file, String text) {
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) Files.createDirectories(parent);
            Files.writeString(file, text, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CommandFailure("cannot write " + file + ": " + Reason.of(e), e);
        }
    }
}
