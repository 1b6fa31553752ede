// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.ProgramSites;
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

    /** Of a program of fewer kernels nothing is begun before the rest is known. */
    private static final int LEAST_BEGUN = 8;

    final Plan plan;
    final Session session;
    final Gpu gpu;
    /** The device's copy of the parameter blocks. */
    private Buffer onDevice;

    final ParameterBlock parameters;
    final PtxSteps steps;
    private final ProgramSites sites;
    private final List<Integer> scalarResults = new ArrayList<>();
    final long unrolledBytes;
    /** Whether beginning pays: a loop waits for all arguments, and sends blocks for each of its runs. */
    private final boolean mayBegin;

    // Guarded by the GPU.
    private final PtxQueue whole;
    private final List<PtxQueue> stages = new ArrayList<>();

    PtxExecutable(StoredPlan plan, Session session, Numerics numerics) {
        this(plan, session, numerics, MAX_UNROLLED);
    }

    /** @param maxUnrolled bytes of the blocks of loops' bodies that go to the device in one copy, at most */
    PtxExecutable(StoredPlan stored, Session session, Numerics numerics, long maxUnrolled) {
        plan = stored.plan();
        this.session = session;
        gpu = session.gpu();
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
        mayBegin = steps.kernels() >= LEAST_BEGUN && plan.steps().stream().noneMatch(Plan.Repeat.class::isInstance);
        whole = new PtxQueue(gpu, this);
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        Args.check(args, plan.argTypes(), plan.scalarArgs(), session.device());
        synchronized (gpu) {
            gpu.runsAhead(null);
            if (!plan.sites().isEmpty() && gpu.checks().isFull()) gpu.synchronize();
            for (Arg a : args) if (a instanceof Buffer b) b.check();
            Args.pin(args);
            session.allocator().postpone();
            List<Buffer> temporaries = new ArrayList<>();
            try {
                List<Buffer> results = Args.results(plan, args, tags, session.allocator());
                long[] bases = bases();
                place(bases, args, results);
                bases[arenaBase()] = temporary(plan.arenaBytes(), "temporaries of a running program", temporaries);
                long scratch = temporary(steps.scratchBytes(), "scratch memory of kernels", temporaries);
                RunTiming timing = RunTiming.begin(session, this, sources);
                try {
                    PtxRunning running = new PtxRunning(this, bases, scratch, false, tags, timing);
                    parameters.prepare(bases, args);
                    scalarResults(running, bases, results);
                    running.order(steps.all());
                    running.end(whole);
                } finally {
                    timing.end();
                }
                return queued(results, sources);
            } finally {
                temporaries.forEach(Buffer::release);
                session.allocator().collectIfDue();
                Args.unpin(args);
                Reference.reachabilityFence(this);
            }
        }
    }

    @Override
    public boolean begins() {
        return mayBegin && gpu.runsAhead();
    }

    @Override
    public Begun begin(IntFunction<?> tags) {
        synchronized (gpu) {
            if (!begins() || session != Session.current() || session.profile() != null) return null;
            if (gpu.checks().isFull()) return null;
            PtxBegun b = new PtxBegun(this, tags);
            gpu.runsAhead(b);
            return b;
        }
    }

    /** What queues the orders of stage {@code k} of runs that have begun before all of their arguments were known. */
    PtxQueue stage(int k) {
        while (stages.size() <= k) stages.add(new PtxQueue(gpu, this));
        return stages.get(k);
    }

    /** Base addresses of a run, none known yet. */
    long[] bases() {
        return new long[parameters.bases()];
    }

    /** Fills in where arguments and results are. */
    static void place(long[] bases, List<? extends Arg> args, List<Buffer> results) {
        int n = 0;
        for (Arg a : args) bases[n++] = a instanceof Buffer b ? b.address() : 0;
        for (Buffer b : results) bases[n++] = b.address();
    }

    /** Which base address is the arena's. */
    int arenaBase() {
        return plan.argTypes().size() + plan.resultTypes().size();
    }

    /** Memory that a run gives back at its end. */
    long temporary(long bytes, String tag, List<Buffer> temporaries) {
        if (bytes == 0) return 0;
        Buffer b = session.allocator().allocateTemporary(bytes, tag);
        temporaries.add(b);
        return b.address();
    }

    /** Results that are scalar arguments: their buffers get the values. */
    void scalarResults(PtxRunning running, long[] bases, List<Buffer> results) {
        for (int i : scalarResults) {
            long from = bases[ParameterBlock.base(plan, plan.resultPlaces().get(i))];
            running.copy(
                    from, results.get(i).address(), plan.resultTypes().get(i).bytes());
        }
    }

    /** All of a run has been queued. */
    Run queued(List<Buffer> results, Sources sources) {
        long number = gpu.checks().queued(parameters.seen(parameters.record().address()), plan.sites(), sources);
        for (Buffer b : results) b.madeBy(number);
        if (gpu.waitsForEach() && !plan.sites().isEmpty()) gpu.synchronize();
        session.counters().runs.increment();
        session.counters().launches.add(steps.kernels());
        return new Run(results);
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
