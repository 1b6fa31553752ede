// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sinter dump …}: looks into programs that were dumped with {@code --dump DIR} or {@code -Dsinter.dump=DIR}. */
@Command(
        name = "dump",
        description = "Look into compiled programs: those that a run with --dump DIR (or -Dsinter.dump=DIR) has left,"
                + " or a graph in a file.",
        subcommands = {
            ShowCommand.class,
            WhyNotFusedCommand.class,
            DiffCommand.class,
            ReplayCommand.class,
            MinimizeCommand.class,
            RunGraphCommand.class
        })
public final class DumpCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing what to do: which one?");
    }
}
