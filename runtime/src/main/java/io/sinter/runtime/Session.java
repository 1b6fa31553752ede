// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.CacheStats;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.ProgramInputs;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * All mutable state of Sinter: memory, threads, compiled programs, counters, and what the frontend keeps beside them. There is one for the
 * process, opened from the system properties at first use; tests and servers open others.
 *
 * <p>Buffers and executables belong to the session that made them. Safe for use by many threads.
 */
public final class Session implements AutoCloseable {
    /** The process's session, opened when first asked for and never closed. */
    private static final class Shared {
        static final Session INSTANCE = new Session(Options.fromProperties(), null);

        static {
            Profile profile = INSTANCE.profile;
            if (profile.isOn()) Runtime.getRuntime().addShutdownHook(new Thread(() -> System.err.print(profile)));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                if (INSTANCE.disk != null) System.err.println(INSTANCE.counters.cache());
            }));
        }
    }

    private static final ThreadLocal<Session> BOUND = new ThreadLocal<>();

    private final Options options;
    private final Allocator allocator;
    private final Allocator hostMemory;
    private final WorkerPool pool;
    private final Counters counters = new Counters();
    private final ExecutableCache executables;
    private final ExecutableCache watched;
    private final JvmKernels jvmKernels;
    private final Profile profile = new Profile();
    private final ConcurrentHashMap<Class<?>, Object> attachments = new ConcurrentHashMap<>();
    /** Null on the JVM. */
    private Gpu gpu;

    private volatile Dumps dumps;
    private volatile Checks checks = Checks.NONE;
    private volatile long dumpedInputs;
    /** Changes kernels before code is generated for them: a fault for tests to find. */
    private volatile UnaryOperator<Kernel> fault = UnaryOperator.identity();
    /** How many open sessions of this process dump or check their programs, and want to know their sources. */
    private static final AtomicInteger TRACKING = new AtomicInteger();

    private volatile MatmulPrecision matmulPrecision = MatmulPrecision.HIGHEST;
    private volatile DiskCache disk;
    private volatile List<CrossCompiler> crossCompilers = List.of();
    private volatile boolean closed;

    /** @param driver of the GPU, if the device is one; null for the device's own */
    private Session(Options options, GpuDriver driver) {
        this.options = options;
        profile.enable(Boolean.getBoolean("sinter.profile"));
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
        JvmCode code = new JvmCode(io.sinter.codegen.jvm.Options.preferred(), counters, this::disk);
        jvmKernels = new JvmKernels((kernel, name) -> code.make(fault.apply(kernel), name));
        JvmFeatures.initialiseOnce(this::firstKernel);
        String folder = System.getProperty("sinter.dump");
        if (folder != null) dumpTo(Path.of(folder));
        dumpInputs(dumpedInputsFromProperties());
        check(options.checks());
    }

    /** A kernel that no program asked for: it comes from the cache like any other, and counts nowhere. */
    private JvmKernel firstKernel(Kernel kernel) {
        DiskCache uncounted = DiskCache.open(options.cache(), new CacheStats());
        return new JvmCode(io.sinter.codegen.jvm.Options.preferred(), new Counters(), () -> uncounted)
                .make(kernel, StoredPlan.name(kernel));
    }

    /**
     * Keeps compiled programs on disk from now on, or no longer ({@link CacheOptions#NONE}), whatever the session was opened with.
     *
     * @throws IllegalArgumentException if programs are to be compiled for a GPU that is none, see {@link CacheOptions#warm}
     */
    public void cache(CacheOptions where) {
        List<Target> targets = where.warm().stream().map(Target::parse).toList();
        disk = DiskCache.open(where, counters.cache);
        crossCompilers = List.of();
        if (targets.isEmpty()) return;
        DiskCache uncounted = where.folder() == null ? null : DiskCache.open(where, new CacheStats());
        if (uncounted == null) {
            System.getLogger("io.sinter.cache")
                    .log(System.Logger.Level.WARNING, "nothing is compiled for {0}: there is no cache", targets);
            return;
        }
        crossCompilers =
                targets.stream().map(t -> new CrossCompiler(this, t, uncounted)).toList();
    }

    /** For which other devices this session's programs are compiled, too. */
    List<CrossCompiler> crossCompilers() {
        return crossCompilers;
    }

    /** Compiled programs on disk, or null. */
    public DiskCache disk() {
        return disk;
    }

    /** A session of its own. Close it. */
    public static Session open(Options options) {
        return new Session(options, null);
    }

    /** A session with another driver than its GPU's own: for tests. */
    static Session open(Options options, GpuDriver driver) {
        return new Session(options, driver);
    }

    /** The session of this thread: the one that {@link #use} bound, or else the process's. */
    public static Session current() {
        Session bound = BOUND.get();
        return bound != null ? bound : Shared.INSTANCE;
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

    /** Time by kernel; off until it is enabled. With {@code -Dsinter.profile=true} it is on, and printed when the session is closed (the process's: at exit). */
    public Profile profile() {
        return profile;
    }

    /**
     * From now on every program that this session compiles is dumped into a folder of its own under {@code folder}: its graph after each pass,
     * its kernels and their code, and where all that comes from. With {@code -Dsinter.dump=DIR} sessions do so from the start.
     *
     * @param folder made when it is needed; null ends it
     */
    public synchronized void dumpTo(Path folder) {
        boolean before = tracks();
        dumps = folder == null ? null : new Dumps(folder);
        tracked(before);
    }

    /**
     * Stores, beside each program that is dumped from now on, the arguments that it is run with first, for {@code sinter dump replay} and {@code
     * minimize}. With {@code -Dsinter.dump.inputs=BYTES} (or {@code true}, for {@link ProgramInputs#DEFAULT_BYTES}) sessions do so from the start.
     *
     * @param bytes most bytes of a program's arguments; larger ones are left out, and said to be. 0 ends it
     */
    public void dumpInputs(long bytes) {
        if (bytes < 0) throw new IllegalArgumentException("bytes of dumped inputs must not be negative: " + bytes);
        dumpedInputs = bytes;
    }

    /** Bytes of a program's arguments that are stored with its dump. */
    long dumpedInputs() {
        return dumpedInputs;
    }

    private static long dumpedInputsFromProperties() {
        String text = System.getProperty("sinter.dump.inputs", "false");
        if (text.equals("false")) return 0;
        if (text.equals("true")) return ProgramInputs.DEFAULT_BYTES;
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "-Dsinter.dump.inputs=" + text + " is neither a number of bytes nor true or false", e);
        }
    }

    /** For tests: kernels of the JVM are generated as {@code change} makes them. */
    void seedFault(UnaryOperator<Kernel> change) {
        fault = change;
    }

    /**
     * Checks programs so from now on, whatever the session was opened with: also those that are compiled already, each of which is compiled once more
     * when it runs next.
     *
     * @param what {@link Checks#NONE} ends it
     */
    public synchronized void check(Checks what) {
        boolean before = tracks();
        checks = Objects.requireNonNull(what, "what");
        tracked(before);
    }

    /** What is checked of programs. */
    public Checks checks() {
        return checks;
    }

    /** Whether somebody looks at how programs run. */
    public boolean watches() {
        return checks.any() || dumps != null && dumpedInputs > 0;
    }

    private boolean tracks() {
        return dumps != null || checks.any();
    }

    private void tracked(boolean before) {
        TRACKING.addAndGet((tracks() ? 1 : 0) - (before ? 1 : 0));
    }

    /** Where programs are dumped, or null. */
    Dumps dumps() {
        return dumps;
    }

    /** Whether source lines and module paths are wanted for every node: an open session of this process dumps programs, or checks them. */
    public static boolean tracksSources() {
        return TRACKING.get() > 0;
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
        return matmulPrecision;
    }

    /** Programs compiled from now on multiply so; {@link #matmulPrecision} is in their keys. */
    public void setMatmulPrecision(MatmulPrecision precision) {
        matmulPrecision = Objects.requireNonNull(precision, "precision");
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
        if (Boolean.getBoolean("sinter.profile")) System.err.print(profile);
        dumpTo(null);
        check(Checks.NONE);
        pool.close();
        executables.clear();
        watched.clear();
        allocator.close();
        hostMemory.close();
        if (gpu != null) gpu.close();
    }
}
