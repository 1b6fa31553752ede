// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter conformance optim FILE}: optimizers' trajectories against PyTorch's. */
@Command(name = "optim", description = "Compare the trajectories of optimizers with PyTorch's (optim_baseline.json).")
final class OptimConformanceCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The expected trajectories, as JSON.")
    private Path file;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Device to compute on: jvm, cuda, cuda:1, …, ptx-sim (default: the best there is).")
    private String device;

    @Option(
            names = "--tolerance",
            paramLabel = "X",
            description = "Largest absolute difference that passes (default: ${DEFAULT-VALUE}).",
            defaultValue = "1e-12")
    private double tolerance;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<OptimConformance.Outcome> outcomes;
        try (Session session = Session.open(options());
                var _ = session.use()) {
            outcomes = OptimConformance.run(file, tolerance);
        }
        int passed = 0;
        int failed = 0;
        int unsupported = 0;
        for (OptimConformance.Outcome o : outcomes) {
            if (!o.supported()) {
                unsupported++;
                out.println("unsupported  " + o.name());
            } else if (o.passed()) {
                passed++;
                out.println(String.format(
                        Locale.ROOT, "passed       %s (largest difference %.1e)", o.name(), o.difference()));
            } else {
                failed++;
                out.println(String.format(
                        Locale.ROOT, "FAILED       %s: differs by %.3e %s", o.name(), o.difference(), o.where()));
            }
        }
        out.println(passed + " passed, " + failed + " failed, " + unsupported + " unsupported");
        out.flush();
        return failed == 0 ? 0 : 1;
    }

    private Options options() {
        try {
            Options o = Options.fromProperties();
            return device == null ? o : o.withDevice(Device.parse(device));
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(e.getMessage(), e);
        }
    }
}
