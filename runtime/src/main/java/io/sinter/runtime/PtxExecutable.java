// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.TensorBox;
import io.sinter.codegen.ptx.TensorRule;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Type;
import io.sinter.ir.op.Op;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.runtime.ParameterBlock.Spot;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * A plan on a GPU. Arguments, results and temporaries are the device's memory. A run writes the parameter blocks of all its launches, copies them
 * to the device at once and queues the launches, without waiting; only a program with index checks is waited for, to read its error record. The
 * body of a loop has blocks of its own for each of its runs. Launches that are the same as in the run before, down to their addresses, are
 * captured as a graph, and from then on queued by one call. Sorting and pooling, which have no kernels, are done by the host's library in between.
 */
final class PtxExecutable implements Executable {
    /** Blocks of the runs of loops' bodies that go to the device in one copy. A longer loop takes several. */
    private static final long MAX_UNROLLED = 8L << 20;

    /** Fewer launches are no work to queue one by one. */
    private static final int LEAST_GRAPH = 3;

    /** One thing to run. */
    private sealed interface Step {
        record Library(Op op, Type in, List<Type> out, Spot from, List<Spot> to) implements Step {}

        record Copy(Spot from, Spot to, long bytes) implements Step {}

        record Repeat(ParameterBlock.Section section, long times, List<Step> body) implements Step {}
    }

    /** A launch of segments whose shapes are equal and whose blocks lie one after the other. Equal to itself alone. */
    private static final class Launch implements Step {
        final GpuDriver.Function function;
        final List<TensorRule> tensors;
        final GpuDriver.Grid grid;
        /** Host address of the first block. */
        final long block;

        final int count;
        final long blockBytes;
        final long scratchBytes;
        /** Whether it finds in scratch memory what the launch before has left there. */
        final boolean follows;
        /** Whether it is in a loop's body, and so has other blocks in each run. */
        final boolean moves;
        /** Of the program's results, those that it works on. */
        final List<Integer> results;

        Launch(
                GpuDriver.Function function,
                List<TensorRule> tensors,
                LaunchRule.Shape shape,
                long block,
                int count,
                long blockBytes,
                long scratchBytes,
                boolean follows,
                boolean moves,
                List<Integer> results) {
            this.function = function;
            this.tensors = tensors;
            this.grid = new GpuDriver.Grid(shape.ctas(), count, shape.threads(), shape.teams(), shape.sharedBytes());
            this.block = block;
            this.count = count;
            this.blockBytes = blockBytes;
            this.scratchBytes = scratchBytes;
            this.follows = follows;
            this.moves = moves;
            this.results = results;
        }
    }

    /** A matrix product that a library does. Equal to itself alone. */
    private static final class Product implements Step {
        final MatmulLibrary library;
        final LibraryMatmul matmul;
        /** Host address of the parameter block that our own kernel would have. */
        final long block;

        Product(MatmulLibrary library, LibraryMatmul matmul, long block) {
            this.library = library;
            this.matmul = matmul;
            this.block = block;
        }
    }

    /** What is queued, with its addresses: equal orders may be one graph. */
    private sealed interface Order {
        record Kernel(Launch launch, long block, long scratch, List<TensorBox> tensors) implements Order {}

        record Copy(long from, long to, long bytes) implements Order {}

        record Multiply(Product product, long a, long b, long c, long bias) implements Order {}
    }

    private final Plan plan;
    private final Session session;
    private final MatmulPrecision precision;
    private final Gpu gpu;
    private final GpuDriver driver;
    /** The device's copy of the parameter blocks. */
    private Buffer onDevice;

    private final ParameterBlock parameters;
    private final List<Step> steps;
    private final List<Integer> scalarResults = new ArrayList<>();
    private final long unrolledBytes;
    private long scratchBytes;
    private int kernels;

    // Guarded by the GPU.
    private List<Order> before = List.of();
    private final GraphSlot graph;

