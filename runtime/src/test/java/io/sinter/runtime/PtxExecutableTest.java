// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole programs on the simulated GPU. */
class PtxExecutableTest {
    private final Session session =
            Session.open(Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM));

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

    private void check(Graph graph, List<RefArray> args, double tolerance) {
        List<RefArray> want = RefEvaluator.run(graph, args);
        List<Buffer> buffers = args.stream().map(this::buffer).toList();
        Run run = compile(graph).run(buffers);
        for (int i = 0; i < want.size(); i++) {
            RefArray w = want.get(i);
            RefArray got = Elements.load(w.type(), run.result(i).address());
            for (int j = 0; j < w.size(); j++)
                assertEquals(
                        w.getDouble(j),
                        got.getDouble(j),
                        tolerance * Math.max(1, Math.abs(w.getDouble(j))),
                        i + ", " + j);
        }
    }

    /** Several tiles, none of them full at the edges, and several panels. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64", "F16", "BF16"})
    void matrixProducts(DType t) {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(t, 2, 70, 37));
        Node b = g.input(Type.of(t, 2, 37, 131));
        Node bias = g.input(Type.of(t, 131));
        Node c = g.matmul(a, b);
        Node y = g.add(c, g.expand(g.reshape(bias, Shape.of(1, 1, 131)), Shape.of(2, 70, 131)));
        List<RefArray> args = new ArrayList<>();
        for (Node n : List.of(a, b, bias)) args.add(Sample.uniform(n.type(), -1, 1, args.size() + 1));
        check(
                g.build(y),
                args,
                switch (t) {
                    case F64 -> 1e-13;
                    case F32 -> 1e-5;
                    case F16 -> 4e-3;
                    default -> 3e-2;
                });
    }

    /** Rows of several warps, rows of one thread, columns. */
    @Test
    void reductions() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 3, 3001));
        Node y = g.input(Type.of(DType.F32, 400, 5));
        check(
                g.build(g.sum(g.exp(x), 1), g.sum(y, 1), g.sum(y, 0), g.sum(x, 0)),
                List.of(Sample.uniform(x.type(), -1, 1, 1), Sample.uniform(y.type(), -1, 1, 2)),
                1e-5);
    }

    /** Equal kernels of two programs are generated, and counted, once. */
    @Test
    void kernelsAreGeneratedOnce() {
        for (long n : new long[] {100, 200}) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, n));
            compile(g.build(g.exp(x))).run(List.of(buffer(Sample.uniform(x.type(), -1, 1, 1))));
        }
        assertEquals(1, session.counters().kernelsGenerated());
    }

    /** The launch is found out of order, and names operator, value and bound. */
    @Test
    void indexErrorsSayWhat() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Node i = g.input(Type.of(DType.I64, 2));
        Executable e = compile(g.build(g.apply(new Take(0), x, i)));
        Buffer bx = buffer(RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
        Buffer good = buffer(RefArray.ofLongs(DType.I64, Shape.of(2), 3, -4));
        assertEquals(4, Memory.getFloat(e.run(List.of(bx, good)).result(0).address()));
        Buffer bad = buffer(RefArray.ofLongs(DType.I64, Shape.of(2), 0, 4));
        IndexError thrown = assertThrows(IndexError.class, () -> e.run(List.of(bx, bad)));
        assertEquals(4, thrown.value());
        assertEquals(4, Memory.getFloat(e.run(List.of(bx, good)).result(0).address()));
    }

    /** Donated results overwrite their argument; results may be scalars, which come by value. */
    @Test
    void argumentsAndResults() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Node y = g.input(Type.of(DType.F32, 4));
        Node s = g.scalarInput(DType.F32);
        Graph graph = Graph.of(List.of(x, y, s), List.of(g.add(y, 1), g.mul(x, s), s), List.of(0, 1, -1));
        Buffer bx = buffer(RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
        Buffer by = buffer(RefArray.of(DType.F32, Shape.of(4), 5, 6, 7, 8));
        Run run = compile(graph).run(List.of(bx, by, Arg.Scalar.ofFloat(2)));
        assertSame(bx, run.result(0));
        assertSame(by, run.result(1));
        assertEquals(6, Memory.getFloat(bx.address()));
        assertEquals(2, Memory.getFloat(by.address()));
        assertEquals(2, Memory.getFloat(run.result(2).address()));
    }

    @Test
    void buffersOfOtherDevicesAreRefused() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Executable e = compile(g.build(g.exp(x)));
        try (Session jvm = Session.open(Options.fromProperties().withThreads(1).withDevice(Device.JVM))) {
            Buffer b = jvm.allocator().allocate(16);
            IllegalArgumentException thrown = assertThrows(IllegalArgumentException.class, () -> e.run(List.of(b)));
            assertTrue(
                    thrown.getMessage().contains("jvm") && thrown.getMessage().contains("ptx-sim"));
        }
    }
}
