// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.TensorBox;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.DeviceMemory;
import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.codegen.ptx.sim.TensorMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The PTX simulator as a GPU. Queued work is done as late as the interface allows, when somebody waits for it: a host that does not wait where it
 * must finds old data, and hands over memory that has changed.
 */
final class SimDriver implements GpuDriver {
    /** @param module number of its module */
    private record Entry(int module, SimModule.Entry entry) implements Function {
        @Override
        public String name() {
            return entry.name();
        }
    }

    private record Loaded(int number, SimModule module) implements LoadedModule {
        @Override
        public Function function(String entry) {
            return new Entry(number, module.kernel(entry));
        }
    }

    /** A queue, and how many entries it has had and done. */
    private static final class Queue implements Stream {
        final ArrayDeque<Runnable> work = new ArrayDeque<>();
        long queued;
        long done;
        /** While capturing. */
        List<Runnable> captured;
    }

    /** A place in a queue; at first in none. */
    private static final class Mark implements Event {
        Queue queue;
        long place;
        long nanos;
        long instructions;
    }

    private record Captured(List<Runnable> work) implements Graph {}

    private static final String PROPERTY = "sinter.ptx-sim";

    private final SimDevice device;
    private final SimulatedProgram.Machine machine;
    private int allocations;
    private long moved;
    private final UnaryOperator<String> change;
    private int modules;
    /** What is done is noted there; null for nowhere. */
    private SimTape tape;

    SimDriver() {
        this(Target.SM_80);
    }

    /**
     * The architecture that {@code -Dsinter.ptx-sim=sm_90a} asks for; else the one that code is generated for at the user's wish, so that it runs;
     * {@code sm_80} at first.
     *
     * @throws SettingException if there is none of that name
     */
    static Target chosen() {
        Target own = PtxModules.target(PROPERTY);
        if (own != null) return own;
        Target asked = PtxModules.askedTarget();
        return asked != null ? asked : Target.SM_80;
    }

    /** @param target what it says it is */
    SimDriver(Target target) {
        this(SimulatedProgram.Machine.of(SimOptions.DEFAULT, target), UnaryOperator.identity());
    }

    /** @param change what is done to the text of each module before it is loaded */
    SimDriver(SimOptions options, UnaryOperator<String> change) {
        this(SimulatedProgram.Machine.of(options, Target.SM_80), change);
    }

    SimDriver(SimulatedProgram.Machine machine, UnaryOperator<String> change) {
        device = new SimDevice(machine.options());
        this.machine = machine;
        this.change = change;
    }

    /** Notes all that is done from now on, which is before anything is done; null ends it. */
    synchronized void noteOn(SimTape t) {
        tape = t;
    }

    private void note(SimTape.Op op) {
        if (tape != null) tape.add(op);
    }

    /** Instructions that warps have executed so far. */
    synchronized long instructions() {
        return device.instructions();
    }

    /** Its memory is Java's heap, half of which it may fill. */
    @Override
    public Properties properties() {
        Target t = machine.target();
        return new Properties(
                "PTX simulator",
                t.capability() / 10,
                t.capability() % 10,
                1,
                Runtime.getRuntime().maxMemory() / 2,
                t.sharedBytes(),
                "simulator");
    }

    // ---- memory

    @Override
    public synchronized long allocate(long bytes) {
        if (bytes > Integer.MAX_VALUE - 64
                || device.memory().used() + bytes > properties().memoryBytes()) return 0;
        boolean beside = allocations++ == machine.moved();
        long all = beside ? bytes + machine.beside() : bytes;
        note(new SimTape.Op.Allocate(all));
        long address = device.memory().allocate(all);
        if (beside) moved = address + machine.beside();
        return beside ? moved : address;
    }

    /** Bytes from the beginning of an allocation to the address that was handed out. */
    private int shift(long address) {
        return address == moved ? machine.beside() : 0;
    }

    @Override
    public synchronized void free(long address) {
        // Work of every stream may use it. Faults of that work belong to whoever waits for it.
        for (Queue q : streams) {
            try {
                drain(q, q.queued);
            } catch (SimFault | IllegalArgumentException e) {
                q.work.addFirst(() -> {
                    throw e;
                });
                q.queued = q.done + 1;
            }
        }
        note(new SimTape.Op.Free(address - shift(address)));
        device.memory().free(address - shift(address));
    }

