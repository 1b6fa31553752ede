// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Values without elements have a place in a plan, though no step writes them. */
class EmptyValuesTest {
    private final GraphBuilder b = new GraphBuilder();

    private static RefArray zeros(Node n) {
        return RefArray.zeros(n.type());
    }

    /** As a batch of no images goes through a network: what a routine reads has been computed by nothing. */
    @Test
    void routinesOfEmptyTemporaries() {
        Node x = b.input(Type.of(DType.F32, 0, 2, 6, 6));
        Node y = b.unary(Unary.RELU, x);
        long[] three = {3, 3};
        long[] none = {0, 0};
        List<Node> pooled = b.emit(new MaxPool(three, three, none, none, new long[] {1, 1}), List.of(y));
        List<Node> sorted = b.emit(new Sort(1, false), List.of(b.neg(y)));
        PlanTest.check(b.build(pooled.get(0), pooled.get(1), sorted.get(1)), List.of(zeros(x)), "no images");
    }

    /** A window of padding alone has no greatest element; PyTorch refuses it, too. */
    @Test
    void aWindowOverNothing() {
        Node x = b.input(Type.of(DType.I32, 4, 0));
        long[] one = {1};
        OpException e = assertThrows(OpException.class, () -> b.emit(new MaxPool(one, one, one, one, one), List.of(x)));
        assertTrue(
                e.getMessage().contains("i32[4,0]") && e.getMessage().contains("axis 1 has no elements"),
                e.getMessage());
    }

    @Test
    void emptyStateIsUpdatedInPlace() {
        Node x = b.input(Type.of(DType.F32, 0, 3));
        Node other = b.input(Type.of(DType.F32, 4));
        Node sum = b.add(x, x);
        Node neg = b.neg(other);
        Graph g = Graph.of(b.build().inputs(), List.of(sum, neg, sum), List.of(0, 1, -1));
        Plan p = PlanTest.check(g, List.of(zeros(x), RefArray.zeros(other.type())), "no parameters");
        assertEquals(
                List.of(new Plan.Place.Argument(0), new Plan.Place.Argument(1)),
                p.resultPlaces().subList(0, 2));
    }
}
