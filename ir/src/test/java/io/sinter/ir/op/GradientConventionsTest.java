// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEmitter;
import io.sinter.ir.ref.Tape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Gradients where a derivative does not exist: PyTorch's choices. */
class GradientConventionsTest {
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;

    /** Gradients of the sum of the result by each operand. */
    private static List<double[]> gradients(Op op, double[]... operands) {
        Tape<RefArray> tape = new Tape<>(new RefEmitter());
        List<Tape.Var<RefArray>> in = new ArrayList<>();
        for (double[] x : operands) in.add(tape.leaf(RefArray.of(DType.F64, Shape.of(x.length), x)));
        List<Tape.Var<RefArray>> out = tape.emit(op, in);
        Tape.Var<RefArray> ones = tape.leaf(RefArray.of(tape.type(out.get(0)), _ -> 1));
        return tape.gradients(out.subList(0, 1), List.of(ones), in).stream()
                .map(v -> v.value().toDoubles())
                .toList();
    }

    private static double[] a(double... x) {
        return x;
    }

    @Test
    void kinksOfUnaryOperators() {
        // As torch.relu, the gradient passes where x is not <= 0: where it is NaN, too.
        assertArrayEquals(
                a(0, 0, 0, 1, 1), gradients(Unary.RELU, a(-1, 0, -0.0, 2, NAN)).get(0));
        assertArrayEquals(
                a(-1, 0, 0, 1), gradients(Unary.ABS, a(-3, 0, -0.0, 3)).get(0));
        for (Unary step : List.of(Unary.SIGN, Unary.FLOOR, Unary.CEIL, Unary.ROUND, Unary.TRUNC)) {
            assertArrayEquals(a(0, 0, 0), gradients(step, a(-1.5, 0, 2)).get(0), step.name());
        }
        assertArrayEquals(a(INF, 0.5), gradients(Unary.SQRT, a(0, 1)).get(0));
        assertArrayEquals(a(INF, -INF), gradients(Unary.LOG, a(0, -0.0)).get(0));
    }

    @Test
    void halfEachAtTies() {
        List<double[]> max = gradients(Binary.MAX, a(1, 2, 2), a(2, 2, 1));
        assertArrayEquals(a(0, .5, 1), max.get(0));
        assertArrayEquals(a(1, .5, 0), max.get(1));
        List<double[]> min = gradients(Binary.MIN, a(1, 2, 2), a(2, 2, 1));
        assertArrayEquals(a(1, .5, 0), min.get(0));
        assertArrayEquals(a(0, .5, 1), min.get(1));
    }

    @Test
    void maxPoolGivesTheGradientToTheFirstOfEquals() {
        long[] two = {2};
        long[] zero = {0};
        long[] one = {1};
        MaxPool apart = new MaxPool(two, two, zero, zero, one);
        assertArrayEquals(
                a(1, 0, 0, 1, 1, 0, 0, 1),
                gradients(apart, a(3, 3, 1, 2, 0, -0.0, 5, NAN)).get(0));
        MaxPool overlapping = new MaxPool(new long[] {3}, one, one, one, one);
        assertArrayEquals(a(2, 1, 0), gradients(overlapping, a(7, 7, 7)).get(0));
        assertArrayEquals(a(2, 0, 1), gradients(overlapping, a(7, 5, 6)).get(0));
    }

    @Test
    void powersOfZero() {
        List<double[]> g = gradients(Binary.POW, a(0, 0, 0, 0, 2, -2), a(0, 1, 2, -1, 0, 2));
        assertArrayEquals(a(0, 1, 0, -INF, 0, -4), g.get(0));
        double[] byExponent = g.get(1);
        assertArrayEquals(a(0, 0, 0), java.util.Arrays.copyOf(byExponent, 3));
        assertEquals(-INF, byExponent[3]);
        assertEquals(Math.log(2), byExponent[4], 1e-15);
        assertTrue(Double.isNaN(byExponent[5]), "log of a negative base");
    }

    @Test
    void remaindersAreSlopesOfOneAndTheQuotient() {
        List<double[]> python = gradients(Binary.REMAINDER, a(7, -7), a(3, 3));
        assertArrayEquals(a(1, 1), python.get(0));
        assertArrayEquals(a(-2, 3), python.get(1));
        List<double[]> c = gradients(Binary.FMOD, a(7, -7), a(3, 3));
        assertArrayEquals(a(-2, 2), c.get(1));
        List<double[]> floor = gradients(Binary.FLOORDIV, a(7), a(3));
        assertArrayEquals(a(0), floor.get(0));
        assertArrayEquals(a(0), floor.get(1));
    }
}
