// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEmitter;
import io.sinter.ir.ref.Tape;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Values and gradients worked out by hand (and, where it has the function, as PyTorch 2.13 gives them), ties and special values above all. */
class OperatorValuesTest {
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;

    private static RefArray f64(double... v) {
        return RefArray.of(DType.F64, Shape.of(v.length), v);
    }

    private static RefArray rows(int rows, double... v) {
        return RefArray.of(DType.F64, Shape.of(rows, v.length / rows), v);
    }

    private static RefArray i64(long... v) {
        return RefArray.ofLongs(DType.I64, Shape.of(v.length), v);
    }

    private static double[] apply(Op op, RefArray... in) {
        return op.evaluate(List.of(in)).get(0).toDoubles();
    }

    /** Gradients of the sum of the first result, flattened. */
    private static double[] gradient(Op op, int operand, RefArray... in) {
        Tape<RefArray> tape = new Tape<>(new RefEmitter());
        List<Tape.Var<RefArray>> operands = Stream.of(in).map(tape::leaf).toList();
        Tape.Var<RefArray> out = tape.emit(op, operands).get(0);
        Tape.Var<RefArray> ones = tape.leaf(RefArray.of(tape.type(out), _ -> 1.0));
        return tape.gradients(List.of(out), List.of(ones), List.of(operands.get(operand)))
                .get(0)
                .value()
                .toDoubles();
    }

    private static void values(double[] actual, double... expected) {
        assertArrayEquals(expected, actual, 1e-12, () -> Arrays.toString(actual));
    }

    @Test
    void reductionsShareAmongTies() {
        values(gradient(new Reduce(Reduce.Kind.MAX, 0), 0, f64(1, 3, 3, 2)), 0, 0.5, 0.5, 0);
        values(gradient(new Reduce(Reduce.Kind.MIN, 0), 0, f64(1, 1, 1, 2)), 1 / 3.0, 1 / 3.0, 1 / 3.0, 0);
        values(apply(new Reduce(Reduce.Kind.ARGMAX, 0), f64(1, 3, 3, 2)), 1);
        values(apply(new Reduce(Reduce.Kind.ARGMIN, 0), f64(1, NAN, 0, NAN)), 1);
        values(apply(new Reduce(Reduce.Kind.MAX, 1), rows(2, 1, NAN, -INF, -INF)), NAN, -INF);
    }

    @Test
    void productsAtZeros() {
        values(
                gradient(new Reduce(Reduce.Kind.PROD, 1), 0, rows(3, 2, 3, 4, 2, 0, 4, 0, 0, 4)),
                12,
                8,
                6,
                0,
                8,
                0,
                0,
                0,
                0);
        // d/dx of 2 + 2·0 + 2·0·3 + 2·0·3·5
        values(gradient(new Scan(Scan.Kind.PROD, 0, false), 0, f64(2, 0, 3, 5)), 1, 2 + 6 + 30, 0, 0);
    }

    @Test
    void scans() {
        values(apply(new Scan(Scan.Kind.SUM, 0, true), f64(1, 2, 3)), 6, 5, 3);
        values(apply(new Scan(Scan.Kind.MAX, 0, false), f64(1, 3, NAN, 9)), 1, 3, NAN, NAN);
        // The latest of equals takes the gradient, as in PyTorch's cummax.
        values(gradient(new Scan(Scan.Kind.MAX, 0, false), 0, f64(1, 3, 3, 2)), 1, 1, 2, 0);
        values(gradient(new Scan(Scan.Kind.MIN, 0, true), 0, f64(1, 3, 3, 2)), 1, 0, 0, 3);
        values(gradient(new Scan(Scan.Kind.MAX, 0, false), 0, f64(1, NAN, 5, NAN)), 1, 2, 0, 1);
    }

    @Test
    void sortsPutNanLastAndKeepOrder() {
        RefArray x = f64(3, NAN, 1, 3, -INF, NAN);
        values(new Sort(0, false).evaluate(List.of(x)).get(1).toDoubles(), 4, 2, 0, 3, 1, 5);
        values(new Sort(0, true).evaluate(List.of(x)).get(1).toDoubles(), 1, 5, 0, 3, 2, 4);
        values(new TopK(0, 3, false).evaluate(List.of(x)).get(1).toDoubles(), 4, 2, 0);
        values(apply(new Sort(0, false), f64(0, -0.0, -1)), -1, 0, -0.0);
    }

