// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Numerics;
import io.sinter.ir.loop.Kernel;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.ProgramInputs;
import io.sinter.runtime.profile.Peaks;
import io.sinter.runtime.profile.Profile;
import io.sinter.runtime.profile.Report;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * All mutable state of Sinter: memory, threads, compiled programs, counters, and what the frontend keeps beside them. There is one for the
 * process, opened from the system properties at first use; tests and servers open others.
 *
 * <p>Buffers and executables belong to the session that made them. Safe for use by many threads.
 */
public final class Session implements AutoCloseable {
    private static final ThreadLocal<Session> BOUND = new ThreadLocal<>();

    private final Options options;
    private final Allocator allocator;
    private final Allocator hostMemory;
    private final WorkerPool pool;
    private final Counters counters = new Counters();
    private final ExecutableCache executables;
    private final ExecutableCache watched;
    private final SessionCode code;
    private final JvmKernels jvmKernels;
    private final ConcurrentHashMap<Class<?>, Object> attachments = new ConcurrentHashMap<>();
    /** Null on the JVM. */
    private Gpu gpu;

    private final Watching watching = new Watching();
    /** The one that {@code -Dsinter.profile=true} asks for; else null. */
    private final Profile printed;

    private final AtomicInteger programs = new AtomicInteger();
    private volatile Numerics numerics = Numerics.DEFAULT;
    /** Null for not at all. */
    private volatile Duration autotune;

    private final SessionCache kept = new SessionCache(this);
    private volatile boolean closed;

    /** @param driver of the GPU, if the device is one; null for the device's own */
    private Session(Options options, GpuDriver driver) {
        this.options = options;
        SessionProperties asked = SessionProperties.read();
        hostMemory = new Allocator(Device.JVM, new HostMemory(), options.memoryLimit());
        allocator = switch (options.device().kind()) {
            case JVM -> hostMemory;
            case CUDA, PTX_SIM -> {
                gpu = driver != null
                        ? new Gpu(driver, counters, this::disk)
                        : Gpu.open(options.device(), counters, this::disk);
                long most = gpu.driver().properties().memoryBytes();
                yield new Allocator(options.device(), gpu.memory(), Math.min(options.memoryLimit(), most));
            }
        };
        pool = new WorkerPool(options.threads());
        executables = new ExecutableCache(options.cachedPrograms(), counters);
        watched = new ExecutableCache(options.cachedPrograms(), counters);
        JvmFeatures.adviseOnce();
        cache(options.cache());
        code = new SessionCode(new JvmCode(io.sinter.codegen.jvm.Options.preferred(), counters, this::disk));
        code.seedFault(asked.fault());
        jvmKernels = new JvmKernels(code);
        JvmFeatures.initialiseOnce(new Rehearsal(this, kept.uncounted(), kept.practice()));
        dumpTo(asked.dump());
        dumpInputs(asked.dumpedInputs());
        logRecompiles(asked.recompiles());
        autotune(asked.autotune());
        check(options.checks());
        printed = asked.profile() ? new Profile(false) : null;
        if (printed != null) profileInto(printed);
    }

