// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import io.sinter.cli.CommandFailure;
import io.sinter.ir.Graph;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.Session;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter dump run}: runs a graph written by hand. */
@Command(name = "run", description = "Run a graph on random arguments, and compare it with the reference evaluator.")
final class RunGraphCommand implements Runnable {
    @Parameters(paramLabel = "FILE.ir", description = "A graph in the text form of dumps.")
    private Path file;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "jvm",
            description = "jvm, ptx-sim, or reference: loop IR, interpreted, without a code generator"
                    + " (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the arguments (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--dump", paramLabel = "DIR", description = "Dump the compiled program into this folder.")
    private Path dump;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        Graph graph = DumpedProgram.graph(file);
        PrintWriter out = spec.commandLine().getOut();
        try (Session session = GraphCheck.open(device)) {
            if (dump != null) session.dumpTo(dump);
            List<RefArray> args = GraphCheck.arguments(graph, seed);
            for (int i = 0; i < args.size(); i++)
                out.println("argument " + i + " = " + args.get(i).describe());
            switch (GraphCheck.check(graph, args, session)) {
                case GraphCheck.Outcome.Agrees a -> {
                    for (int i = 0; i < a.results().size(); i++)
                        out.println("result " + i + " = " + a.results().get(i).describe());
                    out.println("agrees with the reference evaluator");
                }
                case GraphCheck.Outcome.Differs d ->
                    throw new CommandFailure(file + " differs from the reference evaluator: " + d.worst()
                            + "; './sinter dump minimize " + file + " --device " + device + "' finds out where");
                case GraphCheck.Outcome.Fails f ->
                    throw new CommandFailure(file + " fails: " + f.cause().getMessage(), f.cause());
                case GraphCheck.Outcome.SaysNothing s ->
                    throw new CommandFailure("random arguments do not suit " + file + ": "
                            + s.cause().getMessage() + "; try another --seed");
            }
        } finally {
            out.flush();
        }
    }
}
