// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.cli.conformance.CacheCrashCommand;
import io.sinter.cli.conformance.CacheMutantsCommand;
import io.sinter.cli.conformance.PtxCommand;
import io.sinter.cli.conformance.PtxMutantsCommand;
import io.sinter.cli.conformance.TorchOpsCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sinter conformance SUITE}: compares Sinter with what others computed. */
@Command(
        name = "conformance",
        description = "Compare with reference results of others.",
        subcommands = {
            TorchOpsCommand.class,
            OptimConformanceCommand.class,
            PtxCommand.class,
            PtxMutantsCommand.class,
            CacheMutantsCommand.class,
            CacheCrashCommand.class
        })
final class ConformanceCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing the suite's name: which one?");
    }
}
