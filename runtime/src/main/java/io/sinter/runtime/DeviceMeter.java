// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Matmul;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Peaks;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Measures what a device can do: what kernels are compared with. */
public final class DeviceMeter {
    private static final int ROUNDS = 5;
    private static final int LAUNCH_ROUNDS = 300;
    private static final int LAUNCHES = 100;

    /** Edge of the square matrices whose product measures arithmetic, and its elements: 1024³ takes some milliseconds on a CPU, 4096³ on a GPU. */
    private static final long CPU_EDGE = 1024;

    private static final long GPU_EDGE = 4096;
    /** Elements of the arrays that are added, larger than caches. */
    private static final long STREAM = 1 << 24;
    /** Measuring one thing ends when it has not become faster for so many rounds. */
    private static final int PATIENCE = 12;

    private static final long MOST_NANOS = 1_500_000_000L;

    private record Place(Device device, int threads) {}

    private static final Map<Place, Peaks> MEASURED = new HashMap<>();

    private DeviceMeter() {}

    /**
     * The best rates that this session's device has shown, with as many threads: of memory by the better of an addition and a sum of large arrays (on a
     * GPU, by a copy), of arithmetic by products of square matrices of those types that {@code kernels} compute with. Measured once for a process.
     * Nothing for the simulator, whose times say nothing, and for backends that generate no code.
     */
    static Peaks peaks(Session session, List<KernelTime> kernels) {
        Device device = session.device();
        if (device.kind() == Device.Kind.PTX_SIM || session.options().backend() != Options.Backend.GENERATED)
            return Peaks.NONE;
        Set<DType> types = EnumSet.noneOf(DType.class);
        for (KernelTime k : kernels)
            if (k.work().flops() > 0) types.add(k.work().unit());
        synchronized (MEASURED) {
            Place place = new Place(device, session.options().threads());
            Peaks known = MEASURED.getOrDefault(place, Peaks.NONE);
            Map<DType, Double> flops = new EnumMap<>(DType.class);
            flops.putAll(known.flops());
            double memory = known.bytesPerSecond();
            types.removeAll(flops.keySet());
            if (memory == 0 || !types.isEmpty()) {
                Options own = session.options().withCache(CacheOptions.NONE);
                try (Session quiet = Session.open(own)) {
                    quiet.dumpTo(null);
                    quiet.profileInto(null);
                    if (memory == 0) memory = memory(quiet);
                    for (DType t : types) flops.put(t, product(quiet, t));
                }
            }
            Peaks peaks = new Peaks(memory, flops);
            MEASURED.put(place, peaks);
            return peaks;
        }
    }

    private static double memory(Session session) {
        if (session.gpu() != null) return copyRate(session, 4 * STREAM);
        Type type = Type.of(DType.F32, STREAM);
        GraphBuilder add = new GraphBuilder();
        Graph sum = add.build(add.add(add.input(type), add.input(type)));
        GraphBuilder reduce = new GraphBuilder();
        Graph total = reduce.build(reduce.sum(reduce.input(type), 0));
        return Math.max(3.0 * type.bytes() / seconds(session, sum), type.bytes() / seconds(session, total));
    }

    private static double product(Session session, DType type) {
        long n = session.gpu() == null ? CPU_EDGE : GPU_EDGE;
        GraphBuilder g = new GraphBuilder();
        Node product = g.apply(new Matmul(), g.input(Type.of(type, n, n)), g.input(Type.of(type, n, n)));
        return 2.0 * n * n * n / seconds(session, g.build(product));
    }