    PtxExecutable(Plan plan, Session session, MatmulPrecision precision) {
        this(plan, session, precision, MAX_UNROLLED);
    }

    /** @param maxUnrolled bytes of the blocks of loops' bodies that go to the device in one copy, at most */
    PtxExecutable(Plan plan, Session session, MatmulPrecision precision, long maxUnrolled) {
        this.plan = plan;
        this.precision = precision;
        this.session = session;
        gpu = session.gpu();
        driver = gpu.driver();
        unrolledBytes = Math.min(unrolled(plan, 1), Math.max(maxUnrolled, largestMoving(plan, false)));
        parameters = new ParameterBlock(plan, session.hostMemory(), unrolledBytes, bytes -> {
            onDevice = session.allocator().allocate(bytes, "parameters of a program");
            return onDevice.address();
        });
        Map<Place, Integer> results = new HashMap<>();
        for (int i = 0; i < plan.resultPlaces().size(); i++)
            results.putIfAbsent(plan.resultPlaces().get(i), i);
        steps = steps(plan, parameters.program(), 1, false, results);
        for (int i = 0; i < plan.resultTypes().size(); i++) {
            if (plan.resultPlaces().get(i) instanceof Place.Argument a
                    && plan.scalarArgs().get(a.index())) scalarResults.add(i);
        }
        graph = gpu.graphOf(this);
    }

    /** Bytes of the blocks of all runs of loops' bodies. */
    private static long unrolled(Plan p, long times) {
        long sum = 0;
        for (Plan.Step s : p.steps()) {
            if (!(s instanceof Plan.Repeat r)) continue;
            long runs = Math.multiplyExact(times, r.steps());
            for (Plan.Step b : r.body().steps()) {
                if (b instanceof Plan.Launch l)
                    sum = Math.addExact(
                            sum, Math.multiplyExact(runs, l.segments().size() * ParameterBlock.blockBytes(l)));
            }
            sum = Math.addExact(sum, unrolled(r.body(), runs));
        }
        return sum;
    }

    /** Bytes of the blocks of the largest launch in a loop's body. */
    private static long largestMoving(Plan p, boolean body) {
        long most = 0;
        for (Plan.Step s : p.steps()) {
            if (body && s instanceof Plan.Launch l)
                most = Math.max(most, l.segments().size() * ParameterBlock.blockBytes(l));
            if (s instanceof Plan.Repeat r) most = Math.max(most, largestMoving(r.body(), true));
        }
        return most;
    }

    private List<Step> steps(
            Plan p, ParameterBlock.Section section, long times, boolean body, Map<Place, Integer> results) {
        List<Step> out = new ArrayList<>();
        int launches = 0;
        int repeats = 0;
        for (Plan.Step s : p.steps()) {
            switch (s) {
                case Plan.Launch l -> {
                    launches(l, section.blocks(launches++), body, out, resultsOf(l, section, results));
                    kernels = Math.toIntExact(kernels + times);
                }
                case Plan.LibraryCall c -> {
                    List<Spot> to = c.out().stream().map(section::spot).toList();
                    out.add(new Step.Library(
                            c.op(), c.inTypes().getFirst(), c.outTypes(), section.spot(c.in().getFirst()), to));
                    kernels = Math.toIntExact(kernels + times);
                }
                case Plan.Copy c -> out.add(new Step.Copy(section.spot(c.from()), section.spot(c.to()), c.bytes()));
                case Plan.Repeat r -> {
                    ParameterBlock.Section inner = section.body(repeats++);
                    out.add(new Step.Repeat(
                            inner, r.steps(), steps(r.body(), inner, times * r.steps(), true, results)));
                }
            }
        }
        return out;
    }

