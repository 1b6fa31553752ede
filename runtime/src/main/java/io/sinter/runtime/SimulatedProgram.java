// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.MathCode;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.Compiler;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.store.StoredPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;

/**
 * A program on a simulated GPU that is made anew for each run, and whose PTX can be changed on its way to the device: what tests of the
 * generators and of the simulator's checks work with. The whole host path is the one of device {@code ptx-sim}.
 */
public final class SimulatedProgram {
    private final Graph graph;
    private final Numerics numerics;
    private final String form;
    private final Plan spelledOut;

    /** The program of someone who has chosen nothing about rounding. */
    public SimulatedProgram(Graph graph) {
        this(graph, Numerics.DEFAULT);
    }

    public SimulatedProgram(Graph graph, Numerics numerics) {
        this(graph, numerics, "");
    }

    /** @param form text of a {@link Schedule} that all launches of a program without loops take which may have it; empty for none */
    public SimulatedProgram(Graph graph, Numerics numerics, String form) {
        this.graph = graph;
        this.numerics = numerics;
        this.form = form;
        spelledOut = spellOut(plan(graph));
    }

    /** The plan of a graph as GPUs run it: composites that there is no template for are decomposed. */
    static Plan plan(Graph graph) {
        return Compiler.plan(graph, Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
    }

    /**
     * What one run gave.
     *
     * @param results the program's results
     * @param instructions that warps executed
     */
    public record Outcome(List<RefArray> results, long instructions) {}

    /**
     * The GPU of a run, and how unlike the usual its launches are: kernels give the same whatever it is, but for the order of sums.
     *
     * @param options how kernels are simulated
     * @param target what the GPU says that it is
     * @param maxCtas no launch has more CTAs than this in x: they take the tasks in turn
     * @param team threads of every team, one of which is a CTA; 0: as the kernel's launch rule says. Not for products, whose teams have one size
     * @param moved number of an allocation that does not lie at an aligned address; −1 for none
     * @param beside bytes by which it lies beside one
     */
    public record Machine(SimOptions options, Target target, int maxCtas, int team, int moved, int beside) {
        /** The usual one. */
        static Machine of(SimOptions options, Target target) {
            return new Machine(options, target, Integer.MAX_VALUE, 0, -1, 0);
        }
    }

    /**
     * Runs the program.
     *
     * @param change is given the PTX text of each module in the order of loading, and returns what is loaded instead
     * @throws SimFault if a kernel has a fault
     * @throws IndexError if an index is out of range
     */
    public Outcome run(List<RefArray> args, Machine machine, UnaryOperator<String> change) {
        return run(args, new SimDriver(machine, change), () -> {});
    }

    private Outcome run(List<RefArray> args, SimDriver driver, Runnable beforeResult) {
        Options one = Options.fromProperties()
                .withThreads(1)
                .withBackend(Options.Backend.GENERATED)
                .withDevice(Device.PTX_SIM);
        try (Session session = Session.open(one, driver)) {
            List<Buffer> buffers = new ArrayList<>();
            for (RefArray a : args) {
                Buffer b = session.allocator().allocate(a.type().bytes());
                Elements.store(a, b);
                buffers.add(b);
            }
            CompileContext context =
                    new CompileContext(session, session.device(), Options.Backend.GENERATED, numerics, null);
            Executable program = form.isEmpty() ? Executable.compile(graph, context) : formed(context);
            Run run = program.run(buffers);
            // Wrong indices are found here, before the first result is read.
            session.synchronize();
            List<RefArray> results = new ArrayList<>();
            for (int i = 0; i < run.results().size(); i++) {
                beforeResult.run();
                results.add(Elements.load(program.resultTypes().get(i), run.result(i)));
            }
            return new Outcome(results, driver.instructions());
        } finally {
            driver.noteOn(null);
        }
    }

    /** The program whose launches take the form. */
    private Executable formed(CompileContext context) {
        StoredPlan plan = Programs.plan(graph, Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES, null);
        List<String> forms = new ArrayList<>();
        ParameterBlock parameters =
                new ParameterBlock(plan.plan(), context.session().hostMemory());
        try {
            for (Plan.Step s : plan.plan().steps()) {
                if (!(s instanceof Plan.Launch l)) continue;
                boolean takes = true;
                for (long block : parameters.program().blocks(forms.size()))
                    takes &= PtxCodegen.schedules(
                                    l.kernel(),
                                    ParameterBlock.slots(block),
                                    context.session().gpu().modules().target(),
                                    numerics)
                            .stream()
                            .anyMatch(x -> x.text().equals(form));
                forms.add(takes ? form : "");
            }
        } finally {
            parameters.release();
        }
        return Programs.linked(plan.withForms(forms), context).executable();
    }

    /** Runs the program as it is, and keeps what was done on the device. A wrong index ends it as it would end any run. */
    public Recording record(List<RefArray> args, Machine machine) {
        SimTape tape = new SimTape();
        SimDriver driver = new SimDriver(machine, UnaryOperator.identity());
        driver.noteOn(tape);
        List<Integer> starts = new ArrayList<>();
        Outcome outcome = null;
        IndexError error = null;
        try {
            outcome = run(args, driver, () -> starts.add(tape.size()));
        } catch (IndexError e) {
            error = e;
            starts.clear();
        }
        return new Recording(tape, machine, outcome, error, starts);
    }

    /** A run that can be done again with one kernel changed, at the cost of the launches that this changes something for. */
    public static final class Recording {
        private final SimTape tape;
        private final Machine machine;
        private final Outcome outcome;
        private final IndexError error;
        /** Where in the tape the host begins to ask for each result. */
        private final List<Integer> starts;

        private Recording(SimTape tape, Machine machine, Outcome outcome, IndexError error, List<Integer> starts) {
            this.tape = tape;
            this.machine = machine;
            this.outcome = outcome;
            this.error = error;
            this.starts = starts;
        }

        /** What it gave; null if it ended with an error. */
        public Outcome outcome() {
            return outcome;
        }

        /** What it ended with; null if with results. */
        public IndexError error() {
            return error;
        }

        /** The texts of the modules that it loaded. */
        public List<String> modules() {
            return tape.ops().stream()
                    .filter(SimTape.Op.Load.class::isInstance)
                    .map(o -> ((SimTape.Op.Load) o).text())
                    .distinct()
                    .toList();
        }

        /**
         * Does it again with a changed kernel. What launches before it have done is known, and what launches behind it will do, too, if it leaves memory as it
         * was.
         *
         * @param patience instructions, at most, of a launch that took so many
         * @throws SimFault if a kernel has a fault
         * @throws PtxException if the changed kernel is no PTX
         */
        public Replay again(ChangedKernel change, LongUnaryOperator patience) {
            List<byte[]> others = tape.again(
                    machine.options(),
                    change::isIn,
                    (module, device) -> change.module(module.text(), device),
                    patience);
            int from = starts.isEmpty() ? others.size() : starts.getFirst();
            if (others.subList(0, from).stream().anyMatch(Objects::nonNull)) return new Replay(false, null);
            if (others.stream().allMatch(Objects::isNull))
                return new Replay(true, outcome == null ? null : outcome.results());
            List<RefArray> results = new ArrayList<>();
            for (int i = 0; i < starts.size(); i++) {
                int end = i + 1 < starts.size() ? starts.get(i + 1) : others.size();
                results.add(result(outcome.results().get(i).type(), others, starts.get(i), end));
            }
            return new Replay(false, results);
        }

        private RefArray result(Type type, List<byte[]> others, int start, int end) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment all = arena.allocate(Math.max(1, type.bytes()), Long.BYTES);
                long at = 0;
                for (int i = start; i < end; i++) {
                    if (!(tape.ops().get(i) instanceof SimTape.Op.CopyOut c)) continue;
                    byte[] bytes = others.get(i) == null ? c.bytes() : others.get(i);
                    MemorySegment.copy(bytes, 0, all, ValueLayout.JAVA_BYTE, at, bytes.length);
                    at += bytes.length;
                }
                return Elements.load(type, all.address());
            }
        }
    }

    /**
     * What came of a run that was done again.
     *
     * @param isTheSame whether the host was given the same, to the last bit
     * @param results null if the run gave none, or if the host was given something else, of errors, than it was: {@link SimulatedProgram#run} says
     *     what it makes of that
     */
    public record Replay(boolean isTheSame, List<RefArray> results) {}

    /** A kernel of a module, and the module with another one in its place. For one thread. */
    public static final class ChangedKernel {
        private final String was;
        private final String entry;
        private final String is;
        /** By their texts as they were. */
        private final Map<String, SimModule> modules = new HashMap<>();

        /**
         * @param was the module's text
         * @param entry the kernel's name
         * @param is the module's text with the change
         */
        public ChangedKernel(String was, String entry, String is) {
            this.was = was;
            this.entry = entry;
            this.is = is;
        }

        /** The text to be loaded instead of a module's. */
        public String change(String text) {
            return text.equals(was) ? is : text;
        }

        private boolean isIn(String module, String kernel) {
            return kernel.equals(entry) && module.equals(was);
        }

        /** A module to be run in the place of another one, on any device: generated modules have no variables in memory. */
        private SimModule module(String text, SimDevice device) {
            return modules.computeIfAbsent(text, t -> device.load(change(t)));
        }
    }

    /** The launches of the program's kernels, those of loops' bodies too. */
    public List<Plan.Launch> launches() {
        List<Plan.Launch> all = new ArrayList<>();
        launches(spelledOut, all);
        return all;
    }

    private static void launches(Plan plan, List<Plan.Launch> all) {
        for (Plan.Step s : plan.steps()) {
            switch (s) {
                case Plan.Launch l -> all.add(l);
                case Plan.Repeat r -> launches(r.body(), all);
                case Plan.LibraryCall _, Plan.Copy _ -> {}
            }
        }
    }

    /**
     * The results by the interpreter of plans, of the same kernels, functions spelled out as PTX has them: but for the order of sums, emitted code
     * is to give the same bits.
     *
     * @throws IndexError if an index is out of range
     */
    public List<RefArray> interpret(List<RefArray> args) {
        return PlanInterpreter.run(spelledOut, args);
    }

    private static Plan spellOut(Plan p) {
        List<Plan.Step> steps = p.steps().stream()
                .map(s -> switch (s) {
                    case Plan.Launch l -> new Plan.Launch(spellOut(l.kernel()), l.segments());
                    case Plan.Repeat r ->
                        new Plan.Repeat(spellOut(r.body()), r.steps(), r.arguments(), r.results(), r.arena());
                    case Plan.LibraryCall _, Plan.Copy _ -> s;
                })
                .toList();
        return p.withSteps(steps);
    }

    private static Kernel spellOut(Kernel kernel) {
        MathCode math = new MathCode();
        SimulatedExponential exp = new SimulatedExponential();
        return switch (kernel) {
            case LoopKernel k ->
                new LoopKernel(
                        k.name(), k.grid(), k.buffers(), k.slots(), k.scratchBytes(), exp.stmts(math.stmts(k.body())));
            case GemmKernel k ->
                new GemmKernel(
                        k.name(),
                        k.batch(),
                        k.m(),
                        k.n(),
                        k.k(),
                        exp.expr(math.expr(k.a())),
                        exp.expr(math.expr(k.b())),
                        k.acc(),
                        k.result(),
                        exp.stmts(math.stmts(k.epilogue())),
                        k.stencil(),
                        k.buffers(),
                        k.slots());
            case AttentionKernel k -> k;
        };
    }
}