    @Test
    void writesInOrder() {
        RefArray x = f64(10, 20, 30);
        values(apply(new Put(0, Put.Mode.SET), x, i64(1, -2, 0), f64(1, 2, 3)), 3, 2, 30);
        values(apply(new Put(0, Put.Mode.ADD), x, i64(1, 1, 0), f64(1, 2, 3)), 13, 23, 30);
        values(apply(new Put(0, Put.Mode.MAX), x, i64(1, 1, 0), f64(25, NAN, 3)), 10, NAN, 30);
        // scatter_reduce amax: the gradient is shared by all that attain the maximum.
        values(gradient(new Put(0, Put.Mode.MAX), 0, f64(4, 20), i64(0, 0), f64(4, 4)), 1 / 3.0, 1);
        values(gradient(new Put(0, Put.Mode.MAX), 2, f64(4, 20), i64(0, 0), f64(4, 4)), 1 / 3.0, 1 / 3.0);
        values(gradient(new Put(0, Put.Mode.SET), 0, x, i64(1), f64(5)), 1, 0, 1);
        // 2·3·0 and 5·0·0: a zero sees the product of the others, a second zero hides it.
        values(gradient(new Put(0, Put.Mode.MUL), 0, f64(2, 5), i64(0, 0, 1, 1), f64(3, 0, 0, 0)), 0, 0);
        values(gradient(new Put(0, Put.Mode.MUL), 2, f64(2, 5), i64(0, 0, 1, 1), f64(3, 0, 0, 0)), 0, 6, 0, 0);
    }

    @Test
    void logSumExpAtInfinities() {
        values(apply(new LogSumExp(1), rows(4, 1, -INF, -INF, -INF, INF, 1, INF, INF)), 1, -INF, INF, INF);
        assertEquals(1000 + Math.log(2), apply(new LogSumExp(0), f64(1000, 1000))[0], 1e-12);
        values(gradient(new LogSumExp(1), 0, rows(2, 1, -INF, -INF, -INF)), 1, 0, NAN, NAN);
        values(apply(new LogSumExp(1), RefArray.zeros(Type.of(DType.F64, 2, 0))), -INF, -INF);
    }

    @Test
    void softmaxAtInfinities() {
        values(apply(new Softmax(1), rows(3, 1, -INF, -INF, -INF, INF, 1)), 1, 0, NAN, NAN, NAN, NAN);
        values(apply(new LogSoftmax(1), rows(2, 1, -INF, -INF, -INF)), 0, -INF, NAN, NAN);
    }

    @Test
    void hiddenQueriesAttendToNothing() {
        RefArray q = rows(2, 1, 2, 3, 4);
        RefArray bias = rows(2, 0, 0, -INF, -INF);
        RefArray scale = RefArray.scalar(DType.F64, 0.5);
        List<RefArray> out = new Attention(false).evaluate(List.of(q, q, q, bias, scale));
        values(Arrays.copyOfRange(out.get(0).toDoubles(), 2, 4), 0, 0);
        assertEquals(-INF, out.get(1).getDouble(1));
        double[] dq = gradient(new Attention(false), 0, q, q, q, bias, scale);
        values(Arrays.copyOfRange(dq, 2, 4), 0, 0);
        // With one visible key the output is its value.
        double[] causal = apply(new Attention(true), q, q, q, RefArray.zeros(bias.type()), scale);
        values(Arrays.copyOf(causal, 2), 1, 2);
    }

    @Test
    void crossEntropy() {
        RefArray x = rows(2, 0, 0, 0, Math.log(3));
        values(apply(new CrossEntropy(), x, i64(0, 1)), Math.log(2), Math.log(4.0 / 3));
        values(gradient(new CrossEntropy(), 0, x, i64(0, 1)), -0.5, 0.5, 0.25, -0.25);
    }

    @Test
    void convolutionOfOnes() {
        long[] one = {1, 1};
        RefArray x = RefArray.of(Type.of(DType.F64, 1, 1, 3, 3), i -> i + 1);
        RefArray w = RefArray.of(Type.of(DType.F64, 1, 1, 3, 3), _ -> 1.0);
        values(apply(new Conv(one, one, one, one, 1), x, w), 12, 21, 16, 27, 45, 33, 24, 39, 28);
        values(apply(new Conv(new long[] {2, 2}, one, one, one, 1), x, w), 12, 16, 24, 28);
        long[] none = {0, 0};
        RefArray two = RefArray.of(Type.of(DType.F64, 1, 1, 1, 1), _ -> 2.0);
        values(apply(new ConvWeightGrad(w.shape(), one, none, none, one, 1), x, two), 2, 4, 6, 8, 10, 12, 14, 16, 18);
        values(apply(new ConvInputGrad(x.shape(), one, none, none, one, 1), two, w), 2, 2, 2, 2, 2, 2, 2, 2, 2);
    }
}