    /** Segments of one form and shape go together. */
    private void launches(Plan.Launch l, long[] blocks, boolean body, List<Step> out, List<Integer> results) {
        for (int first = 0; first < blocks.length; ) {
            Product product = product(l, blocks[first]);
            if (product != null) {
                out.add(product);
                first++;
                continue;
            }
            PtxModules.Loaded code = code(l, blocks[first]);
            LaunchRule.Shape shape = shape(code.rule(), blocks[first]);
            int end = first + 1;
            while (end < blocks.length
                    && code.tensors().isEmpty()
                    && product(l, blocks[end]) == null
                    && code(l, blocks[end]) == code
                    && shape.equals(shape(code.rule(), blocks[end]))) end++;
            // What follows works on the same scratch memory.
            long scratch = shape.scratchBytes() * (end - first);
            for (PtxModules.Loaded c = code; c != null; c = c.next()) {
                LaunchRule.Shape of = shape(c.rule(), blocks[first]);
                if (of.ctas() == 0) continue;
                Launch launch = new Launch(
                        c.function(),
                        c.tensors(),
                        of,
                        blocks[first],
                        end - first,
                        ParameterBlock.blockBytes(l),
                        scratch,
                        c != code,
                        body,
                        results);
                scratchBytes = Math.max(scratchBytes, scratch);
                out.add(launch);
            }
            first = end;
        }
    }

    /** A launch that a library is to do; null for our own kernels. */
    private Product product(Plan.Launch l, long block) {
        LibraryMatmul m = LibraryMatmul.of(l.kernel(), slot -> Memory.getLong(block + 8L * slot), precision);
        MatmulLibrary library = m == null ? null : gpu.matmulFor(m.problem());
        return library == null ? null : new Product(library, m, block);
    }

    private PtxModules.Loaded code(Plan.Launch l, long block) {
        return gpu.modules().get(l.kernel(), slot -> Memory.getLong(block + 8L * slot), precision);
    }

    private static LaunchRule.Shape shape(LaunchRule rule, long block) {
        return rule.shape(slot -> Memory.getLong(block + 8L * slot));
    }

    private static List<Integer> resultsOf(Plan.Launch l, ParameterBlock.Section section, Map<Place, Integer> results) {
        return l.segments().stream()
                .flatMap(List::stream)
                .filter(SlotValue.Address.class::isInstance)
                .map(v -> results.get(section.outermost(((SlotValue.Address) v).place())))
                .filter(java.util.Objects::nonNull)
                .distinct()
                .toList();
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags) {
        Args.check(args, plan.argTypes(), plan.scalarArgs(), session.device());
        synchronized (gpu) {
            Args.pin(args);
            List<Buffer> temporaries = new ArrayList<>();
            try {
                List<Buffer> results = Args.results(plan, args, tags, session.allocator());
                long arena = temporary(plan.arenaBytes(), "temporaries of a running program", temporaries);
                long scratch = temporary(scratchBytes, "scratch memory of kernels", temporaries);
                new Running(args, results, arena, scratch, tags).run();
                session.counters().runs.increment();
                session.counters().launches.add(kernels);
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
        Buffer b = session.allocator().allocate(bytes, tag);
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
        private List<Order> orders = new ArrayList<>();
        /** Bytes of moving blocks that have been written. */
        private long unrolled;
        /** Whether something has been queued already. */
        private boolean begun;

        Running(List<? extends Arg> args, List<Buffer> results, long arena, long scratch, IntFunction<?> lines) {
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
                        plan.resultTypes().get(i).bytes()));
            }
            order(steps);
            if (begun) flush();
            else runWhole();
            if (plan.sites().isEmpty()) return;
            gpu.read(parameters.seen(parameters.record().address()), parameters.record());
            parameters.check();
        }

        private void order(List<Step> list) {
            for (Step s : list) {
                switch (s) {
                    case Launch l -> {
                        long block = block(l); // which may flush the orders
                        orders.add(new Order.Kernel(l, block, l.scratchBytes == 0 ? 0 : scratch, tensors(l)));
                    }
                    case Step.Copy c -> orders.add(new Order.Copy(c.from.address(bases), c.to.address(bases), c.bytes));
                    case Product p -> {
                        LibraryMatmul m = p.matmul;
                        long bias = m.bias() == null ? 0 : m.bias().address(p.block);
                        orders.add(new Order.Multiply(
                                p, m.a().address(p.block), m.b().address(p.block), m.c().address(p.block), bias));
                    }
                    case Step.Library l -> {
                        flush();
                        library(l);
                    }
                    case Step.Repeat r -> {
                        for (long k = 0; k < r.times; k++) {
                            r.section.enter(bases, k);
                            order(r.body);
                        }
                    }
                }
            }
        }