    @Override
    public void discard(Stream stream, long address, long bytes) {
        queue(stream, () -> {
            note(new SimTape.Op.Renew(address - shift(address), bytes + shift(address)));
            device.memory().renew(address - shift(address), bytes + shift(address));
        });
    }

    /** Pinned memory that was given back: programs that each have a driver of their own would clear megabytes before every run. */
    private static final ArrayDeque<MemorySegment> SPARE = new ArrayDeque<>();

    private static final int MOST_SPARE = 8;

    @Override
    public MemorySegment allocatePinned(long bytes) {
        synchronized (SPARE) {
            for (MemorySegment m : SPARE) {
                if (m.byteSize() != bytes) continue;
                SPARE.remove(m);
                return m;
            }
        }
        return Arena.ofAuto().allocate(bytes, 64);
    }

    /** What is not kept the garbage collector frees. */
    @Override
    public void freePinned(MemorySegment memory) {
        synchronized (SPARE) {
            SPARE.addLast(memory);
            if (SPARE.size() > MOST_SPARE) SPARE.removeFirst();
        }
    }

    @Override
    public void copyIn(Stream stream, long to, MemorySegment pinned) {
        if (pinned.byteSize() == 0) return;
        queue(stream, () -> {
            if (tape != null) tape.add(new SimTape.Op.CopyIn(to, pinned.toArray(ValueLayout.JAVA_BYTE)));
            device.memory().copyIn(to, pinned);
        });
    }

    @Override
    public void copyOut(Stream stream, long from, MemorySegment pinned) {
        if (pinned.byteSize() == 0) return;
        queue(stream, () -> {
            if (tape == null) device.memory().copyOut(from, pinned);
            else tape.copyOut(device, from, pinned);
        });
    }

    @Override
    public void copy(Stream stream, long from, long to, long bytes) {
        queue(stream, () -> {
            note(new SimTape.Op.Copy(to, from, bytes));
            device.memory().copy(to, from, bytes);
        });
    }

    @Override
    public void fill(Stream stream, long address, byte value, long bytes) {
        queue(stream, () -> {
            note(new SimTape.Op.Fill(address, value, bytes));
            device.memory().fill(address, value, bytes);
        });
    }

    // ---- order

    private final List<Queue> streams = new ArrayList<>();

    @Override
    public synchronized Stream createStream() {
        Queue q = new Queue();
        streams.add(q);
        return q;
    }

    @Override
    public synchronized void destroy(Stream stream) {
        synchronize(stream);
        streams.remove((Queue) stream);
    }

    @Override
    public synchronized void synchronize(Stream stream) {
        Queue q = (Queue) stream;
        if (q.captured != null) throw new IllegalStateException("a stream that is captured cannot be waited for");
        drain(q, q.queued);
    }

    private synchronized void queue(Stream stream, Runnable work) {
        Queue q = (Queue) stream;
        if (q.captured != null) {
            q.captured.add(work);
            return;
        }
        q.work.add(work);
        q.queued++;
    }

    /** Does a queue's work up to a place. What follows a fault is dropped. */
    private static void drain(Queue q, long place) {
        while (q.done < place) {
            q.done++;
            try {
                q.work.remove().run();
            } catch (RuntimeException e) {
                q.work.clear();
                q.done = q.queued;
                throw e;
            }
        }
    }

    @Override
    public Event createEvent() {
        return new Mark();
    }

    @Override
    public void destroy(Event event) {}

    @Override
    public synchronized void record(Event event, Stream stream) {
        Mark m = (Mark) event;
        queue(stream, () -> {
            m.nanos = System.nanoTime();
            m.instructions = device.instructions();
        });
        m.queue = (Queue) stream;
        m.place = m.queue.queued;
    }

    @Override
    public synchronized void await(Stream stream, Event event) {
        Mark m = (Mark) event;
        Queue other = m.queue;
        long place = m.place;
        if (other != null && other != stream) queue(stream, () -> drain(other, place));
    }