    /** The shortest time of a program on zeros. */
    private static double seconds(Session session, Graph graph) {
        Executable program = Executable.compile(graph, CompileContext.of(session));
        List<Buffer> args = new ArrayList<>();
        for (Type t : program.argTypes()) {
            Buffer b = session.allocator().allocate(t.bytes(), "operands of a measurement");
            if (session.gpu() == null) Memory.fill(b.address(), t.bytes(), (byte) 0);
            else session.gpu().driver().fill(session.gpu().stream(), b.address(), (byte) 0, t.bytes());
            args.add(b);
        }
        long best = Long.MAX_VALUE;
        long began = System.nanoTime();
        for (int since = 0; since < PATIENCE && System.nanoTime() - began < MOST_NANOS; since++) {
            session.synchronize();
            long start = System.nanoTime();
            Run run = program.run(args);
            session.synchronize();
            long nanos = System.nanoTime() - start;
            run.results().forEach(Buffer::release);
            if (nanos < 0.98 * best) since = 0;
            best = Math.min(best, nanos);
        }
        args.forEach(Buffer::release);
        return best * 1e-9;
    }

    /**
     * The best rate of copies within the session's GPU, read and written bytes counted, in bytes a second.
     *
     * @param bytes of a copy
     * @throws IllegalArgumentException if the session's device is no GPU
     */
    public static double copyRate(Session session, long bytes) {
        Gpu gpu = gpu(session);
        Buffer from = session.allocator().allocate(bytes, "copies that are timed");
        Buffer to = session.allocator().allocate(bytes, "copies that are timed");
        try {
            gpu.driver().fill(gpu.stream(), from.address(), (byte) 1, bytes);
            long best = Long.MAX_VALUE;
            for (int i = 0; i < ROUNDS; i++)
                best = Math.min(
                        best, gpu.time(() -> gpu.driver().copy(gpu.stream(), from.address(), to.address(), bytes)));
            return 2e9 * bytes / Math.max(1, best);
        } finally {
            from.release();
            to.release();
        }
    }

    /**
     * The host's time to queue a launch of an empty kernel, the best of some rounds of a hundred.
     *
     * @return nanoseconds
     * @throws IllegalArgumentException if the session's device is no GPU
     */
    public static double launchNanos(Session session) {
        Gpu gpu = gpu(session);
        return queueing(gpu, emptyLaunch(gpu), LAUNCHES);
    }

    /**
     * The host's time to queue a captured graph of launches of an empty kernel, as a program that runs again is queued; the best of some rounds of a hundred graphs, but
     * of so few that the GPU does not fall behind.
     *
     * @param launches in a graph
     * @return nanoseconds for the graph
     * @throws IllegalArgumentException if the session's device is no GPU
     */
    public static double graphNanos(Session session, int launches) {
        Gpu gpu = gpu(session);
        Runnable launch = emptyLaunch(gpu);
        gpu.driver().beginCapture(gpu.stream());
        for (int i = 0; i < launches; i++) launch.run();
        GpuDriver.Graph graph = gpu.driver().endCapture(gpu.stream());
        try {
            return queueing(gpu, () -> gpu.driver().launch(gpu.stream(), graph), Math.max(1, LAUNCHES / launches));
        } finally {
            gpu.driver().destroy(graph);
        }
    }

    private static Gpu gpu(Session session) {
        Gpu gpu = session.gpu();
        if (gpu == null) throw new IllegalArgumentException(session.device() + " is no GPU");
        return gpu;
    }

    private static Runnable emptyLaunch(Gpu gpu) {
        KernelBuilder none = new KernelBuilder("empty");
        none.ret();
        String text = new PtxModule(gpu.modules().target(), List.of(none.build())).toString();
        GpuDriver.Function empty = gpu.driver().load(text).function("empty");
        GpuDriver.Grid grid = new GpuDriver.Grid(1, 1, 32, 1, 0);
        return () -> gpu.driver().launch(gpu.stream(), empty, grid);
    }

    /** The host's least time to queue something, so many times in a row on a GPU that has nothing else to do, in nanoseconds for each. */
    private static double queueing(Gpu gpu, Runnable work, int times) {
        long best = Long.MAX_VALUE;
        for (int left = LAUNCH_ROUNDS * LAUNCHES; left > 0; left -= times) {
            gpu.synchronize();
            long start = System.nanoTime();
            for (int i = 0; i < times; i++) work.run();
            best = Math.min(best, System.nanoTime() - start);
        }
        gpu.synchronize();
        return (double) best / times;
    }
}
