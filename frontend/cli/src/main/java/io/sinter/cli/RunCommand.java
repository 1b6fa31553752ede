// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code sinter run DEMO}: trains a demonstration network. Every demo is a subcommand of its own class, named here, that takes the
 * options of {@link RunOptions} as a mixin.
 */
@Command(
        name = "run",
        description = "Train a demonstration network.",
        subcommands = {DigitsCommand.class, MnistCommand.class, CharGptCommand.class})
final class RunCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing the demo's name: which one?");
    }
}
