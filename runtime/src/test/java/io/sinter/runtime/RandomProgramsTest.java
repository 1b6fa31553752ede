// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Softmax;
import io.sinter.ir.op.Sort;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RandomGraphs;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.text.GraphPrinter;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Random programs of all kinds of operators, optimized and fused: generated code against the
 * interpreter of the same plan (which tests of ir hold against the plain reference). jqwik prints
 * the seed of a failure.
 */
class RandomProgramsTest {
    private static final double TOLERANCE = 1e-4;

    private static Session session;

    @BeforeContainer
    static void open() {
        session = Session.open(Options.fromProperties().withThreads(2).withBackend(Options.Backend.GENERATED));
    }

    @AfterContainer
    static void close() {
        session.close();
    }

    @Property(tries = 60)
    void generatedCodeAgreesWithTheInterpreter(@ForAll long seed) {
        Graph graph = RandomGraphs.graph(seed, 25);
        List<RefArray> arguments = RandomGraphs.arguments(graph, seed);
        Plan plan = Compiler.plan(graph);
        List<RefArray> want = PlanInterpreter.run(plan, arguments);
        List<Arg> args = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) args.add(argument(graph, i, arguments.get(i)));
        Run run = Executable.compile(graph, CompileContext.of(session)).run(args);
        for (int i = 0; i < want.size(); i++) {
            RefArray got = Elements.load(want.get(i).type(), run.result(i).address());
            if (!close(want.get(i), got) && isDecided(plan, arguments, i, want.get(i))) {
                throw new AssertionError(
                        "result " + i + " is " + got + ", expected " + want.get(i) + "\n" + GraphPrinter.print(graph));
            }
        }
    }

    /** Whether a result stays what it is if arguments change in their last bits: the order of sums of softmax does not, as each is 1 but for rounding. */
    private static boolean isDecided(Plan plan, List<RefArray> arguments, int result, RefArray want) {
        for (int i = 0; i < 20; i++) {
            List<RefArray> results = PlanInterpreter.run(plan, RandomGraphs.nudged(arguments, i));
            if (!close(want, results.get(result))) return false;
        }
        return true;
    }

    /** A program as jqwik once found it: code may give another order than the interpreter, and both are right. */
    @Example
    void whatRoundingDecidesIsKnown() {
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(DType.F32, 8, 4));
        Node sums = b.reduce(Reduce.Kind.SUM, b.apply(new Softmax(1), x), 1);
        Graph graph = b.build(sums, b.emit(new Sort(0, true), List.of(sums)).get(1));
        List<RefArray> arguments = RandomGraphs.arguments(graph, 1);
        Plan plan = Compiler.plan(graph);
        List<RefArray> want = PlanInterpreter.run(plan, arguments);
        assertTrue(isDecided(plan, arguments, 0, want.get(0)));
        assertFalse(isDecided(plan, arguments, 1, want.get(1)));
    }

    private static Arg argument(Graph graph, int i, RefArray value) {
        if (((Input) graph.inputs().get(i).op()).scalar()) return Arg.Scalar.ofFloat((float) value.getDouble(0));
        Buffer b = session.allocator().allocate(value.type().bytes());
        Elements.store(value, b.address());
        return b;
    }

    private static boolean close(RefArray want, RefArray got) {
        for (int i = 0; i < want.size(); i++) {
            double w = want.getDouble(i);
            double g = got.getDouble(i);
            boolean same = w == g || Double.isNaN(w) && Double.isNaN(g);
            if (!same && !(Math.abs(w - g) <= TOLERANCE * Math.max(1e-2, Math.abs(w)))) return false;
        }
        return true;
    }
}
