// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.runtime.Checks;
import java.nio.file.Path;
import java.util.OptionalInt;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/**
 * The options that all demos share; use as {@code @Mixin RunOptions options}. What is not given is empty, and the demo takes its own
 * default.
 */
final class RunOptions {
    @Spec(Target.MIXEE)
    private CommandSpec spec;

    private Integer epochs;
    private Integer steps;
    private Double rate;
    private Integer threads;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of all random numbers (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Device to train on: jvm, cuda, cuda:1, …, ptx-sim (default: the best there is).")
    private String device;

    @Option(
            names = "--cache",
            arity = "0..1",
            fallbackValue = "on",
            paramLabel = "DIR",
            description = "Keep compiled programs in this folder, so that the next run need not compile them "
                    + "(without DIR: in the user's cache home; 'off': nowhere, whatever SINTER_CACHE says).")
    private String cache;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results to this file.")
    private Path json;

    @Option(
            names = "--dump",
            paramLabel = "DIR",
            description = "Dump every compiled program into a folder of its own under this one.")
    private Path dump;

    @Option(
            names = "--dump-inputs",
            arity = "0..1",
            fallbackValue = "67108864",
            paramLabel = "BYTES",
            description = "With --dump: store the arguments of each program's first run beside it, up to so many bytes"
                    + " (default: 64 MiB), for 'dump replay' and 'dump minimize'.")
    private long dumpInputs;

    @Option(
            names = "--nan",
            paramLabel = "trap",
            description = "trap: end with the line, operator and element that made the first NaN or infinity.")
    private NanMode nan = NanMode.OFF;

    @Option(
            names = "--check",
            paramLabel = "reference",
            description = "reference: compare the first run of every program with the reference evaluator (slow).")
    private CheckMode check = CheckMode.OFF;

    /** Values of {@code --nan}. */
    enum NanMode {
        OFF,
        TRAP
    }

    /** Values of {@code --check}. */
    enum CheckMode {
        OFF,
        REFERENCE
    }

    @Option(
            names = "--profile",
            paramLabel = "FILE",
            description =
                    "Record where the time goes: .json is a time line for ui.perfetto.dev, .jfr a recording for JDK Mission"
                            + " Control, .txt tables by kernel, part of the network and line.")
    private Path profile;

    @Option(names = "--data", paramLabel = "DIR", description = "Folder of the data set.")
    private Path data;

    @Option(names = "--text", paramLabel = "FILE", description = "Text to learn from.")
    private Path text;

    @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training data.")
    private void setEpochs(int value) {
        epochs = positive("--epochs", value);
    }

    @Option(names = "--steps", paramLabel = "N", description = "Stop after this many optimizer steps.")
    private void setSteps(int value) {
        steps = positive("--steps", value);
    }

    @Option(names = "--lr", paramLabel = "RATE", description = "Highest learning rate.")
    private void setRate(double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY))
            throw new ParameterException(spec.commandLine(), "--lr must be a number above 0, not " + value);
        rate = value;
    }

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Worker threads (default: one for each processor). The results do not depend on it.")
    private void setThreads(int value) {
        threads = positive("--threads", value);
    }

    private int positive(String option, int value) {
        if (value < 1) {
            throw new ParameterException(spec.commandLine(), option + " must be at least 1, not " + value);
        }
        return value;
    }

    /** Seed of all random numbers; 0 when not given. */
    long seed() {
        return seed;
    }

    /** Passes over the training data, at least 1. */
    int epochs(int byDefault) {
        return epochs == null ? byDefault : epochs;
    }

    /** The limit on optimizer steps, at least 1, when one was given. */
    OptionalInt steps() {
        return steps == null ? OptionalInt.empty() : OptionalInt.of(steps);
    }

    /** The highest learning rate. */
    double rate(double byDefault) {
        return rate == null ? byDefault : rate;
    }

    /** Number of worker threads, at least 1, when one was given. */
    OptionalInt threads() {
        return threads == null ? OptionalInt.empty() : OptionalInt.of(threads);
    }

    /** Name of the device, or null for the best there is. */
    String device() {
        return device;
    }

    /** What {@code --cache} says, or null without it. */
    String cache() {
        return cache;
    }

    /** File for the results, or null when none are to be written. */
    Path json() {
        return json;
    }

    /** Folder for dumps of the compiled programs, or null when none are wanted. */
    Path dump() {
        return dump;
    }

    /** Bytes of arguments that are stored with each dumped program; 0 for none. */
    long dumpInputs() {
        if (dumpInputs < 0)
            throw new ParameterException(
                    spec.commandLine(), "--dump-inputs must not be negative, but is " + dumpInputs);
        if (dumpInputs > 0 && dump == null)
            throw new ParameterException(spec.commandLine(), "--dump-inputs needs --dump=DIR, where they go");
        return dumpInputs;
    }

    /** What is checked of programs, beyond {@code others}. */
    Checks checks(Checks others) {
        return new Checks(others.nan() || nan == NanMode.TRAP, others.reference() || check == CheckMode.REFERENCE);
    }

    /** File for the profile, or null when none is wanted. */
    Path profile() {
        return profile;
    }

    /** Folder of the data set. */
    Path data() {
        return required("--data=DIR", data);
    }

    /** Text to learn from. */
    Path text() {
        return required("--text=FILE", text);
    }

    private Path required(String option, Path value) {
        if (value == null) {
            throw new ParameterException(spec.commandLine(), "Missing required option: '" + option + "'");
        }
        return value;
    }
}