    /** Whoever asks again and again will get a yes. */
    @Override
    public synchronized boolean isDone(Event event) {
        Mark m = (Mark) event;
        if (m.queue == null || m.queue.done >= m.place) return true;
        drain(m.queue, m.queue.done + 1);
        return false;
    }

    @Override
    public synchronized void synchronize(Event event) {
        Mark m = (Mark) event;
        if (m.queue != null) drain(m.queue, m.place);
    }

    @Override
    public long nanosBetween(Event first, Event second) {
        return ((Mark) second).nanos - ((Mark) first).nanos;
    }

    /** The host's time says nothing of a GPU. */
    @Override
    public String costUnit() {
        return "warp instructions";
    }

    @Override
    public long costBetween(Event first, Event second) {
        return ((Mark) second).instructions - ((Mark) first).instructions;
    }

    // ---- code

    @Override
    public synchronized LoadedModule load(String ptx) {
        String text = change.apply(ptx);
        note(new SimTape.Op.Load(text));
        return new Loaded(modules++, device.load(text));
    }

    /** What it makes of text is objects. */
    @Override
    public boolean keepsAssembled() {
        return false;
    }

    @Override
    public byte[] assemble(String ptx) {
        throw new UnsupportedOperationException("the simulator runs PTX as it is");
    }

    @Override
    public LoadedModule load(byte[] assembled) {
        throw new UnsupportedOperationException("the simulator runs PTX as it is");
    }

    @Override
    public boolean hasTensorMaps() {
        return true;
    }

    @Override
    public void launch(Stream stream, Function kernel, Grid grid, List<TensorBox> tensors, long... parameters) {
        GpuDriver.check(kernel, grid, parameters.length, tensors.size());
        SimModule.Entry entry = ((Entry) kernel).entry;
        ByteBuffer bytes = ByteBuffer.allocate(entry.parameterBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (long p : parameters) bytes.putLong(p);
        for (int i = 0; i < tensors.size(); i++)
            bytes.put(entry.parameterOffset(parameters.length + i), map(tensors.get(i)));
        boolean teams = machine.team() > 0;
        long x = teams ? grid.ctasX() * grid.threadsY() : grid.ctasX();
        Dim3 ctas = new Dim3((int) Math.min(x, machine.maxCtas()), Math.toIntExact(grid.ctasY()), 1);
        Dim3 threads = teams ? new Dim3(machine.team(), 1, 1) : new Dim3(grid.threadsX(), grid.threadsY(), 1);
        int module = ((Entry) kernel).module;
        queue(stream, () -> {
            if (tape == null) device.launch(entry, ctas, threads, grid.sharedBytes(), bytes.array());
            else tape.launch(device, module, entry, ctas, threads, grid.sharedBytes(), bytes.array());
        });
    }

    private static byte[] map(TensorBox b) {
        return TensorMap.encode(
                b.type().bytes(),
                b.address(),
                b.extents().stream().mapToLong(Long::longValue).toArray(),
                b.strides().stream().mapToLong(Long::longValue).toArray(),
                b.box().stream().mapToInt(Integer::intValue).toArray(),
                TensorBox.SWIZZLE_BYTES);
    }

    /** Queues work of the host on the device's memory, as a library's kernels would be: for tests. */
    void queueHost(Stream stream, Consumer<DeviceMemory> work) {
        queue(stream, () -> work.accept(device.memory()));
    }

    // ---- graphs

    @Override
    public synchronized void beginCapture(Stream stream) {
        Queue q = (Queue) stream;
        if (q.captured != null) throw new IllegalStateException("the stream is captured already");
        q.captured = new ArrayList<>();
    }

    @Override
    public synchronized Graph endCapture(Stream stream) {
        Queue q = (Queue) stream;
        if (q.captured == null) throw new IllegalStateException("the stream is not captured");
        Captured graph = new Captured(List.copyOf(q.captured));
        q.captured = null;
        return graph;
    }

    @Override
    public synchronized void launch(Stream stream, Graph graph) {
        for (Runnable r : ((Captured) graph).work) queue(stream, r);
    }

    @Override
    public void destroy(Graph graph) {}

    @Override
    public synchronized void close() {
        streams.clear();
    }
}
