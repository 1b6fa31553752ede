// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.ir.IndexError;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.cache.Tuning.Timing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Chooses forms for the launches of a plan by measuring them: each by itself, on scratch memory of the extents that it has in the program, on the session's
 * threads or GPU. Launches that do the same work are measured once. From the form that the tables give, the search goes on to the best of those that
 * differ in one choice, as long as that gains something, and until its time is over; launches that do most are looked at first.
 */
final class Tuner {
    private static final System.Logger LOG = System.getLogger("io.sinter.autotune");

    /** Another form must cost less than this part of what the best one so far costs, twice in a row: it is to be more than noise. */
    private static final double GAIN = 0.97;

    /** Forms take turns so many times, or less often if they take long, but not less than {@link #LEAST_ROUNDS}. */
    private static final int ROUNDS = 9;

    private static final int LEAST_ROUNDS = 3;

    /** What all turns of one form should take, and what one turn should last at least, as clocks are coarse. */
    private static final long TURNS_NANOS = 400_000_000;

    private static final long TURN_NANOS = 200_000;

    /** Runs before a form is measured, at least so many and for so long, as code is compiled meanwhile; but no more once they have taken too long. */
    private static final int WARM_RUNS = 4;

    private static final long WARM_NANOS = 60_000_000;
    private static final long TOO_LONG_NANOS = 400_000_000;

    /** What a launch does, but for where its memory is: its code and the numbers in its parameter block. */
    private record Work(String code, List<Long> numbers) {}

    private static final class Group {
        final Plan plan;
        final Plan.Launch launch;
        /** One launch's parameter blocks, one a segment, not yet run. */
        final long[] blocks;

        final List<Integer> numbers = new ArrayList<>();
        /** Iterations of all of them in one run of the program, about. */
        double iterations;

        Group(Plan plan, Plan.Launch launch, long[] blocks) {
            this.plan = plan;
            this.launch = launch;
            this.blocks = blocks;
        }
    }

    private final StoredPlan stored;
    private final CompileContext context;
    private final Session session;
    /** Null on the JVM. */
    private final Gpu gpu;

    private final long start = System.nanoTime();
    private final long budget;
    private final Map<Work, Group> groups = new LinkedHashMap<>();
    private int launches;

    private Tuner(StoredPlan stored, CompileContext context) {
        this.stored = stored;
        this.context = context;
        session = context.session();
        gpu = context.device().kind() == Device.Kind.JVM ? null : session.gpu();
        budget = TimeUnit.NANOSECONDS.convert(context.autotune()); // of more than they can say, the most
    }

    /** Measures, for about the time that the context gives. */
    static Tuning tune(StoredPlan plan, CompileContext context) {
        Tuner tuner = new Tuner(plan, context);
        Tuning made = tuner.tune();
        LOG.log(
                System.Logger.Level.INFO,
                "autotune: {0}; took {1} ms",
                made.summary(),
                (System.nanoTime() - tuner.start) / 1_000_000);
        return made;
    }

    private Tuning tune() {
        ParameterBlock parameters = new ParameterBlock(stored.plan(), session.hostMemory());
        try {
            collect(stored.plan(), parameters.program(), 1);
            List<Group> order = new ArrayList<>(groups.values());
            order.sort(Comparator.comparingDouble((Group g) -> g.iterations).reversed());
            List<Tuning.Group> measured = new ArrayList<>();
            for (Group g : order) {
                if (!hasTime()) break;
                Tuning.Group m = measure(g);
                if (m != null) measured.add(m);
            }
            return new Tuning(gpu == null ? Tuning.NANOSECONDS : gpu.driver().costUnit(), launches, measured);
        } finally {
            parameters.release();
        }
    }

    private boolean hasTime() {
        return System.nanoTime() - start < budget;
    }