        /** Maps of a launch, for the addresses that its block holds now. */
        private static List<TensorBox> tensors(Launch l) {
            if (l.tensors.isEmpty()) return List.of();
            return l.tensors.stream()
                    .map(t -> t.at(slot -> Memory.getLong(l.block + 8L * slot)))
                    .toList();
        }

        /** Where the device finds the blocks of a launch. */
        private long block(Launch l) {
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
            boolean again = orders.size() >= LEAST_GRAPH
                    && !session.profile().isOn()
                    && gpu.hasGraphs()
                    && orders.equals(before);
            if (!again) {
                graph.drop();
                before = orders;
                issueAll();
                return;
            }
            if (graph.isEmpty()) {
                driver.beginCapture(gpu.stream());
                try {
                    for (Order o : orders) issue(o);
                } finally {
                    graph.set(driver.endCapture(gpu.stream()));
                }
            }
            for (Order o : orders) if (o instanceof Order.Kernel k) gpu.queued(k.launch.function);
            driver.launch(gpu.stream(), graph.get());
        }

        private void issueAll() {
            if (session.profile().isOn()) {
                for (Order o : orders) session.profile().add(name(o), gpu.time(() -> issue(o)));
                return;
            }
            for (Order o : orders) {
                issue(o);
                if (!(o instanceof Order.Kernel k)) continue;
                gpu.queued(k.launch.function);
                if (gpu.waitsForEach())
                    gpu.waitFor(
                            k.launch.function,
                            k.launch.results.stream().map(lines::apply).toList());
            }
        }

        private static String name(Order o) {
            return switch (o) {
                case Order.Kernel k -> k.launch.function.name();
                case Order.Copy _ -> "copy";
                case Order.Multiply m -> m.product.library.name();
            };
        }

        private void issue(Order o) {
            switch (o) {
                case Order.Copy c -> driver.copy(gpu.stream(), c.from, c.to, c.bytes);
                case Order.Multiply m -> m.product.library.multiply(m.product.matmul.problem(), m.a, m.b, m.c, m.bias);
                case Order.Kernel k -> {
                    Launch l = k.launch;
                    if (l.scratchBytes > 0 && !l.follows) driver.discard(gpu.stream(), k.scratch, l.scratchBytes);
                    long stride = l.count > 1 ? l.blockBytes : 0;
                    driver.launch(gpu.stream(), l.function, l.grid, k.tensors, k.block, stride, k.scratch);
                }
            }
        }

        private void library(Step.Library l) {
            List<Buffer> host = new ArrayList<>();
            List<Type> types = new ArrayList<>(List.of(l.in));
            types.addAll(l.out);
            try (WorkerPool.Team team = session.pool().acquire()) {
                for (Type t : types)
                    host.add(session.hostMemory().allocate(t.bytes(), "operands of the host's library"));
                gpu.read(l.from.address(bases), memory(host.getFirst()));
                JvmLibrary.run(
                        team,
                        session.pool().threads(),
                        l.op,
                        l.in,
                        host.get(0).address(),
                        host.get(1).address(),
                        host.get(2).address());
                for (int i = 1; i < host.size(); i++) gpu.write(l.to.get(i - 1).address(bases), memory(host.get(i)));
            } finally {
                host.forEach(Buffer::release);
            }
        }

        private static java.lang.foreign.MemorySegment memory(Buffer b) {
            return Memory.ALL.asSlice(b.address(), b.bytes());
        }
    }

    @Override
    public int kernels() {
        return kernels;
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
