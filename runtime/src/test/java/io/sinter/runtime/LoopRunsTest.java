// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Loops and their gradients give the same bits for any number of threads, and when they run again on other memory. */
class LoopRunsTest {
    @TestFactory
    Stream<DynamicTest> sameBits() {
        return Operators.samples().stream()
                .filter(s -> s.op() instanceof Loop && s.smooth())
                .map(s -> DynamicTest.dynamicTest(s.inputs().toString().substring(0, 40), () -> check(s)));
    }

    private static void check(Sample s) {
        List<RefArray> one = run(s, 1);
        for (int threads : new int[] {2, 3}) {
            List<RefArray> more = run(s, threads);
            for (int i = 0; i < one.size(); i++) assertTrue(one.get(i).sameAs(more.get(i)), threads + " threads, " + i);
        }
    }

    private static List<RefArray> run(Sample s, int threads) {
        GraphBuilder g = new GraphBuilder();
        List<RefArray> args = new ArrayList<>(s.inputs());
        Graph graph = graph(g, s, args);
        try (Session session =
                Session.open(Options.fromProperties().withThreads(threads).withBackend(Options.Backend.GENERATED))) {
            Executable program = Executable.compile(graph, CompileContext.of(session));
            List<RefArray> first = results(program, session, graph, args);
            List<RefArray> second = results(program, session, graph, args);
            for (int i = 0; i < first.size(); i++) assertTrue(first.get(i).sameAs(second.get(i)), "again, " + i);
            assertEquals(2, session.counters().runs());
            return first;
        }
    }

    private static List<RefArray> results(Executable program, Session session, Graph graph, List<RefArray> args) {
        List<Buffer> buffers = new ArrayList<>();
        for (RefArray a : args) {
            Buffer b = session.allocator().allocate(a.type().bytes());
            Elements.store(a, b);
            buffers.add(b);
        }
        Run run = program.run(buffers);
        List<RefArray> out = new ArrayList<>();
        for (int i = 0; i < graph.outputs().size(); i++) {
            Type t = graph.outputs().get(i).type();
            out.add(Elements.load(t, run.result(i)));
        }
        return out;
    }

    /** The loop's results, and the gradients of those that are floats. */
    private static Graph graph(GraphBuilder g, Sample s, List<RefArray> args) {
        Tape<Node> tape = new Tape<>(g);
        List<Tape.Var<Node>> in = new ArrayList<>();
        for (RefArray a : s.inputs()) in.add(tape.leaf(g.input(a.type())));
        List<Tape.Var<Node>> results = new ArrayList<>();
        List<Tape.Var<Node>> seeds = new ArrayList<>();
        for (Tape.Var<Node> r : tape.emit(s.op(), in)) {
            if (!tape.type(r).dtype().isFloat()) continue;
            results.add(r);
            seeds.add(tape.leaf(g.input(tape.type(r))));
            args.add(Sample.uniform(tape.type(r), 0.5, 1.5, 5));
        }
        List<Tape.Var<Node>> all = new ArrayList<>(results);
        all.addAll(tape.gradients(results, seeds, in));
        return g.build(all.stream().map(Tape.Var::value).toArray(Node[]::new));
    }
}
