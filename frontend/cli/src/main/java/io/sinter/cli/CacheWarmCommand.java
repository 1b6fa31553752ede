// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.cli.dump.DumpedProgram;
import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.MatmulPrecision;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Counters;
import io.sinter.runtime.Device;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Options;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code sinter cache warm}: compiles programs for GPUs that are not there. A demo is run for a few steps on the CPU, and each program that it compiles is
 * compiled for the wanted architectures, too: programs do not depend on the device. Dumped programs are compiled without running anything.
 */
@Command(
        name = "warm",
        description = {
            "Fill the cache for GPUs that are not here: plans and PTX of every program of a demo, or of a dump.",
            "A program of your own does the same while it runs on the CPU with SINTER_CACHE=DIR and SINTER_CACHE_WARM=sm_90a,… set.",
        })
final class CacheWarmCommand implements Runnable {
    private static final Set<String> DEMOS = Set.of("digits", "mnist", "chargpt");

    /** Steps of a demo that run if it is not told: the first ones meet every program. */
    private static final String STEPS = "3";

    @Mixin
    private CacheCommand.Where where;

    @Option(
            names = "--device",
            required = true,
            split = ",",
            paramLabel = "NAME",
            description =
                    "Architectures (sm_80, sm_89, sm_90, sm_90a), or jvm for this machine's CPU; may be repeated.")
    private List<String> devices;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = "Of a dump: how exactly products of f32 multiply, as Sinter.setMatmulPrecision takes it "
                    + "(default: ${DEFAULT-VALUE}).",
            defaultValue = "highest")
    private String precision;

    @Option(
            names = "--nondeterministic",
            description =
                    "Of a dump: sums may be added up in any order, as after Sinter.useDeterministicAlgorithms(false).")
    private boolean nondeterministic;

    @Parameters(
            arity = "1..*",
            paramLabel = "WHAT",
            description = "digits, mnist or chargpt with options of 'sinter run', behind -- (default: --steps " + STEPS
                    + "); or the folder of a dump (--dump).")
    private List<String> what;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        List<String> targets =
                devices.stream().filter(d -> !d.equals("jvm")).distinct().toList();
        CacheOptions cache =
                CacheCommand.Where.options().withFolder(where.folder()).withWarm(targets);
        PrintWriter out = spec.commandLine().getOut();
        Options options = Options.fromProperties()
                .withDevice(Device.JVM)
                .withBackend(Options.Backend.GENERATED)
                .withCache(cache);
        try (Session session = open(options)) {
            if (DEMOS.contains(what.getFirst())) demo(session);
            else dump(Path.of(what.getFirst()), session);
            Counters c = session.counters();
            out.printf(
                    Locale.ROOT,
                    "%d programs for the CPU; for %s: %d programs compiled, %d there before, %d kernels generated%n",
                    c.programsCompiled() + c.programsLoaded(),
                    targets.isEmpty() ? "no GPU" : String.join(", ", targets),
                    c.programsCrossCompiled(),
                    c.programsCrossFound(),
                    c.kernelsCrossGenerated());
            if (c.crossFailures() > 0)
                throw new CommandFailure(c.crossFailures() + " programs could not be compiled; the log says why");
        } finally {
            out.flush();
        }
    }

    private Session open(Options options) {
        try {
            return Session.open(options);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--device: " + e.getMessage() + ", jvm", e);
        }
    }

    /** Runs a demo in a session; its weights are thrown away. */
    private void demo(Session session) {
        List<String> arguments = new ArrayList<>(List.of("run"));
        arguments.addAll(what);
        Path folder;
        try {
            folder = Files.createTempDirectory("sinter-warm");
        } catch (IOException e) {
            throw new CommandFailure("cannot make a temporary folder: " + Reason.of(e), e);
        }
        Path weights = folder.resolve("weights.safetensors");
        if (what.stream().noneMatch(a -> a.startsWith("--weights"))) arguments.add("--weights=" + weights);
        if (what.stream().noneMatch(a -> a.startsWith("--steps") || a.startsWith("--epochs")))
            arguments.add("--steps=" + STEPS);
        CommandLine line = Main.commandLine()
                .setOut(spec.commandLine().getOut())
                .setErr(spec.commandLine().getErr());
        try {
            int status = ScopedValue.where(DemoRun.SESSION, session)
                    .call(() -> line.execute(arguments.toArray(String[]::new)));
            if (status != 0) throw new CommandFailure("'" + String.join(" ", arguments) + "' failed");
        } finally {
            try {
                Files.deleteIfExists(weights);
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                spec.commandLine().getErr().println("cannot remove " + folder + ": " + Reason.of(e));
            }
        }
    }

    private void dump(Path place, Session session) {
        if (!Files.isDirectory(place))
            throw new ParameterException(
                    spec.commandLine(),
                    place + " is neither a folder of dumped programs nor a demo (digits, mnist, chargpt)");
        if (what.size() > 1)
            throw new ParameterException(
                    spec.commandLine(), "one dump at a time, and no options of its own: what is " + what.get(1) + "?");
        MatmulPrecision products;
        try {
            products = MatmulPrecision.parse(precision);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--precision: " + e.getMessage(), e);
        }
        session.setMatmulPrecision(products);
        session.setDeterministic(!nondeterministic);
        for (Path folder : DumpedProgram.folders(place)) {
            Graph graph = DumpedProgram.read(folder).trace();
            Executable.get(Canonical.of(graph, session.numerics()), graph, CompileContext.of(session), Sources.NONE);
        }
    }
}
