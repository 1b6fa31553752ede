// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
class BackendsTest {
    private final Session session;

    BackendsTest(Options.Backend backend) {
        session = Session.open(Options.fromProperties().withBackend(backend));
    }

    @AfterEach
    void close() {
        session.close();
    }

    private Executable compile(Graph graph) {
        return Executable.compile(graph, CompileContext.of(session));
    }

    private Buffer buffer(RefArray a) {
        Buffer b = session.allocator().allocate(a.type().bytes());
        Elements.store(a, b.address());
        return b;
    }

    private static RefArray vector(double... values) {
        return RefArray.of(DType.F32, Shape.of(values.length), values);
    }

    private static double[] values(Buffer b, Type type) {
        return Elements.load(type, b.address()).toDoubles();
    }

    private static final Type F4 = Type.of(DType.F32, 4);

    @ParameterizedTest
    @EnumSource(DType.class)
    void elementsGoThroughMemoryUnchanged(DType dtype) {
        Type type = Type.of(dtype, 6);
        double[] v = {0, 1, -1.5, 1e10, Double.NaN, -0.0};
        RefArray a = RefArray.of(type, i -> v[i]);
        assertTrue(a.sameAs(Elements.load(type, buffer(a).address())));
    }

    @Test
    void runsAProgram() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(F4);
        Node s = g.scalarInput(DType.F32);
        Node y = g.add(g.mul(x, s), g.exp(x));
        Executable e = compile(g.build(y, g.sum(y, 0)));
        Run run = e.run(List.of(buffer(vector(0, 1, 2, -1)), Arg.Scalar.ofFloat(2.5f)));
        double[] got = values(run.result(0), F4);
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            double in = new double[] {0, 1, 2, -1}[i];
            assertEquals(in * 2.5 + Math.exp(in), got[i], 1e-5);
            sum += got[i];
        }
        assertEquals(sum, values(run.result(1), Type.scalar(DType.F32))[0], 1e-5);
        assertEquals(1, session.counters().programsCompiled());
        assertEquals(1, session.counters().runs());
    }

    @Test
    void donatedResultsAreTheArgument() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(F4);
        Node y = g.input(F4);
        // Each reads what the other overwrites; the new x is asked for twice.
        Node newX = g.add(y, 1);
        Node newY = g.mul(x, 2);
        Graph graph = Graph.of(List.of(x, y), List.of(newX, newY, newX), List.of(0, 1, -1));
        Buffer bx = buffer(vector(1, 2, 3, 4));
        Buffer by = buffer(vector(5, 6, 7, 8));
        Executable e = compile(graph);
        Run run = e.run(List.of(bx, by));
        assertSame(bx, run.result(0));
        assertSame(by, run.result(1));
        assertEquals(6, values(bx, F4)[0]);
        assertEquals(2, values(by, F4)[0]);
        // The next run overwrites bx again, but not what was given out.
        assertNotSame(bx, run.result(2));
        e.run(List.of(bx, by));
        assertEquals(3, values(bx, F4)[0]);
        assertEquals(12, values(by, F4)[0]);
        assertEquals(6, values(run.result(2), F4)[0]);
    }

    @Test
    void argumentsPassThrough() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(F4);
        Node s = g.scalarInput(DType.I64);
        Buffer b = buffer(vector(1, 2, 3, 4));
        Run run = compile(g.build(x, s, x)).run(List.of(b, Arg.Scalar.ofLong(1L << 40)));
        assertSame(b, run.result(0));
        assertSame(b, run.result(2));
        assertEquals(1L << 40, Memory.getLong(run.result(1).address()));
    }

    @Test
    void severalResultsOfOneOperator() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(F4);
        List<Node> sorted = g.emit(new Sort(0, true), List.of(x));
        Run run = compile(g.build(sorted.get(1), sorted.get(0))).run(List.of(buffer(vector(3, 9, 1, 5))));
        assertEquals(1, Memory.getLong(run.result(0).address()));
        assertEquals(9, values(run.result(1), F4)[0]);
    }

    @Test
    void indexErrorsSayWhat() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(F4);
        Node i = g.input(Type.of(DType.I64, 2));
        g.origin(37);
        Executable e = compile(g.build(g.apply(new Take(0), x, i)));
        Buffer bx = buffer(vector(1, 2, 3, 4));
        Buffer good = buffer(RefArray.ofLongs(DType.I64, Shape.of(2), 3, -4));
        assertEquals(4, values(e.run(List.of(bx, good)).result(0), Type.of(DType.F32, 2))[0]);
        Buffer bad = buffer(RefArray.ofLongs(DType.I64, Shape.of(2), 0, 4));
        IndexOutOfBoundsException thrown = assertThrows(IndexOutOfBoundsException.class, () -> e.run(List.of(bx, bad)));
        IndexError error = (IndexError) thrown;
        assertEquals(4, error.value());
        assertEquals(4, error.bound());
        assertEquals(37, error.origin());
        assertTrue(error.getMessage().contains("take") && error.getMessage().contains("index 4"), error.getMessage());
        assertTrue(error.at("Model.java:9").getMessage().contains("Model.java:9"));
    }

    @Test
    void wrongArgumentsAreRefused() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(F4);
        Node s = g.scalarInput(DType.F32);
        Executable e = compile(g.build(g.mul(x, s)));
        Buffer b = buffer(vector(1, 2, 3, 4));
        Buffer small = buffer(vector(1, 2));
        Arg two = Arg.Scalar.ofFloat(2);
        assertThrows(IllegalArgumentException.class, () -> e.run(List.of(b)));
        assertThrows(IllegalArgumentException.class, () -> e.run(List.of(two, b)));
        assertThrows(IllegalArgumentException.class, () -> e.run(List.of(b, b)));
        assertThrows(IllegalArgumentException.class, () -> e.run(List.of(small, two)));
        Buffer gone = buffer(vector(1, 2, 3, 4));
        gone.release();
        assertThrows(IllegalStateException.class, () -> e.run(List.of(gone, two)));
        assertEquals(4 * 4, b.bytes());
        assertEquals(8, values(e.run(List.of(b, two)).result(0), F4)[3]);
    }
}
