// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.sinter.ir.Compiler;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Plans compute what the reference evaluator computes: every operator's samples, each alone in a program. */
class PlanTest {
    @TestFactory
    Stream<DynamicTest> everyOperatorsSamples() {
        return Operators.all().stream()
                .map(op -> DynamicTest.dynamicTest(op.name(), () -> {
                    for (Sample s : op.samples()) {
                        GraphBuilder b = new GraphBuilder();
                        List<Node> in = new ArrayList<>();
                        for (RefArray a : s.inputs()) in.add(b.input(a.type()));
                        List<Node> out = b.emit(s.op(), in);
                        check(b.build(out.toArray(Node[]::new)), s.inputs(), s.toString());
                    }
                }));
    }

    /** Runs the graph both ways and compares. */
    static Plan check(Graph g, List<RefArray> args, String what) {
        List<RefArray> expected;
        try {
            expected = RefEvaluator.run(g, args);
        } catch (IndexOutOfBoundsException e) {
            try {
                PlanInterpreter.run(Compiler.plan(g), args);
            } catch (IndexOutOfBoundsException _) {
                return null;
            }
            return fail(what + ": the reference reports " + e.getMessage() + ", the plan nothing");
        }
        Plan plan = Compiler.plan(g);
        List<RefArray> actual = PlanInterpreter.run(plan, args);
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) compare(expected.get(i), actual.get(i), what + " result " + i);
        return plan;
    }

    private static void compare(RefArray e, RefArray a, String what) {
        assertEquals(e.type(), a.type(), what);
        double tolerance =
                switch (e.dtype()) {
                    case F64 -> 1e-10;
                    case F32 -> 2e-5;
                    case F16 -> 4e-3;
                    case BF16 -> 3e-2;
                    case I64, I32, I16, I8, U8, BOOL -> 0;
                };
        for (int i = 0; i < e.size(); i++) {
            if (!e.dtype().isFloat()) {
                assertEquals(e.getLong(i), a.getLong(i), what + " element " + i);
                continue;
            }
            double x = e.getDouble(i);
            double y = a.getDouble(i);
            if (Double.isNaN(x) && Double.isNaN(y) || x == y) continue;
            if (!(Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x))))
                fail(what + " element " + i + ": expected " + x + ", got " + y);
        }
    }
}
