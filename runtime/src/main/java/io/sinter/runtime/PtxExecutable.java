// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.PtxRoutine;
import io.sinter.codegen.ptx.TensorBox;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.ProgramSites;
import io.sinter.runtime.profile.Site;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A plan on a GPU. Arguments, results and temporaries are the device's memory. A run writes the parameter blocks of all its launches, copies them
 * to the device at once and queues the launches, without waiting, also for its index checks ({@link IndexChecks}). The body of a loop has blocks of
 * its own for each of its runs. Launches that are the same as in the run before, down to their addresses, are captured as a graph, and from then on
 * queued by one call.
 */
final class PtxExecutable implements Executable {
    /** Blocks of the runs of loops' bodies that go to the device in one copy. A longer loop takes several. */
    private static final long MAX_UNROLLED = 8L << 20;

    /** Fewer launches are no work to queue one by one. */
    private static final int LEAST_GRAPH = 3;

    /** What is queued, with its addresses: equal orders may be one graph. */
    private sealed interface Order {
        record Kernel(PtxStep.Launch launch, long block, long scratch, List<TensorBox> tensors) implements Order {}

        record Call(PtxStep.Routine routine, List<Long> parameters, long scratch) implements Order {}

        /** {@code site} is null for what no step of the plan says. */
        record Copy(long from, long to, long bytes, Site site) implements Order {}

        record Multiply(PtxStep.Product product, long a, long b, long c, long bias) implements Order {}

        /** What a profile counts it for; null for nothing. */
        default Site site() {
            return switch (this) {
                case Kernel k -> k.launch.site;
                case Call c -> c.routine.site;
                case Copy c -> c.site;
                case Multiply m -> m.product.site;
            };
        }

        /** Whether it begins what the site is. */
        default boolean first() {
            return switch (this) {
                case Kernel k -> k.launch.first;
                case Call c -> !c.routine.follows;
                case Copy _ -> true;
                case Multiply m -> m.product.first;
            };
        }
    }

    private final Plan plan;
    private final Session session;
    private final Gpu gpu;
    private final GpuDriver driver;
    /** The device's copy of the parameter blocks. */
    private Buffer onDevice;

    private final ParameterBlock parameters;
    private final PtxSteps steps;
    private final ProgramSites sites;
    private final List<Integer> scalarResults = new ArrayList<>();
    private final long unrolledBytes;

    // Guarded by the GPU.
    private List<Order> before = List.of();
    private final GraphSlot graph;

    PtxExecutable(StoredPlan plan, Session session, Numerics numerics) {
        this(plan, session, numerics, MAX_UNROLLED);
    }

    /** @param maxUnrolled bytes of the blocks of loops' bodies that go to the device in one copy, at most */
    PtxExecutable(StoredPlan stored, Session session, Numerics numerics, long maxUnrolled) {
        plan = stored.plan();
        this.session = session;
        gpu = session.gpu();
        driver = gpu.driver();
        unrolledBytes = PtxSteps.unrolledBytes(plan, maxUnrolled);
        parameters = new ParameterBlock(plan, session.hostMemory(), unrolledBytes, bytes -> {
            onDevice = session.allocator().allocate(bytes, "parameters of a program");
            return onDevice.address();
        });
        sites = new ProgramSites(session.nextProgram(), stored);
        steps = new PtxSteps(stored, parameters, gpu, numerics, sites);
        for (int i = 0; i < plan.resultTypes().size(); i++) {
            if (plan.resultPlaces().get(i) instanceof Place.Argument a
                    && plan.scalarArgs().get(a.index())) scalarResults.add(i);
        }
        graph = gpu.graphOf(this);
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        Args.check(args, plan.argTypes(), plan.scalarArgs(), session.device());
        synchronized (gpu) {
            if (!plan.sites().isEmpty() && gpu.checks().isFull()) gpu.synchronize();
            for (Arg a : args) if (a instanceof Buffer b) b.check();
            Args.pin(args);
            List<Buffer> temporaries = new ArrayList<>();
            try {
                List<Buffer> results = Args.results(plan, args, tags, session.allocator());
                long arena = temporary(plan.arenaBytes(), "temporaries of a running program", temporaries);
                long scratch = temporary(steps.scratchBytes(), "scratch memory of kernels", temporaries);
                RunTiming timing = RunTiming.begin(session, this, sources);
                try {
                    new Running(args, results, arena, scratch, tags, timing).run();
                } finally {
                    timing.end();
                }
                long number =
                        gpu.checks().queued(parameters.seen(parameters.record().address()), plan.sites(), sources);
                for (Buffer b : results) b.madeBy(number);
                if (gpu.waitsForEach() && !plan.sites().isEmpty()) gpu.synchronize();
                session.counters().runs.increment();
                session.counters().launches.add(steps.kernels());
                return new Run(results);
            } finally {
                temporaries.forEach(Buffer::release);
                Args.unpin(args);
                Reference.reachabilityFence(this);
            }
        }
    }

