// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Put.Mode;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Scatters whose updates come in any order, on the simulator against the reference evaluator: of whole numbers, all orders give the same. */
class UpdateTest {
    private static final Numerics ANY_ORDER = Numerics.DEFAULT.withDeterministic(false);

    private static SimPlan run(Graph g, List<RefArray> args, Target target, Numerics numerics, long seed) {
        SimPlan.Choice choice = (kernel, slot) -> PtxCodegen.schedule(kernel, slot, target, numerics);
        return new SimPlan(g, args, choice, target, seed).check("seed " + seed, 0);
    }

    /** How many instructions of PTX begin so. */
    private static long count(SimPlan p, String opcode) {
        return PtxCodegen.module(Target.SM_90, p.kernels())
                .toString()
                .lines()
                .filter(l -> l.strip().startsWith(opcode))
                .count();
    }

    /** Whole rows, of few places, and a graph with what it is run on. */
    private record Case(Graph graph, List<RefArray> args) {
        static Case rows(DType t, long width, Mode mode) {
            GraphBuilder g = new GraphBuilder();
            Node to = g.input(Type.of(t, 5, width));
            Node at = g.input(Type.of(DType.I64, 40));
            Node from = g.input(Type.of(t, 40, width));
            return of(g.build(g.apply(new Put(0, mode), to, at, from)));
        }

        static Case elements(DType t, int axis, Mode mode) {
            GraphBuilder g = new GraphBuilder();
            Node to = g.input(Type.of(t, axis == 0 ? 4 : 30, axis == 0 ? 70 : 4));
            Node at = g.input(Type.of(DType.I64, 30, 70));
            Node from = g.input(Type.of(t, 30, 70));
            return of(g.build(g.apply(new Scatter(axis, mode), to, at, from)));
        }

        static Case of(Graph g) {
            List<RefArray> args = new ArrayList<>();
            for (Node n : g.inputs()) {
                args.add(
                        n.dtype() == DType.I64 && args.size() == 1
                                ? RefArray.ofLongs(n.type(), i -> i * i % 7 % 4)
                                : SimPlan.whole(n.type(), args.size() + 1));
            }
            return new Case(g, args);
        }
    }

    /** Every type: those that there is an instruction for are updated by it, and the others in order. */
    @TestFactory
    Stream<DynamicTest> types() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : DType.values()) {
            if (t.isBool()) continue;
            for (Target target : new Target[] {Target.SM_80, Target.SM_90}) {
                boolean atomic = t.bytes() >= 4 || t == DType.F16 || t == DType.BF16 && target == Target.SM_90;
                for (Case c : List.of(
                        Case.rows(t, 40, Mode.ADD),
                        Case.rows(t, 1, Mode.ADD),
                        Case.elements(t, 0, Mode.ADD),
                        Case.elements(t, 1, Mode.ADD)))
                    tests.add(DynamicTest.dynamicTest(t + " on " + target + ": " + c.graph, () -> {
                        SimPlan p = run(c.graph, c.args, target, ANY_ORDER, 3);
                        assertEquals(atomic, count(p, "red.global.add") > 0);
                        assertEquals(0, count(run(c.graph, c.args, target, Numerics.DEFAULT, 4), "red."));
                    }));
            }
        }
        return tests.stream();
    }

    /** Neighbours of 16 bits go together where rows are multiples of 4 bytes, and one by one where they are not. */
    @TestFactory
    Stream<DynamicTest> pairsOfHalves() {
        return Stream.of(40L, 41L)
                .map(width -> DynamicTest.dynamicTest(width + " columns", () -> {
                    Case c = Case.rows(DType.F16, width, Mode.ADD);
                    SimPlan p = run(c.graph, c.args, Target.SM_80, ANY_ORDER, 5);
                    assertTrue(count(p, "red.global.add.noftz.f16x2") > 0);
                    assertTrue(count(p, "red.global.add.noftz.f16 ") > 0);
                }));
    }

    /** Extremes of integers have instructions; those of floats, and products, are found in order. */
    @TestFactory
    Stream<DynamicTest> modes() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : List.of(DType.I32, DType.I64, DType.F32)) {
            for (Mode mode : Mode.values()) {
                boolean atomic = mode == Mode.ADD || !t.isFloat() && (mode == Mode.MAX || mode == Mode.MIN);
                tests.add(DynamicTest.dynamicTest(t + ", " + mode, () -> {
                    Case c = Case.rows(t, 9, mode);
                    assertEquals(atomic, count(run(c.graph, c.args, Target.SM_80, ANY_ORDER, 6), "red.") > 0);
                }));
            }
        }
        return tests.stream();
    }
}
