// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.runtime.ProgramCheckException;
import io.sinter.runtime.SettingException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The application behind the launcher {@code ./sinter}: one picocli command for each subcommand.
 *
 * <p>Exit status: 0 when all went well, 1 when the work failed, 2 when the command line is wrong.
 */
@Command(
        name = "sinter",
        description = "Deep learning on the JVM: traced graphs, fused, run as code generated on the spot.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        optionListHeading = "%nOptions:%n",
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:success", "1:the work failed", "2:wrong command line"},
        subcommands = {
            RunCommand.class,
            io.sinter.cli.bench.BenchCommand.class,
            io.sinter.cli.dump.DumpCommand.class,
            ConformanceCommand.class,
            CacheCommand.class,
            DoctorCommand.class,
            io.sinter.cli.bench.GpuCheckCommand.class,
            io.sinter.cli.bench.GpuCheckWorker.class,
            LauncherCommands.Shell.class,
            LauncherCommands.Test.class,
            LauncherCommands.Install.class,
            LauncherCommands.Bundle.class,
            LauncherCommands.Format.class,
            LauncherCommands.Lint.class
        })
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    private Main() {}

    /** Runs the command that {@code args} name and ends the process with its exit status. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The whole command tree, ready to execute. */
    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(new FailureReport());
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: which one?");
    }

    /** One line for a failure that a command foresaw; the stack trace for any other, because it may be a fault of Sinter. */
    private static final class FailureReport implements IExecutionExceptionHandler {
        @Override
        public int handleExecutionException(Exception failure, CommandLine command, ParseResult result) {
            PrintWriter err = command.getErr();
            boolean foreseen = failure instanceof CommandFailure
                    || failure instanceof SettingException
                    || failure instanceof ProgramCheckException
                    || failure instanceof UncheckedIOException;
            if (foreseen) {
                err.println("sinter: " + failure.getMessage());
            } else {
                err.println(command.getColorScheme().richStackTraceString(failure));
            }
            err.flush();
            return command.getCommandSpec().exitCodeOnExecutionException();
        }
    }
}