    private long temporary(long bytes, String tag, List<Buffer> temporaries) {
        if (bytes == 0) return 0;
        Buffer b = session.allocator().allocateTemporary(bytes, tag);
        temporaries.add(b);
        return b.address();
    }

    /** One run. */
    private final class Running {
        private final long[] bases = new long[parameters.bases()];
        private final List<? extends Arg> args;
        private final List<Buffer> results;
        private final long scratch;
        private final IntFunction<?> lines;
        private final RunTiming timing;
        /** What has been queued and is to be timed; null if nobody asks. */
        private final GpuTimes times;

        private List<Order> orders = new ArrayList<>();
        /** Bytes of moving blocks that have been written. */
        private long unrolled;
        /** Whether something has been queued already. */
        private boolean begun;

        Running(
                List<? extends Arg> args,
                List<Buffer> results,
                long arena,
                long scratch,
                IntFunction<?> lines,
                RunTiming timing) {
            this.timing = timing;
            times = timing.timed() ? new GpuTimes(gpu, timing) : null;
            this.args = args;
            this.results = results;
            this.scratch = scratch;
            this.lines = lines;
            int n = 0;
            for (Arg a : args) bases[n++] = a instanceof Buffer b ? b.address() : 0;
            for (Buffer b : results) bases[n++] = b.address();
            bases[n] = arena;
        }

        void run() {
            parameters.prepare(bases, args);
            for (int i : scalarResults) {
                // A result that is a scalar argument: its buffer gets the value.
                long from = bases[ParameterBlock.base(plan, plan.resultPlaces().get(i))];
                orders.add(new Order.Copy(
                        from,
                        results.get(i).address(),
                        plan.resultTypes().get(i).bytes(),
                        null));
            }
            order(steps.all());
            if (begun) flush();
            else runWhole();
            if (times != null) times.end();
        }

        private void order(List<PtxStep> list) {
            for (PtxStep s : list) {
                switch (s) {
                    case PtxStep.Launch l -> {
                        long block = block(l); // which may flush the orders
                        orders.add(new Order.Kernel(l, block, l.scratchBytes == 0 ? 0 : scratch, tensors(l)));
                    }
                    case PtxStep.Copy c ->
                        orders.add(new Order.Copy(c.from().address(bases), c.to().address(bases), c.bytes(), c.site()));
                    case PtxStep.Product p -> {
                        LibraryMatmul m = p.matmul;
                        long bias = m.bias() == null ? 0 : m.bias().address(p.block);
                        orders.add(new Order.Multiply(
                                p, m.a().address(p.block), m.b().address(p.block), m.c().address(p.block), bias));
                    }
                    case PtxStep.Routine r -> orders.add(new Order.Call(r, parameters(r), scratch));
                    case PtxStep.Repeat r -> {
                        for (long k = 0; k < r.times(); k++) {
                            r.section().enter(bases, k);
                            order(r.body());
                        }
                    }
                }
            }
        }

        /** Maps of a launch, for the addresses that its block holds now. */
        private static List<TensorBox> tensors(PtxStep.Launch l) {
            if (l.tensors.isEmpty()) return List.of();
            return l.tensors.stream()
                    .map(t -> t.at(ParameterBlock.slots(l.block)))
                    .toList();
        }

        private List<Long> parameters(PtxStep.Routine r) {
            return r.arguments.stream()
                    .map(a -> switch (a) {
                        case PtxRoutine.Argument.Operand o ->
                            r.places.get(o.ordinal()).address(bases);
                        case PtxRoutine.Argument.Scratch s -> scratch + s.offset();
                        case PtxRoutine.Argument.Number n -> n.value();
                    })
                    .toList();
        }

