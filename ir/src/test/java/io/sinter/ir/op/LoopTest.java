// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Canonical;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.pass.UnreadResults;
import io.sinter.ir.pass.Verifier;
import io.sinter.ir.pass.VerifyException;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the table of operators does not ask of {@link Loop}. */
class LoopTest {
    private static final int STEPS = 7;

    /** h ← tanh(x + h · W + b). */
    private static Loop recurrent(Set<Integer> kept) {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, 2, 3));
        Node x = b.input(Type.of(DType.F32, 2, 3));
        Node w = b.input(Type.of(DType.F32, 3, 3));
        Node bias = b.input(Type.of(DType.F32, 3));
        Node next = b.unary(Unary.TANH, b.add(b.add(x, b.matmul(h, w)), bias));
        return new Loop(b.build(next), STEPS, 1, 1, kept, false);
    }

    private static List<Type> operands(Loop loop) {
        Type x = loop.input(1);
        return List.of(loop.input(0), x.with(x.shape().insert(0, STEPS)), loop.input(2), loop.input(3));
    }

    /** A weight's gradient is one product over all steps, a bias's one sum: neither is carried from step to step. */
    @Test
    void gradientsOfInvariantsAreTakenAfterTheLoop() {
        Loop loop = recurrent(Set.of(0)).withResiduals(true, true, true, true);
        GraphBuilder b = new GraphBuilder();
        Tape<Node> tape = new Tape<>(b);
        List<Tape.Var<Node>> in =
                operands(loop).stream().map(t -> tape.leaf(b.input(t))).toList();
        List<Tape.Var<Node>> out = tape.emit(loop, in);
        List<Tape.Var<Node>> seeds = List.of(tape.leaf(b.input(tape.type(out.getFirst()))));
        List<Tape.Var<Node>> g = tape.gradients(List.of(out.getFirst()), seeds, in);
        Graph graph = b.build(g.stream().map(Tape.Var::value).toArray(Node[]::new));
        List<Loop> loops = new ArrayList<>();
        List<Node> products = new ArrayList<>();
        for (Node n : graph.nodes()) {
            if (n.op() instanceof Loop l) loops.add(l);
            if (n.op() instanceof Matmul) products.add(n);
        }
        assertEquals(2, loops.size(), "the steps are not run again");
        Loop reverse = loops.getLast();
        assertTrue(reverse.reverse());
        assertEquals(1, reverse.carried(), "only the state's gradient is carried");
        assertEquals(
                1,
                reverse.body().nodes().stream()
                        .filter(n -> n.op() instanceof Matmul)
                        .count());
        assertEquals(1, products.size());
        assertEquals(Shape.of(3, 2L * STEPS), products.getFirst().input(0).shape());
    }

    @Test
    void residualsAreThereOnce() {
        Loop plain = recurrent(Set.of());
        Loop more = plain.withResiduals(true, true, true, true);
        assertEquals(Set.of(0), more.kept());
        assertSame(more, more.withResiduals(true, true, true, true));
        assertSame(plain.withResiduals(true, true, true, true), more);
    }

    @Test
    void whatNobodyReadsGoes() {
        Loop loop = recurrent(Set.of()).withResiduals(true, true, true, true);
        GraphBuilder outputs = new GraphBuilder();
        List<Node> in = new ArrayList<>();
        for (Node n : loop.body().inputs()) in.add(outputs.input(n.type()));
        Node unused = outputs.input(Type.of(DType.F32, 5));
        Node h = Replay.apply(outputs, loop.body(), in).getFirst();
        Node square = outputs.mul(h, h);
        Graph body = outputs.build(h, square, outputs.unary(Unary.EXP, unused));
        Loop wide = new Loop(body, STEPS, 1, 1, Set.of(0), false);
        GraphBuilder b = new GraphBuilder();
        List<Node> operands =
                new ArrayList<>(operands(loop).stream().map(b::input).toList());
        operands.add(b.input(Type.of(DType.F32, 5)));
        Graph graph = b.build(b.emit(wide, operands).get(1));
        Graph less = Verifier.verify(UnreadResults.apply(graph));
        Node n = less.nodes().stream()
                .filter(x -> x.op() instanceof Loop)
                .findFirst()
                .orElseThrow();
        Loop narrow = (Loop) n.op();
        assertEquals(Set.of(), narrow.kept());
        assertEquals(1, narrow.outputs());
        assertEquals(4, n.inputs().size());
    }

    @Test
    void bodiesArePartOfTheKey() {
        assertEquals(key(Unary.TANH, 3), key(Unary.TANH, 3));
        assertNotEquals(key(Unary.TANH, 3), key(Unary.SIN, 3));
        assertNotEquals(key(Unary.TANH, 3), key(Unary.TANH, 4));
    }

    private static Canonical.Key key(Unary f, long n) {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, n));
        Loop loop = new Loop(b.build(b.unary(f, h)), STEPS, 1, 0, Set.of(), false);
        Canonical c = new Canonical().begin();
        int x = c.argument(Type.of(DType.F32, n), false);
        int y = c.node(loop, 1);
        c.operand(x);
        c.roots(1);
        c.root(y, -1);
        return c.key();
    }

    @Test
    void bodiesAreVerified() {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, 3));
        Node wrong = new Node(Unary.TANH, List.of(h), List.of(Type.of(DType.F32, 4)), -1);
        Graph body = b.build(h, wrong);
        GraphBuilder g = new GraphBuilder();
        Node n = g.emit(new Loop(body, 2, 1, 0, Set.of(), false), List.of(g.input(Type.of(DType.F32, 3))))
                .getFirst();
        VerifyException e = assertThrows(VerifyException.class, () -> Verifier.verify(g.build(n)));
        assertTrue(e.getMessage().contains("in its body"), e.getMessage());
    }

    /** An index of the body that is out of range names the loop's line. */
    @Test
    void checksInBodiesAreTheLoops() {
        GraphBuilder in = new GraphBuilder();
        Node h = in.input(Type.of(DType.F32, 2));
        Node i = in.input(Type.of(DType.I64, 2));
        Node table = in.input(Type.of(DType.F32, 5));
        Loop loop = new Loop(in.build(in.add(h, in.apply(new Take(0), table, i))), 3, 1, 1, Set.of(), false);
        GraphBuilder b = new GraphBuilder();
        List<Node> operands = List.of(
                b.input(Type.of(DType.F32, 2)), b.input(Type.of(DType.I64, 3, 2)), b.input(Type.of(DType.F32, 5)));
        b.origin(42);
        Plan plan = Compiler.plan(b.build(b.emit(loop, operands).getFirst()));
        RefArray index = RefArray.ofLongs(DType.I64, Shape.of(3, 2), 0, 4, -5, 1, 3, 9);
        List<RefArray> args =
                List.of(RefArray.zeros(Type.of(DType.F32, 2)), index, RefArray.zeros(Type.of(DType.F32, 5)));
        IndexError e = assertThrows(IndexError.class, () -> PlanInterpreter.run(plan, args));
        assertEquals(42, e.origin());
        assertEquals(9, e.value());
    }

    @Test
    void whatDoesNotFitSaysSo() {
        Loop loop = recurrent(Set.of());
        List<Type> in = new ArrayList<>(operands(loop));
        in.set(1, Type.of(DType.F32, STEPS + 1, 2, 3));
        OpException e = assertThrows(OpException.class, () -> loop.infer(in));
        assertTrue(e.getMessage().contains("operand 1 (slice 0) must be f32[7,2,3]"), e.getMessage());
        Graph body = loop.body();
        assertThrows(OpException.class, () -> new Loop(body, -1, 1, 1, Set.of(), false));
        assertThrows(OpException.class, () -> new Loop(body, 3, 1, 9, Set.of(), false));
        assertThrows(OpException.class, () -> new Loop(body, 3, 1, 1, Set.of(1), false));
    }
}
