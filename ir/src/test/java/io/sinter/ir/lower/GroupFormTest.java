// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Canonical;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Replay;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Groups of one form are lowered once: so what one form says must be all that a kernel depends on. */
class GroupFormTest {
    private static final long SEED = Long.getLong("sinter.test.seed", 1);
    private static final Fusion.Limits LIMITS = new Fusion.Limits(Fusion.MAX_WEIGHT, true, 2);

    private final Map<Canonical.Key, Lowered> lowered = new HashMap<>();
    private final Canonical writer = new Canonical();
    private int alike;

    private record Lowered(Group group, GroupForm form, String code, Params params) {}

    /** Tiny programs, of which many have nearly the same groups: whatever a form left out would differ in some pair. */
    @Test
    void groupsOfOneFormHaveTheSameCodeAndNumbers() {
        for (long seed = SEED; seed < SEED + 1500; seed++) {
            check(RandomGraphs.program(seed, 1 + (int) (seed % 5)).graph(), "seed " + seed);
            check(io.sinter.ir.ref.RandomGraphs.graph(seed, 1 + (int) (seed % 6)), "typed seed " + seed);
        }
        assertTrue(alike > 1000, alike + " pairs");
    }

    /** Every operator, twice in one program. */
    @Test
    void operatorsSamples() {
        for (Op op : Operators.all()) {
            for (Sample s : op.samples()) {
                GraphBuilder b = new GraphBuilder();
                List<Node> out = new ArrayList<>();
                for (int copy = 0; copy < 2; copy++) {
                    List<Node> in = new ArrayList<>();
                    for (RefArray a : s.inputs()) in.add(b.input(a.type()));
                    out.addAll(b.emit(s.op(), in));
                }
                check(b.build(out.toArray(Node[]::new)), s.toString());
            }
        }
        assertTrue(alike > 100, alike + " pairs");
    }

    private void check(Graph graph, String what) {
        Graph g = Compiler.optimize(graph, (_, _) -> {});
        for (Group group : Fusion.run(g, LIMITS).groups()) {
            Op op = group.anchor().op();
            boolean single = group.kind() == Group.Kind.SINGLE;
            if (single && !(op instanceof Attention || op instanceof AttentionGrad)) continue;
            GroupForm form = GroupForm.of(group, writer);
            if (form == null) continue;
            Params params = new Params(group);
            Kernel kernel = Lowering.kernel(group, params, new Sites(), LIMITS);
            Lowered before =
                    lowered.putIfAbsent(form.key(), new Lowered(group, form, KernelText.print(kernel), params));
            if (before == null) continue;
            alike++;
            assertEquals(before.code, KernelText.print(kernel), what);
            Params derived = before.params.with(group, form.from(before.form));
            assertEquals(params.slots(), derived.slots(), what);
            assertEquals(params.inputs(), derived.inputs(), what);
            assertEquals(
                    List.copyOf(params.outputs().keySet()),
                    List.copyOf(derived.outputs().keySet()),
                    what);
            assertEquals(params.buffers(), derived.buffers(), what);
            assertEquals(params.scratchBytes(), derived.scratchBytes(), what);
            assertEquals(params.members(), derived.members(), what);
        }
    }

    /** Three copies of a program, of which two share some arguments, in one: the plan computes what the reference does. */
    @Test
    void copiesOfAProgramInOne() {
        for (long seed = SEED; seed < SEED + 60; seed++) {
            RandomGraphs.Program p = RandomGraphs.program(seed, 4 + (int) (seed % 12));
            GraphBuilder b = new GraphBuilder();
            List<RefArray> args = new ArrayList<>();
            List<Node> outputs = new ArrayList<>();
            List<Node> first = List.of();
            for (int copy = 0; copy < 3; copy++) {
                List<Node> in = new ArrayList<>();
                for (int i = 0; i < p.args().size(); i++) {
                    if (copy == 2 && i % 2 == 1) {
                        in.add(first.get(i));
                        continue;
                    }
                    in.add(b.input(p.args().get(i).type()));
                    args.add(p.args().get(i));
                }
                if (copy == 0) first = in;
                outputs.addAll(Replay.apply(b, p.graph(), in));
            }
            PlanTest.check(b.build(outputs.toArray(Node[]::new)), args, "seed " + seed);
        }
    }

    /** Layers that are alike have one form; one that multiplies by another number, or reads an operand twice, has another. */
    @Test
    void layersHaveOneForm() {
        GraphBuilder b = new GraphBuilder();
        Type t = new Type(DType.F32, Shape.of(40, 24));
        List<Node> out = new ArrayList<>();
        for (int layer = 0; layer < 3; layer++) out.add(scaled(b, b.input(t), b.input(t), 3));
        out.add(scaled(b, b.input(t), b.input(t), 5));
        Node x = b.input(t);
        out.add(scaled(b, x, x, 3));
        Graph g = Compiler.optimize(b.build(out.toArray(Node[]::new)), (_, _) -> {});
        Map<Canonical.Key, Integer> groups = new HashMap<>();
        for (Group group : Fusion.run(g, LIMITS).groups())
            groups.merge(GroupForm.of(group, writer).key(), 1, Integer::sum);
        assertEquals(List.of(1, 1, 3), groups.values().stream().sorted().toList());
    }

    private static Node scaled(GraphBuilder b, Node x, Node y, double by) {
        Node product = b.apply(Binary.MUL, b.apply(Unary.TANH, x), y);
        Node c = b.expand(b.emit(Constant.of(DType.F32, by), List.of()).getFirst(), product.shape());
        return b.sum(b.apply(Binary.MUL, product, c), 1);
    }
}
