// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.MathCode;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.Compiler;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Numerics;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A program on a simulated GPU that is made anew for each run, and whose PTX can be changed on its way to the device: what tests of the
 * generators and of the simulator's checks work with. The whole host path is the one of device {@code ptx-sim}.
 */
public final class SimulatedProgram {
    private final Graph graph;
    private final Numerics numerics;
    private final Plan spelledOut;

    /** The program of someone who has chosen nothing about rounding. */
    public SimulatedProgram(Graph graph) {
        this(graph, Numerics.DEFAULT);
    }

    public SimulatedProgram(Graph graph, Numerics numerics) {
        this.graph = graph;
        this.numerics = numerics;
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
        SimDriver driver = new SimDriver(machine, change);
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
            Executable program = Executable.compile(graph, context);
            Run run = program.run(buffers);
            List<RefArray> results = new ArrayList<>();
            for (int i = 0; i < run.results().size(); i++)
                results.add(Elements.load(program.resultTypes().get(i), run.result(i)));
            return new Outcome(results, driver.instructions());
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
        return new Plan(
                p.graph(),
                p.argTypes(),
                p.scalarArgs(),
                p.resultTypes(),
                p.resultPlaces(),
                steps,
                p.arenaBytes(),
                p.sites());
    }

    private static Kernel spellOut(Kernel kernel) {
        MathCode math = new MathCode();
        return switch (kernel) {
            case LoopKernel k ->
                new LoopKernel(k.name(), k.grid(), k.buffers(), k.slots(), k.scratchBytes(), math.stmts(k.body()));
            case GemmKernel k ->
                new GemmKernel(
                        k.name(),
                        k.batch(),
                        k.m(),
                        k.n(),
                        k.k(),
                        math.expr(k.a()),
                        math.expr(k.b()),
                        k.acc(),
                        k.result(),
                        math.stmts(k.epilogue()),
                        k.stencil(),
                        k.buffers(),
                        k.slots());
            case AttentionKernel k -> k;
        };
    }
}
