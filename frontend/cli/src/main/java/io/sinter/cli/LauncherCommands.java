// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The commands that the launcher {@code ./sinter} carries out itself, because they work on the source tree. They are declared here
 * so that {@code --help} describes every command in one way.
 */
final class LauncherCommands {
    private LauncherCommands() {}

    private static CommandFailure launcherOnly(String command) {
        return new CommandFailure("'" + command + "' works on the source tree: call it as ./sinter " + command);
    }

    /** {@code ./sinter test}. */
    @Command(
            name = "test",
            description = "Run all tests of all modules; the last line is 'N passed, M failed, K skipped'.")
    static final class Test implements Runnable {
        @Option(
                names = "--require-data",
                description = "Count a test that is skipped for lack of reference data as failed.")
        private boolean requireData;

        @Option(
                names = "--browser",
                description =
                        "Also open dumps in a headless Chromium, where there is one; npm installs playwright-core.")
        private boolean browser;

        @Parameters(
                arity = "0..*",
                paramLabel = "FILTER",
                description = "A test class or Class#method, or any option of Maven, such as -pl ir.")
        private List<String> filters;

        @Override
        public void run() {
            throw launcherOnly("test");
        }
    }

    /** {@code ./sinter install}. */
    @Command(name = "install", description = "Put the library io.sinter:sinter into the local Maven repository.")
    static final class Install implements Runnable {
        @Override
        public void run() {
            throw launcherOnly("install");
        }
    }

    /** {@code ./sinter bundle}. */
    @Command(
            name = "bundle",
            description =
                    "Pack Sinter with a Java runtime of its own: dist/sinter-linux-x86_64.tar.gz, to unpack anywhere.")
    static final class Bundle implements Runnable {
        @Option(names = "--output", paramLabel = "FILE", description = "Where to put it instead.")
        private String output;

        @Override
        public void run() {
            throw launcherOnly("bundle");
        }
    }

    /** {@code ./sinter shell}. */
    @Command(name = "shell", description = "Start JShell with Sinter's class path, imports and JVM flags.")
    static final class Shell implements Runnable {
        @Parameters(arity = "0..*", paramLabel = "ARGUMENT", description = "Files to load, or options of jshell.")
        private List<String> arguments;

        @Override
        public void run() {
            throw launcherOnly("shell");
        }
    }

    /** {@code ./sinter format}. */
    @Command(
            name = "format",
            description = "Format the Java sources (Palantir style: google-java-format at 120 columns).")
    static final class Format implements Runnable {
        @Option(names = "--check", description = "Change nothing; fail when a file is not formatted.")
        private boolean check;

        @Override
        public void run() {
            throw launcherOnly("format");
        }
    }

    /** {@code ./sinter lint}. */
    @Command(name = "lint", description = "Compile everything with Error Prone; warnings are errors.")
    static final class Lint implements Runnable {
        @Override
        public void run() {
            throw launcherOnly("lint");
        }
    }
}
