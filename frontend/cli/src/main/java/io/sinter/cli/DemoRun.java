// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.sinter.Sinter;
import io.sinter.io.AtomicFile;
import io.sinter.io.SafeTensors;
import io.sinter.nn.Net;
import io.sinter.profiler.Profiler;
import io.sinter.profiler.ProfilerOptions;
import io.sinter.runtime.Counters;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What the demos share: a session with the wanted device and threads, seeded; files for weights and results;
 * times. Close it.
 */
final class DemoRun implements AutoCloseable {
    /** A session that a demo is to run in, and does not close; bound by who opened it. */
    static final ScopedValue<Session> SESSION = ScopedValue.newInstance();

    private final RunOptions options;
    private final PrintWriter out;
    private final Session session;
    private final Session.Scope scope;
    /** Null without {@code --profile}. */
    private final Profiler profiler;

    private final Map<String, Object> results = new LinkedHashMap<>();
    private final long began = System.nanoTime();

    DemoRun(RunOptions options, PrintWriter out) {
        this.options = options;
        this.out = out;
        session = SESSION.isBound() ? borrowed(options) : Session.open(sessionOptions(options));
        if (options.dump() != null) dump(options.dump());
        if (options.dumpInputs() > 0) session.dumpInputs(options.dumpInputs());
        scope = session.use();
        profiler = profiler(options.profile());
        Sinter.manualSeed(options.seed());
    }

    private static Session borrowed(RunOptions options) {
        if (options.device() != null || options.threads().isPresent() || options.cache() != null)
            throw new CommandFailure("--device, --threads and --cache of a demo are not for it to choose here");
        return SESSION.get();
    }

    private void dump(Path folder) {
        try {
            session.dumpTo(folder);
        } catch (UncheckedIOException e) {
            if (!SESSION.isBound()) session.close();
            throw new CommandFailure("--dump: " + e.getMessage(), e);
        }
    }

    private Profiler profiler(Path file) {
        if (file == null) return null;
        try {
            return Profiler.start(ProfilerOptions.DEFAULT.withFile(file));
        } catch (IllegalArgumentException | IllegalStateException | UncheckedIOException e) {
            scope.close();
            if (!SESSION.isBound()) session.close();
            throw new CommandFailure("--profile: " + e.getMessage(), e);
        }
    }

    private static Options sessionOptions(RunOptions options) {
        Options o = Options.fromProperties();
        try {
            if (options.device() != null) o = o.withDevice(Device.parse(options.device()));
            if (options.threads().isPresent())
                o = o.withThreads(options.threads().getAsInt());
            if (options.cache() != null) o = o.withCache(o.cache().withFolder(options.cache()));
            o = o.withChecks(options.checks(o.checks()));
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(e.getMessage(), e);
        }
        return o;
    }

    void say(String format, Object... arguments) {
        out.println(String.format(Locale.ROOT, format, arguments));
        out.flush();
    }

    /** Adds a line to the results. */
    void result(String name, Object value) {
        results.put(name, value);
    }

    /**
     * Writes the net's weights and reads them into {@code blank}.
     *
     * @return SHA-256 of the file
     */
    String saveAndLoad(Net net, Net blank, Path file) {
        try {
            if (file.toAbsolutePath().getParent() != null)
                Files.createDirectories(file.toAbsolutePath().getParent());
            SafeTensors.save(file, net.stateDict());
            blank.loadStateDict(SafeTensors.load(file));
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (IOException | UncheckedIOException e) {
            String why = e instanceof IOException io ? Reason.of(io) : e.getMessage();
            throw new CommandFailure(
                    "cannot save the weights to " + file + ": " + why + " (choose another place with --weights)", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }

    /** Adds what is known of every run, and writes the results if a file is wanted. */
    void finish() {
        Counters counters = session.counters();
        result("total_seconds", seconds(System.nanoTime() - began) + startSeconds());
        result("device", session.device().toString());
        result("threads", session.options().threads());
        result("seed", options.seed());
        result("kernels", counters.kernelsGenerated());
        result("programs", counters.programsCompiled());
        result("compile_ms", counters.compileNanos() / 1_000_000);
        say(
                "%d programs of %d kernels compiled in %d ms; %.1f s in all on %s with %d threads",
                counters.programsCompiled(),
                counters.kernelsGenerated(),
                counters.compileNanos() / 1_000_000,
                (double) results.get("total_seconds"),
                session.device(),
                session.options().threads());
        if (session.options().checks().reference()) {
            result("programs_compared", counters.programsCompared());
            say("%d programs agree with the reference evaluator", counters.programsCompared());
        }
        if (session.disk() != null) {
            result("cache_hits", counters.cache().hits());
            result("cache_misses", counters.cache().misses());
            result("programs_loaded", counters.programsLoaded());
            say("%s", counters.cache());
        }
        Path json = options.json();
        if (json == null) return;
        try {
            byte[] bytes = new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .writeValueAsBytes(results);
            AtomicFile.write(json, file -> {
                for (ByteBuffer b = ByteBuffer.wrap(bytes); b.hasRemaining(); ) file.write(b);
            });
        } catch (IOException | UncheckedIOException e) {
            throw new CommandFailure("cannot write the results: " + e.getMessage(), e);
        }
    }

    static double seconds(long nanos) {
        return nanos / 1e9;
    }

    /** From the start of the JVM to this run's beginning. */
    private double startSeconds() {
        double uptime = ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
        return Math.max(0, uptime - seconds(System.nanoTime() - began));
    }

    private void endProfile() {
        try {
            profiler.close();
        } catch (UncheckedIOException e) {
            throw new CommandFailure(e.getMessage(), e);
        }
        say("profile in %s", options.profile());
    }

    /**
     * Ends the session. What this thread has not computed yet is computed first: nothing of it may outlive
     * the session's memory.
     */
    @Override
    public void close() {
        try {
            Sinter.flush();
            if (profiler != null) endProfile();
            session.awaitDumps();
        } finally {
            scope.close();
            if (!SESSION.isBound()) session.close();
        }
    }
}
