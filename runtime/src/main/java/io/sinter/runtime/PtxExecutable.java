// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * A plan on a GPU. Tensors stay in host memory: a run copies its arguments to the device, launches the plan's kernels in order, and
 * copies the results back. Sorting and pooling, which have no kernels, are done by the host's library in between.
 */
final class PtxExecutable implements Executable {
    private final Plan plan;
    private final Session session;
    private final PtxModules modules;
    private final GpuDriver driver;
    private final ParameterBlock parameters;
    private int kernels;

    PtxExecutable(Plan plan, Session session, PtxModules modules) {
        this.plan = plan;
        this.session = session;
        this.modules = modules;
        this.driver = modules.driver();
        synchronized (modules) {
            load(plan, 1);
            parameters = new ParameterBlock(plan, session.allocator(), driver::allocate);
        }
    }

    private void load(Plan p, long times) {
        for (Plan.Step s : p.steps()) {
            switch (s) {
                case Plan.Launch l -> modules.get(l.kernel());
                case Plan.Repeat r -> load(r.body(), times * r.steps());
                case Plan.LibraryCall _, Plan.Copy _ -> {}
            }
            if (s instanceof Plan.Launch || s instanceof Plan.LibraryCall) kernels = Math.toIntExact(kernels + times);
        }
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags) {
        Args.check(args, plan.argTypes(), plan.scalarArgs(), session.device());
        Args.pin(args);
        try {
            List<Buffer> results = Args.results(plan, args, tags, session.allocator());
            synchronized (modules) {
                new OnDevice(args, results).run();
            }
            session.counters().runs.increment();
            session.counters().launches.add(kernels);
            return new Run(results);
        } finally {
            Args.unpin(args);
        }
    }

    /** One run: the device's memory of its arguments, results and temporaries. */
    private final class OnDevice {
        private final List<? extends Arg> args;
        private final List<Buffer> results;
        /** Copies of buffers, by the buffers' addresses. */
        private final Map<Long, Long> copies = new HashMap<>();

        private final List<Long> allocated = new ArrayList<>();
        private final long[] bases = new long[parameters.bases()];

        OnDevice(List<? extends Arg> args, List<Buffer> results) {
            this.args = args;
            this.results = results;
        }

        void run() {
            try {
                int n = 0;
                for (Arg a : args) bases[n++] = a instanceof Buffer b ? copy(b, true) : 0;
                for (Buffer b : results) bases[n++] = copy(b, false);
                bases[n] = allocate(plan.arenaBytes());
                parameters.prepare(bases, args);
                driver.copyIn(parameters.seen(parameters.segment().address()), parameters.segment());
                for (int i = 0; i < results.size(); i++) {
                    // A result that is a scalar argument: its buffer gets the value.
                    if (!(plan.resultPlaces().get(i) instanceof Place.Argument a)
                            || !plan.scalarArgs().get(a.index())) continue;
                    driver.copy(
                            bases[a.index()],
                            bases[args.size() + i],
                            plan.resultTypes().get(i).bytes());
                }
                steps(plan, parameters.program());
                for (Buffer b : results) driver.copyOut(copies.get(b.address()), memory(b));
            } finally {
                allocated.forEach(driver::free);
            }
        }

        private MemorySegment memory(Buffer b) {
            return Memory.ALL.asSlice(b.address(), b.bytes());
        }

        private long allocate(long bytes) {
            long address = driver.allocate(bytes);
            allocated.add(address);
            return address;
        }

        private long copy(Buffer b, boolean filled) {
            return copies.computeIfAbsent(b.address(), _ -> {
                long address = allocate(b.bytes());
                if (filled) driver.copyIn(address, memory(b));
                return address;
            });
        }

        private void steps(Plan p, ParameterBlock.Section section) {
            int launches = 0;
            int repeats = 0;
            for (Plan.Step s : p.steps()) {
                switch (s) {
                    case Plan.Launch l -> launch(l, section.blocks(launches++));
                    case Plan.Copy c -> driver.copy(address(section, c.from()), address(section, c.to()), c.bytes());
                    case Plan.LibraryCall c -> library(c, section);
                    case Plan.Repeat r -> {
                        ParameterBlock.Section body = section.body(repeats++);
                        for (long k = 0; k < r.steps(); k++) {
                            body.enter(bases, k);
                            driver.copyIn(parameters.seen(parameters.segment().address()), parameters.segment());
                            steps(r.body(), body);
                        }
                    }
                }
            }
        }

        private long address(ParameterBlock.Section section, Place place) {
            return bases[section.base(place)] + ParameterBlock.offset(place);
        }

        private void launch(Plan.Launch l, long[] blocks) {
            PtxModules.Loaded code = modules.get(l.kernel());
            // Segments of one shape go together; their blocks lie one after the other.
            for (int first = 0; first < blocks.length; ) {
                LaunchRule.Shape shape = shape(code.rule(), blocks[first]);
                int end = first + 1;
                while (end < blocks.length && shape.equals(shape(code.rule(), blocks[end]))) end++;
                if (shape.ctas() > 0) {
                    int count = end - first;
                    long scratch = driver.allocate(shape.scratchBytes() * count);
                    try {
                        driver.launch(
                                code.function(),
                                new long[] {shape.ctas(), count},
                                new int[] {shape.threads(), shape.teams()},
                                parameters.seen(blocks[first]),
                                count > 1 ? blocks[first + 1] - blocks[first] : 0,
                                scratch);
                    } finally {
                        driver.free(scratch);
                    }
                }
                first = end;
            }
            driver.copyOut(
                    parameters.seen(parameters.segment().address()),
                    parameters.segment().asSlice(0, 32));
            parameters.check();
        }

        private static LaunchRule.Shape shape(LaunchRule rule, long block) {
            return rule.shape(slot -> Memory.getLong(block + 8L * slot));
        }

        private void library(Plan.LibraryCall c, ParameterBlock.Section section) {
            List<Buffer> host = new ArrayList<>();
            List<Place> places = new ArrayList<>(List.of(c.in().getFirst()));
            places.addAll(c.out());
            List<Type> types = new ArrayList<>(List.of(c.inTypes().getFirst()));
            types.addAll(c.outTypes());
            try (WorkerPool.Team team = session.pool().acquire()) {
                for (Type t : types)
                    host.add(session.allocator().allocate(t.bytes(), "operands of the host's library"));
                driver.copyOut(address(section, places.getFirst()), memory(host.getFirst()));
                JvmLibrary.run(
                        team,
                        session.pool().threads(),
                        c.op(),
                        types.getFirst(),
                        host.get(0).address(),
                        host.get(1).address(),
                        host.get(2).address());
                for (int i = 1; i < host.size(); i++)
                    driver.copyIn(address(section, places.get(i)), memory(host.get(i)));
            } finally {
                host.forEach(Buffer::release);
            }
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
