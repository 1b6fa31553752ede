// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.CrossEntropy;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Kernels report an index that is out of bounds by the operator that the user called, as the reference does. */
class IndexChecksTest {
    private static void reported(Op op, String operator, long index, long bound) {
        RefArray x = RefArray.zeros(Type.of(DType.F32, 2, 3));
        Shape shape = op instanceof Gather ? Shape.of(2, 1) : Shape.of(2);
        RefArray idx = RefArray.ofLongs(DType.I64, shape, 0, index);
        GraphBuilder b = new GraphBuilder();
        List<Node> in = List.of(b.input(x.type()), b.input(idx.type()));
        Graph g = b.build(b.emit(op, in).get(0));
        for (IndexError e : List.of(
                assertThrows(IndexError.class, () -> RefEvaluator.run(g, List.of(x, idx))),
                assertThrows(IndexError.class, () -> PlanInterpreter.run(Compiler.plan(g), List.of(x, idx))))) {
            assertEquals(operator, e.operator());
            assertEquals(index, e.value());
            assertEquals(bound, e.bound());
        }
    }

    @Test
    void namesTheOperator() {
        reported(new Take(1), "take", 3, 3);
        reported(new Take(0), "take", -3, 2);
        reported(new Gather(1), "gather", 3, 3);
        reported(new CrossEntropy(), "cross_entropy", 3, 3);
    }

    @Test
    void classNumbersDoNotCountFromTheEnd() {
        reported(new CrossEntropy(), "cross_entropy", -1, 3);
    }
}