    /** @param times how often the plan runs in one run of the program */
    private void collect(Plan plan, ParameterBlock.Section section, double times) {
        int own = 0;
        int repeats = 0;
        for (Plan.Step s : plan.steps()) {
            switch (s) {
                case Plan.Launch l -> {
                    int number = launches++;
                    long[] blocks = section.blocks(own++);
                    if (blocks.length == 0) continue;
                    Work work = new Work(stored.codeName(l.kernel()), numbers(l, blocks));
                    Group g = groups.computeIfAbsent(work, _ -> new Group(plan, l, blocks));
                    g.numbers.add(number);
                    for (long b : blocks) g.iterations += times * InnerExtents.iterations(l.kernel(), b);
                }
                case Plan.Repeat r -> collect(r.body(), section.body(repeats++), times * r.steps());
                case Plan.LibraryCall _, Plan.Copy _ -> {}
            }
        }
    }

    /** Numbers, and for addresses how they are aligned. */
    private static List<Long> numbers(Plan.Launch launch, long[] blocks) {
        List<Long> numbers = new ArrayList<>();
        for (int s = 0; s < blocks.length; s++) {
            List<SlotValue> values = launch.segments().get(s);
            for (int slot = 0; slot < values.size(); slot++) {
                numbers.add(
                        switch (values.get(slot)) {
                            case SlotValue.Number n -> n.value();
                            case SlotValue.Address _ ->
                                Long.lowestOneBit(
                                        ParameterBlock.slots(blocks[s]).applyAsLong(slot) | ParameterBlock.ALIGNMENT);
                            case SlotValue.ScalarArgument _, SlotValue.ErrorRecord _ -> 0L;
                        });
            }
        }
        return numbers;
    }

    /** Forms that a launch may take besides {@code from}, and that are near it. */
    private List<String> forms(Group g, String from) {
        Kernel kernel = g.launch.kernel();
        if (gpu == null) {
            return session.jvmKernels()
                    .get(kernel, stored.codeName(kernel))
                    .in(from)
                    .forms(g.blocks[0], from);
        }
        if (!from.isEmpty()) return List.of(); // all have been looked at
        List<String> forms = formsOnGpu(kernel, g.blocks[0]);
        for (long other : g.blocks) forms.retainAll(formsOnGpu(kernel, other));
        return forms;
    }

    private List<String> formsOnGpu(Kernel kernel, long block) {
        List<String> forms = new ArrayList<>();
        LibraryMatmul product = LibraryMatmul.of(
                kernel, ParameterBlock.slots(block), context.numerics().products());
        MatmulLibrary library = gpu.matmul();
        boolean possible = product != null && library != null && library.takes(product.problem());
        boolean table = possible && gpu.matmulFor(product.problem()) != null;
        if (possible && !table) forms.add(Tuning.LIBRARY);
        List<Schedule> all = PtxCodegen.schedules(
                kernel, ParameterBlock.slots(block), gpu.modules().target(), context.numerics());
        // The first is the table's own.
        for (Schedule s : all.subList(table ? 0 : 1, all.size())) forms.add(s.text());
        return forms;
    }

    /** Null if there is nothing to choose, no memory to try it in, or no time left to compare anything. */
    private Tuning.Group measure(Group g) {
        List<String> first = forms(g, "");
        if (first.isEmpty()) return null;
        LaunchAlone alone = new LaunchAlone(g.plan, g.launch, stored.plan().sites());
        List<Buffer> memory = List.of();
        try {
            memory = alone.memory(session.allocator());
            return new Search(g, StoredPlan.of(alone.plan()), memory).run(first);
        } catch (OutOfDeviceMemoryException | IndexError e) {
            LOG.log(System.Logger.Level.DEBUG, g.launch.kernel().name() + " is not measured", e);
            return null;
        } finally {
            // A GPU may still be at it: what is queued later comes later.
            memory.forEach(Buffer::release);
        }
    }

    /** The search for one launch. */
    private final class Search {
        private final Group group;
        private final StoredPlan alone;
        private final List<Buffer> memory;
        private final Map<String, Executable> made = new LinkedHashMap<>();
        private final List<Timing> timings = new ArrayList<>();
        /** Runs in one turn. */
        private int repeat = 1;

        Search(Group group, StoredPlan alone, List<Buffer> memory) {
            this.group = group;
            this.alone = alone;
            this.memory = memory;
        }

