// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.cache.DiskCache;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Supplier;

/**
 * A session's GPU: its driver, the one stream that all of the session's work goes through, transfers, and the kernels that are loaded. Work is in
 * the stream's order, so memory that was given back may be handed out again at once: what its last owner queued comes first. Holding its
 * monitor is having the GPU.
 */
final class Gpu implements AutoCloseable {
    /** Kernels that a fault's message names. */
    private static final int REMEMBERED = 16;

    private static final Cleaner CLEANER = Cleaner.create();

    private final GpuDriver driver;
    private final GpuDriver.Stream stream;
    private final GpuTransfers transfers;
    private final IndexChecks checks;
    private final PtxModules modules;
    private final MatmulChoice matmulChoice = MatmulChoice.fromProperty();
    /** Null if there is none, or it is not wanted. */
    private MatmulLibrary matmul;

    private final boolean waits = Boolean.getBoolean("sinter.gpu.wait");
    private final boolean ahead = !"false".equals(System.getProperty("sinter.gpu.ahead")) && !waits;
    private final boolean graphs = !"false".equals(System.getProperty("sinter.gpu.graphs")) && !waits;
    /** Names of the last kernels that have been queued and not been waited for. */
    private final ArrayDeque<String> running = new ArrayDeque<>();

    /** The run that has begun before all of its arguments were known; null if there is none. */
    private PtxBegun begun;

    private volatile boolean closed;

    /** @param disk where code is kept between processes; gives null for nowhere */
    Gpu(GpuDriver driver, Counters counters, Supplier<DiskCache> disk) {
        this.driver = driver;
        stream = driver.createStream();
        transfers = new GpuTransfers(driver, stream);
        checks = new IndexChecks(driver, stream, transfers);
        modules = new PtxModules(driver, counters, disk);
    }

    /**
     * The GPU of a device.
     *
     * @throws UnsupportedOperationException if the device is no GPU
     */
    static Gpu open(Device device, Counters counters, Supplier<DiskCache> disk) {
        return switch (device.kind()) {
            case PTX_SIM -> new Gpu(new SimDriver(SimDriver.chosen()), counters, disk);
            case CUDA -> {
                CudaDriver driver = CudaDriver.open(CudaLibrary.here(), device.index());
                Gpu gpu = new Gpu(driver, counters, disk);
                if (gpu.matmulChoice != MatmulChoice.OWN) gpu.openMatmul(driver);
                yield gpu;
            }
            case JVM -> throw new UnsupportedOperationException(device + " is no GPU");
        };
    }

    private void openMatmul(CudaDriver driver) {
        CublasFiles files = CublasFiles.find();
        matmul = driver.openMatmul(files, stream);
        if (matmul == null && matmulChoice == MatmulChoice.CUBLAS)
            throw new IllegalStateException("-D" + MatmulChoice.PROPERTY + "=cublas: " + files.where());
    }

    /** Lets a library do matrix products: for tests. */
    void useMatmul(MatmulLibrary library) {
        matmul = library;
    }

    /** The library that does products where somebody chooses so; null if there is none, or it is not wanted. */
    MatmulLibrary matmul() {
        return matmulChoice == MatmulChoice.OWN ? null : matmul;
    }

    /** The library that is to do a product; null for our own kernels. */
    MatmulLibrary matmulFor(MatmulProblem problem) {
        return matmul != null && matmul.takes(problem) && matmulChoice.isForLibrary(problem) ? matmul : null;
    }

    GpuDriver driver() {
        return driver;
    }

    GpuDriver.Stream stream() {
        return stream;
    }

    IndexChecks checks() {
        return checks;
    }

    PtxModules modules() {
        return modules;
    }

    /** Queues a copy to the device; {@code source} may change as soon as this returns. */
    synchronized void write(long address, MemorySegment source) {
        transfers.write(address, source);
    }

    /** Copies from the device, when all that was queued before is done. */
    synchronized void read(long address, MemorySegment target) {
        checked(() -> transfers.read(address, target));
    }

