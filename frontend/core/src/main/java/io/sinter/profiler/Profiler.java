// SPDX-License-Identifier: Apache-2.0
package io.sinter.profiler;

import io.sinter.runtime.FlightRecording;
import io.sinter.runtime.Range;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.ChromeTrace;
import io.sinter.runtime.profile.Profile;
import io.sinter.runtime.profile.Report;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Records what a session does and how long it takes; {@code torch.profiler.profile} in PyTorch:
 *
 * <pre>{@code
 * try (Profiler p = Profiler.start(ProfilerOptions.DEFAULT.withSchedule(1, 5, 10, 1).withFile(Path.of("step.json")))) {
 *     for (Batch b : loader) {
 *         step(b);
 *         p.step();
 *     }
 * }
 * }</pre>
 *
 * <p>Of each kernel it knows the calls, their time, the bytes and floating-point operations that its code asks for, the user's lines and the part of the
 * network that it computes; besides, programs compiled and loaded, memory, and ranges that the program {@linkplain #range names}. Work runs when
 * something must be known, most of it in {@code optimizer.step()}: a range around {@code forward} sees tracing, not the kernels, which are found by
 * their lines instead.
 *
 * <p>It changes no result and no program. While none is open it costs nothing. On a GPU the end of each program's run is waited for, and runs are not
 * replayed as graphs. Used by one thread; work of all threads in the session is recorded.
 */
public final class Profiler implements AutoCloseable {
    /** What files may say. */
    enum Format {
        /** A time line for Perfetto or {@code chrome://tracing}. */
        JSON,
        /** A recording for JDK Mission Control. */
        JFR,
        /** Tables. */
        TXT;

        /** By a file's ending. */
        static Format of(Path file) {
            String name = file.getFileName().toString();
            for (Format f : values()) if (name.endsWith("." + f.name().toLowerCase(Locale.ROOT))) return f;
            throw new IllegalArgumentException("a profile is written as .json (time line for Perfetto), .jfr (for JDK"
                    + " Mission Control) or .txt (tables), not as " + name);
        }
    }

    private enum State {
        IDLE,
        WARMUP,
        ACTIVE,
        OVER
    }

    private final Session session = Session.current();
    private final ProfilerOptions options;
    private final Profile profile;
    /** Of the Flight Recorder; null if no file asks for one. */
    private FlightRecording recording;

    private State state = State.IDLE;
    private int steps;
    private int cycles;
    private boolean closed;

    private Profiler(ProfilerOptions options) {
        this.options = options;
        Format format = options.file() == null ? null : Format.of(options.file());
        if (format != null) checkWritable(options.file());
        profile = new Profile(format != Format.TXT);
        enter(stateOf(0));
    }

    /** Records everything in the current session until closed. */
    public static Profiler start() {
        return start(ProfilerOptions.DEFAULT);
    }

    /**
     * Records in the current session until closed.
     *
     * @throws IllegalStateException if another profiler is open in this session
     * @throws UncheckedIOException if the options' file cannot be written: now, not after hours of work
     */
    public static Profiler start(ProfilerOptions options) {
        return new Profiler(options);
    }

    /** Makes the file's folder. */
    private static void checkWritable(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        try {
            Files.createDirectories(folder);
            if (Files.isDirectory(file)) throw new IOException(file + " is a folder");
            Path there = Files.exists(file) ? file : folder;
            if (!Files.isWritable(there)) throw new AccessDeniedException(there.toString());
        } catch (IOException e) {
            throw unwritten(file, e);
        }
    }

    private static UncheckedIOException unwritten(Path file, IOException e) {
        return new UncheckedIOException("cannot write the profile to " + file + ": " + Reason.of(e), e);
    }

    /**
     * Names what the thread does until the range is closed, for time lines and the Flight Recorder; {@code torch.profiler.record_function} in
     * PyTorch: {@code try (var _ = Profiler.range("data")) { … }}. Costs next to nothing where nobody records.
     */
    public static Range range(String name) {
        return Session.current().range(name);
    }

    /** A step has ended. Programs that call this count steps by it; others by their optimizer's steps. */
    public void step() {
        if (closed) throw new IllegalStateException("this profiler was closed");
        if (state == State.ACTIVE || state == State.WARMUP) {
            session.synchronize();
            profile.step(true);
        }
        State next = stateOf(++steps);
        boolean scheduled = options.active() > 0;
        boolean cycleEnds = scheduled && state == State.ACTIVE && (next != State.ACTIVE || steps % cycle() == 0);
        if (cycleEnds) {
            enter(State.IDLE);
            ready();
        }
        enter(next);
    }

    private int cycle() {
        return options.idle() + options.warmup() + options.active();
    }

    /** The state of a step. */
    private State stateOf(int step) {
        if (options.active() == 0) return State.ACTIVE;
        if (options.repeat() > 0 && step / cycle() >= options.repeat()) return State.OVER;
        int at = step % cycle();
        return at < options.idle() ? State.IDLE : at < options.idle() + options.warmup() ? State.WARMUP : State.ACTIVE;
    }

    private void enter(State next) {
        if (next == state) return;
        boolean on = next == State.ACTIVE || next == State.WARMUP;
        boolean before = state == State.ACTIVE || state == State.WARMUP;
        if (on && !before) {
            profile.reset();
            session.profileInto(profile);
        } else if (on) {
            profile.reset(); // what was recorded to warm up
        } else if (before) {
            session.profileInto(null);
        }
        if (options.file() != null && Format.of(options.file()) == Format.JFR) record(next);
        state = next;
    }

    private void record(State next) {
        if (next == State.ACTIVE) recording = new FlightRecording();
        else if (recording != null) recording.stop();
    }

    private void ready() {
        cycles++;
        try {
            if (options.file() != null) write(numbered(options.file()));
            session.showInDumps(report());
            options.onReady().accept(this);
        } finally {
            if (recording != null) recording.close();
            recording = null;
        }
    }

    private Path numbered(Path file) {
        if (cycles == 1) return file;
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(name.substring(0, dot) + "-" + cycles + name.substring(dot));
    }

    /** What has been recorded since the active steps began, added up; {@code key_averages} in PyTorch. */
    public Report report() {
        return session.report(profile, options.peaks());
    }

    /** {@link #report} as tables: by kernel, by part of the network, by line. */
    public String table() {
        return report().toString();
    }

    /**
     * Writes what has been recorded: {@code .json}, a time line in the Trace Event Format (for {@code ui.perfetto.dev} or
     * {@code chrome://tracing}); {@code .txt}, tables; {@code .jfr}, the Flight Recorder's events, if the options' file is one too, and until the cycle's
     * {@link ProfilerOptions#onReady onReady} has returned.
     *
     * @throws IllegalArgumentException if the file has another ending
     * @throws IllegalStateException if what it should say was not recorded, as a time line where the options' file is a {@code .txt}
     * @throws UncheckedIOException if it cannot be written
     */
    public void write(Path file) {
        Format format = Format.of(file);
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null) Files.createDirectories(folder);
            switch (format) {
                case TXT -> Files.writeString(file, table());
                case JSON -> {
                    if (!profile.hasTimeline())
                        throw new IllegalStateException(
                                "no time line was recorded, since the profiler's file is a .txt");
                    Report report = report();
                    try (Writer out = Files.newBufferedWriter(file)) {
                        ChromeTrace.write(profile, report, out);
                    }
                }
                case JFR -> {
                    if (recording == null)
                        throw new IllegalStateException(
                                "no recording of the Flight Recorder is there: give the profiler's options a .jfr file, and write in active steps or in onReady");
                    recording.dump(file);
                }
            }
        } catch (IOException e) {
            throw unwritten(file, e);
        }
    }

    /** Ends recording. Reports can still be asked for. */
    @Override
    public void close() {
        if (closed) return;
        closed = true;
        boolean active = state == State.ACTIVE;
        enter(State.OVER);
        if (active) ready();
    }
}
