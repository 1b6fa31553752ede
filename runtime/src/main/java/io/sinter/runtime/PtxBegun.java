// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.IndexError;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.runtime.dump.Sources;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A run on a GPU that has begun before all of its arguments are known. Its steps are queued in the plan's order, up to the first one that touches an argument
 * which is not known, or writes one: what the stream does for a guess changes nothing that anybody else reads. Its memory is its own until it is finished,
 * or given up: then whoever gets it next comes later in the stream.
 */
final class PtxBegun implements Begun {
    private final PtxExecutable program;
    private final Gpu gpu;
    private final IntFunction<?> tags;
    private final Arg[] known;
    private final Buffer[] results;
    private final List<Buffer> temporaries = new ArrayList<>();
    private final long[] bases;
    private long scratch;
    /** Steps that have been queued, and stages that they were queued in. */
    private int done;

    private int stages;
    private boolean over;

    PtxBegun(PtxExecutable program, IntFunction<?> tags) {
        this.program = program;
        gpu = program.gpu;
        this.tags = tags;
        known = new Arg[program.plan.argTypes().size()];
        results = new Buffer[program.plan.resultTypes().size()];
        bases = program.bases();
    }

    @Override
    public void advance(List<? extends Arg> args) {
        synchronized (gpu) {
            if (over) return;
            program.session.allocator().postpone();
            boolean complete = false;
            try {
                for (int i = 0; i < known.length; i++) if (known[i] == null) learn(i, args.get(i));
                int end = done;
                while (end < program.steps.all().size()
                        && program.steps.needs(end).allow(known)) end++;
                if (end > done) queue(end);
                complete = true;
            } catch (OutOfDeviceMemoryException | IndexError e) {
                // Whoever runs the program will be told, if it is still so.
            } finally {
                if (!complete) abandon();
                program.session.allocator().collectIfDue();
            }
        }
    }

    /** An argument is known; one that does not fit the program is not one of its. */
    private void learn(int i, Arg a) {
        Type type = program.plan.argTypes().get(i);
        boolean scalar = program.plan.scalarArgs().get(i);
        switch (a) {
            case Buffer b
            when !scalar -> {
                if (b.isReleased() || b.bytes() < type.bytes() || b.allocator() != program.session.allocator()) return;
                b.check();
                b.pin();
                bases[i] = b.address();
                known[i] = b;
            }
            case Arg.Scalar s when scalar -> known[i] = s;
            case null, default -> {}
        }
    }

    private void queue(int end) {
        if (stages == 0) allocate();
        PtxRunning running = new PtxRunning(program, bases, scratch, stages > 0, tags, null);
        program.parameters.prepare(bases, Arrays.asList(known));
        running.order(program.steps.all().subList(done, end));
        running.end(program.stage(stages++));
        done = end;
    }

    private void allocate() {
        bases[program.arenaBase()] =
                program.temporary(program.plan.arenaBytes(), "temporaries of a running program", temporaries);
        scratch = program.temporary(program.steps.scratchBytes(), "scratch memory of kernels", temporaries);
        for (int i = 0; i < results.length; i++) {
            if (!(program.plan.resultPlaces().get(i) instanceof Place.Result r) || r.index() != i) continue;
            results[i] = program.session
                    .allocator()
                    .allocate(program.plan.resultTypes().get(i).bytes(), tags.apply(i));
            bases[known.length + i] = results[i].address();
        }
    }

    @Override
    public boolean agrees(List<? extends Arg> args) {
        synchronized (gpu) {
            for (int i = 0; i < known.length && !over; i++)
                if (known[i] != null && !known[i].equals(args.get(i))) return false;
            return !over;
        }
    }

    @Override
    public Run finish(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        synchronized (gpu) {
            boolean goesOn = stages > 0 && program.session.profile() == null && agrees(args);
            if (goesOn) {
                Args.check(args, program.plan.argTypes(), program.plan.scalarArgs(), program.session.device());
                for (int i = 0; i < known.length; i++) {
                    if (known[i] == null) learn(i, args.get(i));
                    goesOn &= known[i] != null;
                }
            }
            if (!goesOn) {
                abandon();
                return program.run(args, tags, sources);
            }
            try {
                return queueRest(args, tags, sources);
            } finally {
                gpu.runsAhead(null);
                Reference.reachabilityFence(program);
            }
        }
    }

    private Run queueRest(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        List<Buffer> all = Args.results(program.plan, args, results, tags, program.session.allocator());
        PtxExecutable.place(bases, args, all);
        RunTiming timing = RunTiming.begin(program.session, program, sources);
        try {
            PtxRunning running = new PtxRunning(program, bases, scratch, true, tags, timing);
            program.parameters.prepare(bases, args);
            program.scalarResults(running, bases, all);
            List<PtxStep> steps = program.steps.all();
            running.order(steps.subList(done, steps.size()));
            running.end(program.stage(stages));
        } finally {
            timing.end();
        }
        Arrays.fill(results, null); // whoever runs the program has them now
        program.session.counters().stepsAhead.add(done);
        done = 0;
        return program.queued(all, sources);
    }

    @Override
    public void abandon() {
        synchronized (gpu) {
            if (over) return;
            over = true;
            if (done > 0) program.session.counters().runsGivenUp.increment();
            temporaries.forEach(Buffer::release);
            for (Buffer b : results) if (b != null) b.release();
            for (Arg a : known) if (a instanceof Buffer b) b.unpin();
            temporaries.clear();
            Arrays.fill(results, null);
            Arrays.fill(known, null);
        }
    }
}
