// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.cli.CommandFailure;
import io.sinter.ir.Graph;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Device;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Session;
import io.sinter.runtime.dump.KernelCut;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter dump replay}: runs one kernel of a dump by itself. */
@Command(
        name = "replay",
        description =
                "Run one kernel of a dumped program, and compare it with the reference evaluator: on the operands that it had if the program"
                        + " was dumped with its arguments (--dump-inputs), else on random ones.")
final class ReplayCommand implements Runnable {
    @Parameters(paramLabel = "DIR", description = "Folder of a dumped program.")
    private Path folder;

    @Option(
            names = "--kernel",
            paramLabel = "K",
            required = true,
            description = "The kernel: its number, or the name of its files (07-softmax).")
    private String kernel;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "",
            description = "jvm, ptx-sim, or reference: loop IR, interpreted, with every access checked"
                    + " (default: the device that the program was dumped for).")
    private String device;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Take random operands from this seed (default: 0 where no arguments were dumped).")
    private Long seed;

    @Option(
            names = "--step",
            paramLabel = "N",
            description = "Of a kernel in a loop's body: on the operands of its N-th run (default: ${DEFAULT-VALUE}).")
    private int step;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        DumpedProgram program = DumpedProgram.at(folder);
        if (program.list("kernels").isEmpty()) throw new CommandFailure(folder + " has no kernels");
        int number = program.kernel(kernel);
        List<String> loops = new ArrayList<>();
        for (JsonNode k : program.list("kernels"))
            loops.add(program.text(k.get("file").asText()));
        String dumpedFor = program.field("device");
        Graph trace = program.trace();
        KernelCut cut;
        try {
            cut = KernelCut.of(trace, Executable.capabilities(Device.parse(dumpedFor)), loops, number);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(folder + ": " + e.getMessage(), e);
        }
        String on = device.isEmpty() ? dumpedFor : device;
        PrintWriter out = spec.commandLine().getOut();
        try (Session session = GraphCheck.open(on)) {
            List<RefArray> inputs = seed == null ? program.inputs(trace) : null;
            List<RefArray> args = inputs == null
                    ? GraphCheck.arguments(cut.graph(), seed == null ? 0 : seed)
                    : operands(cut, trace, inputs);
            out.println(cut.name() + " on " + on + ", operands "
                    + (inputs == null
                            ? "from seed " + (seed == null ? 0 : seed)
                            : "by the reference evaluator from " + program.origin(inputs))
                    + ":");
            for (int i = 0; i < args.size(); i++)
                out.println(
                        "  " + cut.arguments().get(i).name() + " " + args.get(i).describe());
            GraphCheck.Outcome outcome = GraphCheck.compare(
                    cut.graph(), args, () -> Executable.of(cut.plan(), CompileContext.of(session)), session);
            report(out, cut, outcome);
        } finally {
            out.flush();
        }
    }

    /** What the kernel had for operands, from the arguments of the program. */
    private List<RefArray> operands(KernelCut cut, Graph trace, List<RefArray> inputs) {
        List<List<RefArray>> runs = new ArrayList<>();
        RefEvaluator.run(cut.program(), GraphCheck.arguments(trace, inputs, 0), (g, values) -> {
            if (g == cut.within()) runs.add(cut.arguments(values));
        });
        if (step < 0 || step >= runs.size())
            throw new CommandFailure(cut.name() + " ran " + runs.size() + " times; --step is 0 to " + (runs.size() - 1)
                    + ", not " + step);
        return runs.get(step);
    }

    private static void report(PrintWriter out, KernelCut cut, GraphCheck.Outcome outcome) {
        switch (outcome) {
            case GraphCheck.Outcome.Agrees a -> {
                for (int i = 0; i < a.results().size(); i++)
                    out.println("  " + cut.results().get(i).name() + " = "
                            + a.results().get(i).describe());
                out.println("agrees with the reference evaluator");
            }
            case GraphCheck.Outcome.Differs d ->
                throw new CommandFailure(cut.name() + " differs from the reference evaluator: "
                        + cut.results().get(d.worst().result()).name() + ": " + d.worst());
            case GraphCheck.Outcome.Fails f ->
                throw new CommandFailure(cut.name() + " fails: " + f.cause().getMessage(), f.cause());
            case GraphCheck.Outcome.SaysNothing s ->
                throw new CommandFailure("random operands do not suit " + cut.name() + ": "
                        + s.cause().getMessage() + "; try another --seed");
        }
    }
}