    /** The process's session is never closed: what it has to say in the end is said at exit. */
    void reportAtExit() {
        if (printed != null) Runtime.getRuntime().addShutdownHook(new Thread(this::printProfile));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            DiskCache now = disk();
            if (now == null) return;
            now.flush();
            System.err.println(counters.cache());
        }));
    }

    /**
     * Keeps compiled programs on disk from now on, or no longer ({@link CacheOptions#NONE}), whatever the session was opened with.
     *
     * @throws IllegalArgumentException if programs are to be compiled for a GPU that is none, see {@link CacheOptions#warm}
     */
    public void cache(CacheOptions where) {
        kept.open(where);
    }

    /** For which other devices this session's programs are compiled, too. */
    List<CrossCompiler> crossCompilers() {
        return kept.crossCompilers();
    }

    /** Compiled programs on disk, or null. */
    public DiskCache disk() {
        return kept.disk();
    }

    /** A session of its own. Close it. */
    public static Session open(Options options) {
        return new Session(options, null);
    }

    /** A session with another driver than its GPU's own: for tests. */
    static Session open(Options options, GpuDriver driver) {
        return new Session(options, driver);
    }

    /**
     * The session of this thread: the one that {@link #use} bound, or else the process's.
     *
     * @throws SettingException if the process has none, as a system property says what it cannot say
     */
    public static Session current() {
        Session bound = BOUND.get();
        return bound != null ? bound : SharedSession.get();
    }

    /** Makes this the current session of the calling thread until the scope is closed. */
    public Scope use() {
        Session before = BOUND.get();
        BOUND.set(checkOpen());
        return () -> {
            if (before == null) BOUND.remove();
            else BOUND.set(before);
        };
    }

    /** Ends a {@link #use}. */
    public interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    public Options options() {
        return options;
    }

    /** The default device. */
    public Device device() {
        return options.device();
    }

    /** The memory of the default device. */
    public Allocator allocator() {
        return allocator;
    }

    /** The threads that kernels run on. */
    public WorkerPool pool() {
        return pool;
    }

    /** Compiled programs by canonical form: those that are watched, if they are. */
    public ExecutableCache executables() {
        return watches() ? watched : executables;
    }

    /**
     * What is recorded of this session's work; null while nothing is. With {@code -Dsinter.profile=true} there is one from the start, and it is printed
     * when the session is closed (the process's: at exit).
     */
    public Profile profile() {
        return watching.profile();
    }

    /**
     * From now on {@code to} records what this session does, and how long it takes. What a GPU was given before is waited for.
     *
     * @param to null ends it
     * @throws IllegalStateException if another profile records this session already
     */
    public synchronized void profileInto(Profile to) {
        Profile now = watching.profile();
        if (to != null && now != null) {
            String other = now == printed ? "-Dsinter.profile=true" : "another profiler";
            throw new IllegalStateException("this session is being profiled already, by " + other);
        }
        if (to == now) return;
        if (to != null) {
            synchronize();
            watching.record(to, allocator);
            return;
        }
        try {
            synchronize();
        } finally {
            watching.record(null, allocator); // whatever a run that is waited for here has to say
        }
    }

    /** Whether an open session of this process records a profile. */
    public static boolean isProfiling() {
        return Watching.isProfiling();
    }

    /** Whether one of those profiles keeps a time line. */
    public static boolean keepsTimeline() {
        return Watching.keepsTimeline();
    }

    /** How many profiles have begun in this process: what is remembered for one is looked for again when that changes. */
    public static long profiles() {
        return Watching.profiles();
    }

    /** Whether parts of networks are wanted for every node: while sources are tracked, and for profiles. */
    public static boolean tracksModules() {
        return tracksSources() || isProfiling();
    }

    /**
     * What a profile has recorded of this session, added up.
     *
     * @param peaks whether to compare it with what the device can do, which is measured at first; it takes a second or two, once for a process
     */
    public Report report(Profile of, boolean peaks) {
        String clock =
                switch (device().kind()) {
                    case JVM -> "";
                    case PTX_SIM -> "times of kernels are the host's, for simulating them: they say nothing of a GPU";
                    case CUDA -> "times of kernels are the device's";
                };
        Report report = new Report(of, new Report.Machine(device().toString(), options.threads(), clock, Peaks.NONE));
        return peaks ? report.with(DeviceMeter.peaks(this, report.kernels())) : report;
    }

    /** Adds what a report says to the dumps of those programs that it saw run, if this session dumps its programs. */
    public void showInDumps(Report report) {
        Dumps to = watching.dumps();
        if (to != null) to.profiled(report);
    }

    /** Names a range of time for profiles and the Flight Recorder, until it is closed on the same thread. Costs next to nothing while neither records. */
    public Range range(String name) {
        return new Range(this, name);
    }

    /** The number of the next program that is linked. */
    int nextProgram() {
        return programs.incrementAndGet();
    }

    private void printProfile() {
        System.err.print(report(printed, false));
    }

    /**
     * From now on every program that this session compiles is dumped into a folder of its own under {@code folder}: its graph after each pass,
     * its kernels and their code, and where all that comes from. With {@code -Dsinter.dump=DIR} sessions do so from the start. What was to be dumped
     * before is waited for.
     *
     * @param folder made if it is not there; null ends it
     * @throws UncheckedIOException if the folder cannot be made or not be written, and nothing has changed then; or if a program could not be
     *     written to the folder of before
     */
    public synchronized void dumpTo(Path folder) {
        Dumps last = watching.dumpTo(folder == null ? null : new Dumps(folder));
        if (last != null) last.await();
    }

    /**
     * Waits until all programs that this session has compiled are in the folder that they are dumped to: most of a dump is written while work goes on.
     * {@link #dumpTo}, {@link #close} and the end of the process wait, too.
     *
     * @throws UncheckedIOException if one could not be written
     */
    public void awaitDumps() {
        Dumps now = watching.dumps();
        if (now != null) now.await();
    }

    /**
     * Stores, beside each program that is dumped from now on, the arguments that it is run with first, for {@code sinter dump replay} and {@code
     * minimize}. With {@code -Dsinter.dump.inputs=BYTES} (or {@code true}, for {@link ProgramInputs#DEFAULT_BYTES}) sessions do so from the start.
     *
     * @param bytes most bytes of a program's arguments; larger ones are left out, and said to be. 0 ends it
     */
    public void dumpInputs(long bytes) {
        if (bytes < 0) throw new IllegalArgumentException("bytes of dumped inputs must not be negative: " + bytes);
        watching.dumpInputs(bytes);
    }

    /** Bytes of a program's arguments that are stored with its dump. */
    long dumpedInputs() {
        return watching.dumpedInputs();
    }

    /**
     * Says of every program that is compiled from now on in what it differs from the nearest one that was there: which argument's type, which
     * operator at which line (PyTorch's {@code TORCH_LOGS=recompiles}). With {@code -Dsinter.log=recompiles} sessions do so from the start, on standard error.
     *
     * @param out takes a message of one or more lines; null ends it
     */
    public synchronized void logRecompiles(Consumer<String> out) {
        watching.logRecompiles(out == null ? null : new RecompileLog(out));
    }

    /** Who is told of compilations, or null. */
    RecompileLog recompileLog() {
        return watching.recompiles();
    }

    /**
     * From now on the forms of the kernels of each program that this session compiles are chosen by measuring them on scratch memory, for at most about so
     * long a program: which operand of a product is packed, tiles, parts of sums, an algorithm for a convolution. What was chosen is a part of the program,
     * as forms may round differently, and is kept with it in the cache on disk, where there is one: then who finds it there measures nothing. Without one a
     * program's bits may differ from process to process. {@code -Dsinter.autotune=SECONDS} does so from the start.
     *
     * @param budget null leaves the choice to tables again, functions of extents and target
     */
    public void autotune(Duration budget) {
        if (budget != null && (budget.isNegative() || budget.isZero()))
            throw new IllegalArgumentException("the time to measure in must be positive: " + budget);
        autotune = budget;
    }

    /** How long a program's kernels may be measured; null if their forms are not chosen by measuring. */
    public Duration autotune() {
        return autotune;
    }

    /** For tests: kernels of the JVM are generated as {@code change} makes them. */
    void seedFault(UnaryOperator<Kernel> change) {
        code.seedFault(change);
    }

    /**
     * Checks programs so from now on, whatever the session was opened with: also those that are compiled already, each of which is compiled once more
     * when it runs next.
     *
     * @param what {@link Checks#NONE} ends it
     */
    public synchronized void check(Checks what) {
        watching.check(Objects.requireNonNull(what, "what"));
    }

    /** What is checked of programs. */
    public Checks checks() {
        return watching.checks();
    }

    /** Whether somebody looks at how programs run. */
    public boolean watches() {
        return watching.ofRuns();
    }

    /** Where programs are dumped, or null. */
    Dumps dumps() {
        return watching.dumps();
    }

    /** Whether source lines and module paths are wanted for every node: an open session of this process dumps programs, checks them, or says why. */
    public static boolean tracksSources() {
        return Watching.tracksSources();
    }

    public Counters counters() {
        return counters;
    }

    /**
     * State that another module keeps in this session, made at first use: {@code session.attached(Generator.class, Generator::new)}.
     *
     * @param type what it is, and its key
     */
    public <T> T attached(Class<T> type, Function<? super Session, ? extends T> make) {
        Object found = attachments.get(type);
        if (found == null) found = attachments.computeIfAbsent(type, _ -> make.apply(this));
        return type.cast(found);
    }

    JvmKernels jvmKernels() {
        return jvmKernels;
    }

    /** Memory that the host works with, whatever the device: the device's, if that is the JVM. */
    Allocator hostMemory() {
        return hostMemory;
    }

    /** Waits until the device has done all that it was given so far. On the JVM it has. */
    public void synchronize() {
        if (gpu != null) gpu.synchronize();
    }

    /** The GPU; null on the JVM. */
    Gpu gpu() {
        return gpu;
    }

    /** How exactly products of f32 matrices, and convolutions, multiply on devices that can do it faster; {@code HIGHEST} at first. */
    public MatmulPrecision matmulPrecision() {
        return numerics.products();
    }

    /** Programs compiled from now on multiply so; {@link #matmulPrecision} is in their keys. */
    public void setMatmulPrecision(MatmulPrecision precision) {
        numerics = numerics.withProducts(precision);
    }

    /** Whether programs add up in one order always; they do at first. */
    public boolean isDeterministic() {
        return numerics.deterministic();
    }

    /** Programs compiled from now on may add up in whatever order is fastest, or may not; {@link #isDeterministic} is in their keys. */
    public void setDeterministic(boolean on) {
        numerics = numerics.withDeterministic(on);
    }

    /** All that is chosen about rounding. */
    public Numerics numerics() {
        return numerics;
    }

    Session checkOpen() {
        if (closed) throw new IllegalStateException("this session was closed");
        return this;
    }

    /** Frees all memory and ends the threads. Tensors of the session can no longer be read. */
    @Override
    public void close() {
        if (closed) return;
        closed = true;
        kept.close();
        if (printed != null) printProfile();
        check(Checks.NONE);
        logRecompiles(null);
        try {
            profileInto(null);
            dumpTo(null);
        } finally {
            pool.close();
            executables.clear();
            watched.clear();
            if (gpu != null) gpu.runsAhead(null);
            allocator.close();
            hostMemory.close();
            if (gpu != null) gpu.close();
        }
    }
}
