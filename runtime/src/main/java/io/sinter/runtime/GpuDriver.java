// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.TensorBox;
import io.sinter.runtime.cache.Tuning;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What Sinter asks of a GPU, as CUDA's driver offers it: memory by 64-bit address, streams, events, modules of PTX text, launches, graphs.
 *
 * <p>What takes a stream is queued and done in the stream's order, some time before the stream or an event behind it is waited for: host memory
 * that it reads or fills must stay as it is until then, and a kernel's fault is thrown by whatever waits next. May be used by several threads.
 */
interface GpuDriver extends AutoCloseable {
    /** Bytes of parameters that every driver takes (from CUDA 12.1 on it may be more). */
    int PARAMETER_BYTES = 4096;

    /** The most CTAs in y. */
    int MAX_CTAS_Y = 65_535;

    /** Work in order. */
    interface Stream {}

    /** A point in a stream. */
    interface Event {}

    /** PTX that is assembled and loaded. */
    interface LoadedModule {
        /** The entry of this name. */
        Function function(String entry);
    }

    /** An entry of a module. */
    interface Function {
        String name();
    }

    /** Work that was captured from a stream, ready to be queued as a whole. */
    interface Graph {}

    /**
     * What a device is.
     *
     * @param name as the maker calls it
     * @param major compute capability, before the point
     * @param minor compute capability, behind it
     * @param multiprocessors how many CTAs run at least at once
     * @param memoryBytes memory in all
     * @param sharedBytes the most shared memory that a CTA may ask for
     * @param driver the driver and its version
     */
    record Properties(
            String name, int major, int minor, int multiprocessors, long memoryBytes, int sharedBytes, String driver) {}

    /**
     * The extents of a launch.
     *
     * @param ctasX CTAs in x
     * @param ctasY CTAs in y
     * @param threadsX threads of a CTA in x
     * @param threadsY threads of a CTA in y
     * @param sharedBytes dynamic shared memory of a CTA
     */
    record Grid(long ctasX, long ctasY, int threadsX, int threadsY, int sharedBytes) {}

    Properties properties();

    // ---- memory

    /** Memory that holds nothing yet, at a multiple of 256; 0 if there is not so much. */
    long allocate(long bytes);

    /** Gives back what {@link #allocate} gave, when all that was queued has been done. */
    void free(long address);

    /**
     * In the stream's order: an allocation gets a new owner, who may use its first {@code bytes} bytes and finds nothing in them. Where nothing
     * checks that, nothing happens.
     */
    default void discard(Stream stream, long address, long bytes) {}

    /** Host memory that copies may work with directly. */
    MemorySegment allocatePinned(long bytes);

    /** Gives back what {@link #allocatePinned} gave; nothing that is queued may use it. */
    void freePinned(MemorySegment memory);

    /** Copies all of {@code pinned} to the device. */
    void copyIn(Stream stream, long to, MemorySegment pinned);

    /** Fills {@code pinned} from the device. */
    void copyOut(Stream stream, long from, MemorySegment pinned);

    /** Copies within the device. */
    void copy(Stream stream, long from, long to, long bytes);

    /** Fills with a byte. */
    void fill(Stream stream, long address, byte value, long bytes);

    // ---- order

    Stream createStream();

    void destroy(Stream stream);

    /** Waits until all that was queued so far is done. */
    void synchronize(Stream stream);

    /** An event that has happened. */
    Event createEvent();

    void destroy(Event event);

    /** The event happens (again) when what the stream holds so far is done. */
    void record(Event event, Stream stream);

    /** What is queued from now on waits for the event. */
    void await(Stream stream, Event event);

    boolean isDone(Event event);

    /** Waits for the event. */
    void synchronize(Event event);

    /** Time between two events that have happened. */
    long nanosBetween(Event first, Event second);

    /** What {@link #costBetween} counts. */
    default String costUnit() {
        return Tuning.NANOSECONDS;
    }

    /** What the work between two events that have happened has cost, for a choice among forms of a kernel: time, or what stands for it. */
    default long costBetween(Event first, Event second) {
        return nanosBetween(first, second);
    }

    // ---- code

    /**
     * Assembles and loads PTX text.
     *
     * @throws IllegalArgumentException if the device does not take it; the message is the assembler's
     */
    LoadedModule load(String ptx);

    /** Whether {@link #assemble} works: there is something between PTX text and a module that is worth keeping. */
    boolean keepsAssembled();

    /**
     * Assembles PTX text for this device and driver (a cubin), without loading it.
     *
     * @throws IllegalArgumentException if the assembler refuses it
     */
    byte[] assemble(String ptx);

    /**
     * Loads what {@link #assemble} gave, perhaps in another process.
     *
     * @throws IllegalArgumentException if the device does not take it
     */
    LoadedModule load(byte[] assembled);

    /** Queues a launch of a kernel whose parameters are 64 bits each. */
    default void launch(Stream stream, Function kernel, Grid grid, long... parameters) {
        launch(stream, kernel, grid, List.of(), parameters);
    }

    /** Whether launches may have maps of tensors. Kernels for them are not generated otherwise. */
    boolean hasTensorMaps();

    /** As {@link #launch(Stream, Function, Grid, long...)}, with maps of tensors as further parameters. */
    void launch(Stream stream, Function kernel, Grid grid, List<TensorBox> tensors, long... parameters);

    /**
     * Whether a launch is one that a GPU can do.
     *
     * @throws IllegalArgumentException if it is not
     */
    static void check(Function kernel, Grid grid, int parameters, int tensors) {
        long bytes = 8L * parameters;
        // Maps are aligned, and come last.
        if (tensors > 0)
            bytes = (bytes + TensorBox.MAP_ALIGNMENT - 1) / TensorBox.MAP_ALIGNMENT * TensorBox.MAP_ALIGNMENT
                    + (long) tensors * TensorBox.MAP_BYTES;
        if (grid.ctasX() > Integer.MAX_VALUE || grid.ctasY() > MAX_CTAS_Y || bytes > PARAMETER_BYTES)
            throw new IllegalArgumentException(
                    kernel.name() + ": " + grid + " with " + bytes + " bytes of parameters is beyond a launch");
    }

    // ---- graphs

    /** What is queued from now on is not done, but captured. */
    void beginCapture(Stream stream);

    /** The captured work. */
    Graph endCapture(Stream stream);

    /** Queues captured work. */
    void launch(Stream stream, Graph graph);

    /** Gives captured work back, when it is not running any more. */
    void destroy(Graph graph);

    /** Gives back everything. */
    @Override
    void close();
}