        /** Where the device finds the blocks of a launch. */
        private long block(PtxStep.Launch l) {
            if (!l.moves) return parameters.seen(l.block);
            long bytes = l.blockBytes * l.count;
            if (unrolled + bytes > unrolledBytes) flush();
            long at = parameters.more() + unrolled;
            Memory.copy(l.block, at, bytes);
            unrolled += bytes;
            return parameters.seen(at);
        }

        /** Copies the blocks that have been written and queues what has been ordered. */
        private void flush() {
            upload();
            begun = true;
            issueAll();
            orders = new ArrayList<>();
            unrolled = 0;
        }

        private void upload() {
            long blocks = parameters.more();
            // The program's own blocks are the same all through a run.
            if (!begun) gpu.write(parameters.seen(parameters.record().address()), parameters.segment(unrolled));
            else if (unrolled > 0) gpu.write(parameters.seen(blocks), Memory.ALL.asSlice(blocks, unrolled));
        }

        /** Queues all of the run: as a graph, if it is what the run before was. */
        private void runWhole() {
            upload();
            boolean again = orders.size() >= LEAST_GRAPH && times == null && gpu.hasGraphs() && orders.equals(before);
            if (!again) {
                graph.drop();
                before = orders;
                issueAll();
                return;
            }
            if (graph.isEmpty()) graph.set(captured());
            for (Order o : orders) if (function(o) != null) gpu.queued(function(o));
            driver.launch(gpu.stream(), graph.get());
        }

        /** The orders as a graph. One that cannot be captured to its end is none. */
        private GpuDriver.Graph captured() {
            driver.beginCapture(gpu.stream());
            try {
                for (Order o : orders) issue(o);
            } catch (RuntimeException e) {
                try {
                    driver.destroy(driver.endCapture(gpu.stream()));
                } catch (RuntimeException also) {
                    e.addSuppressed(also);
                }
                throw e;
            }
            return driver.endCapture(gpu.stream());
        }

        private void issueAll() {
            for (Order o : orders) {
                if (times == null) issue(o);
                else times.time(o.site(), o.first(), () -> issue(o));
                GpuDriver.Function f = function(o);
                if (f == null) continue;
                gpu.queued(f);
                if (gpu.waitsForEach())
                    gpu.waitFor(f, results(o).stream().map(lines::apply).toList());
            }
        }

        /** The kernel that an order launches; null if it is none of ours. */
        private static GpuDriver.Function function(Order o) {
            return switch (o) {
                case Order.Kernel k -> k.launch.function;
                case Order.Call c -> c.routine.function;
                case Order.Copy _, Order.Multiply _ -> null;
            };
        }

        /** Of the program's results, those that an order works on. */
        private static List<Integer> results(Order o) {
            return switch (o) {
                case Order.Kernel k -> k.launch.results;
                case Order.Call c -> c.routine.results;
                case Order.Copy _, Order.Multiply _ -> List.of();
            };
        }

        private void issue(Order o) {
            switch (o) {
                case Order.Copy c -> driver.copy(gpu.stream(), c.from, c.to, c.bytes);
                case Order.Multiply m -> m.product.library.multiply(m.product.matmul.problem(), m.a, m.b, m.c, m.bias);
                case Order.Call c -> {
                    PtxStep.Routine r = c.routine;
                    if (r.scratchBytes > 0 && !r.follows) driver.discard(gpu.stream(), c.scratch, r.scratchBytes);
                    long[] numbers =
                            c.parameters.stream().mapToLong(Long::longValue).toArray();
                    driver.launch(gpu.stream(), r.function, r.grid, numbers);
                }
                case Order.Kernel k -> {
                    PtxStep.Launch l = k.launch;
                    if (l.scratchBytes > 0 && !l.follows) driver.discard(gpu.stream(), k.scratch, l.scratchBytes);
                    long stride = l.count > 1 ? l.blockBytes : 0;
                    driver.launch(gpu.stream(), l.function, l.grid, k.tensors, k.block, stride, k.scratch);
                }
            }
        }
    }

    @Override
    public ProgramSites sites() {
        return sites;
    }

    @Override
    public int kernels() {
        return steps.kernels();
    }

    @Override
    public List<Type> argTypes() {
        return plan.argTypes();
    }

    @Override
    public List<Type> resultTypes() {
        return plan.resultTypes();
    }
}
