// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter conformance ptx DIR}: PTX programs of others on the simulator. */
@Command(name = "ptx", description = "Run PTX programs of others on the PTX simulator and compare their results.")
public final class PtxCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "A folder with cases.json and the PTX files that it names.")
    private Path folder;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Chooses the order of warps and blocks (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private long seed;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PtxSuite suite;
        try {
            suite = new PtxSuite(folder);
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        int[] counts = new int[TorchOps.Verdict.values().length];
        for (PtxSuite.Case c : suite.cases()) {
            PtxSuite.Outcome o = suite.run(c, seed);
            counts[o.verdict().ordinal()]++;
            if (o.verdict() != TorchOps.Verdict.PASSED) out.println(o.verdict() + "  " + c + ": " + o.message());
            if (!o.note().isEmpty()) out.println("note  " + c + ": " + o.note());
            out.flush();
        }
        int failed = counts[TorchOps.Verdict.FAILED.ordinal()];
        out.println(counts[TorchOps.Verdict.PASSED.ordinal()] + " passed, " + failed + " failed, "
                + counts[TorchOps.Verdict.UNSUPPORTED.ordinal()] + " unsupported");
        out.flush();
        return failed == 0 ? 0 : 1;
    }
}