    /** Waits until all that was queued is done. */
    synchronized void synchronize() {
        checked(() -> driver.synchronize(stream));
    }

    /** Waits for everything; a fault's message gets the kernels that may have it. Errors of index checks are found here. */
    private void checked(Runnable wait) {
        try {
            wait.run();
        } catch (GpuFaultException e) {
            checks.forget();
            if (running.isEmpty()) throw e;
            throw new GpuFaultException(
                    e.getMessage() + ". One of the last kernels was running: " + String.join(", ", running)
                            + ". To see which, run again with -Dsinter.gpu.wait=true",
                    e);
        }
        running.clear();
        checks.waited();
    }

    /** Notes that a kernel has been queued. */
    void queued(GpuDriver.Function kernel) {
        if (running.size() == REMEMBERED) running.removeFirst();
        running.addLast(kernel.name());
    }

    /** Whether each kernel is to be waited for ({@code -Dsinter.gpu.wait=true}). */
    boolean waitsForEach() {
        return waits;
    }

    /** Waits for the kernel just queued; {@code lines} are source lines whose results it works on. */
    void waitFor(GpuDriver.Function kernel, List<?> lines) {
        try {
            driver.synchronize(stream);
            running.clear();
        } catch (GpuFaultException e) {
            StringBuilder text = new StringBuilder(e.getMessage() + " in kernel " + kernel.name());
            for (Object line : lines) text.append("\n    at ").append(line);
            throw new GpuFaultException(text.toString(), e);
        }
    }

    /** Whether runs may be captured as graphs (unless {@code -Dsinter.gpu.graphs=false}). */
    boolean hasGraphs() {
        return graphs;
    }

    /** Whether runs may begin before all of their arguments are known (unless {@code -Dsinter.gpu.ahead=false}). */
    boolean runsAhead() {
        return ahead && !closed;
    }

    /**
     * Whatever is queued next may overwrite what a run that has begun goes on from: that one is given up.
     *
     * @param next a run that begins; null for one that knows all of its arguments
     */
    synchronized void runsAhead(PtxBegun next) {
        if (begun != null && begun != next) begun.abandon();
        begun = next;
    }

    /** Time that the device takes for what {@code work} queues, waited for. */
    long time(Runnable work) {
        GpuDriver.Event first = driver.createEvent();
        GpuDriver.Event last = driver.createEvent();
        try {
            driver.record(first, stream);
            work.run();
            driver.record(last, stream);
            checked(() -> driver.synchronize(last));
            return driver.nanosBetween(first, last);
        } finally {
            driver.destroy(first);
            driver.destroy(last);
        }
    }

    /** Where an owner keeps its graph, which is given back when the owner is unreachable. */
    GraphSlot graphOf(Object owner) {
        GraphSlot slot = new GraphSlot(this);
        CLEANER.register(owner, slot::drop);
        return slot;
    }

    synchronized void destroy(GpuDriver.Graph graph) {
        if (!closed) driver.destroy(graph);
    }

    /** This GPU's memory, for an {@link Allocator}. */
    MemorySource memory() {
        return new MemorySource() {
            @Override
            public long map(long bytes) {
                return driver.allocate(bytes);
            }

            @Override
            public void unmap(long address, long bytes) {
                // A GPU that was closed has given back everything.
                if (!closed) driver.free(address);
            }

            @Override
            public void check(long run) {
                synchronized (Gpu.this) {
                    checks.check(run);
                }
            }

            @Override
            public void handOut(long address, long bytes) {
                driver.discard(stream, address, bytes);
            }

            @Override
            public void read(long address, MemorySegment target) {
                Gpu.this.read(address, target);
            }

            @Override
            public void write(long address, MemorySegment source) {
                Gpu.this.write(address, source);
            }
        };
    }

    /** Gives everything back, when what was queued is done. */
    @Override
    public synchronized void close() {
        if (closed) return;
        runsAhead(null);
        closed = true;
        try (driver) {
            driver.synchronize(stream);
            if (matmul != null) matmul.close();
            driver.destroy(stream);
            transfers.close();
        }
    }
}