        /** Null if nothing was timed. */
        Tuning.Group run(List<String> first) {
            String best = "";
            Set<String> seen = new HashSet<>(Set.of(""));
            prepare("");
            List<String> next = first;
            while (!next.isEmpty() && hasTime()) {
                seen.addAll(next);
                String better = better(best, next);
                // Once more, without the others: the best of many is often the luckiest.
                if (better == null || better(best, List.of(better)) == null) break;
                best = better;
                next = forms(group, best).stream()
                        .filter(f -> !seen.contains(f))
                        .toList();
            }
            // To bring the first form to speed may have taken all the time that there was.
            return timings.isEmpty() ? null : new Tuning.Group(group.numbers, name(), best, timings);
        }

        private String name() {
            String kernel =
                    group.launch.kernel().name() + (group.blocks.length == 1 ? "" : " × " + group.blocks.length);
            if (gpu != null) return kernel;
            String size = session.jvmKernels()
                    .get(group.launch.kernel(), stored.codeName(group.launch.kernel()))
                    .describe(group.blocks[0]);
            return kernel + " " + size;
        }

        /** The one of {@code others} that costs least, if that is less than {@code best} by more than noise; else null. */
        private String better(String best, List<String> others) {
            List<String> all = new ArrayList<>(List.of(best));
            for (String f : others) {
                if (!hasTime()) break;
                prepare(f);
                all.add(f);
            }
            List<List<Long>> costs = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) costs.add(new ArrayList<>());
            int rounds = 1;
            for (int round = 0; round < rounds; round++) {
                if (round >= LEAST_ROUNDS && !hasTime()) break;
                long start = System.nanoTime();
                for (int i = 0; i < all.size(); i++) costs.get(i).add(turn(made.get(all.get(i))));
                long each = (System.nanoTime() - start) / all.size();
                if (round == 0 && isTimed()) rounds = Math.clamp(TURNS_NANOS / Math.max(1, each), LEAST_ROUNDS, ROUNDS);
            }
            long[] middle = costs.stream().mapToLong(Tuner::middle).toArray();
            int least = 0;
            for (int i = 0; i < middle.length; i++) {
                timings.add(new Timing(all.get(i), middle[i]));
                if (middle[i] < middle[least]) least = i;
            }
            return middle[least] < GAIN * middle[0] ? all.get(least) : null;
        }

        private void prepare(String form) {
            if (made.containsKey(form)) return;
            Executable e =
                    Programs.linked(alone.withForms(List.of(form)), context).executable();
            made.put(form, e);
            if (!isTimed()) return;
            long start = System.nanoTime();
            long last = start;
            long shortest = Long.MAX_VALUE;
            for (int n = 0; n < WARM_RUNS || last - start < WARM_NANOS; n++) {
                e.run(memory);
                if (gpu != null) gpu.synchronize();
                long now = System.nanoTime();
                shortest = Math.min(shortest, now - last);
                last = now;
                if (now - start > TOO_LONG_NANOS) break;
            }
            if (form.isEmpty()) repeat = Math.clamp(TURN_NANOS / Math.max(1, shortest), 1, 1000);
        }

        private long turn(Executable e) {
            if (gpu != null) return turnOnGpu(e);
            long start = System.nanoTime();
            for (int i = 0; i < repeat; i++) e.run(memory);
            return (System.nanoTime() - start) / repeat;
        }

        private long turnOnGpu(Executable e) {
            GpuDriver driver = gpu.driver();
            synchronized (gpu) {
                GpuDriver.Event before = driver.createEvent();
                GpuDriver.Event after = driver.createEvent();
                try {
                    driver.record(before, gpu.stream());
                    for (int i = 0; i < repeat; i++) e.run(memory);
                    driver.record(after, gpu.stream());
                    gpu.synchronize();
                    return driver.costBetween(before, after) / repeat;
                } finally {
                    driver.destroy(before);
                    driver.destroy(after);
                }
            }
        }
    }

    /** Whether costs are times, which differ from turn to turn. */
    private boolean isTimed() {
        return gpu == null || gpu.driver().costUnit().equals(Tuning.NANOSECONDS);
    }

    private static long middle(List<Long> costs) {
        long[] sorted = costs.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
