// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Reductions over the outer axes: how they become kernels, and their values. */
class ColumnSumsTest {
    private GraphBuilder b = new GraphBuilder();
    private final List<RefArray> args = new ArrayList<>();

    private Node in(DType t, long... dims) {
        Type type = Type.of(t, dims);
        args.add(Sample.uniform(type, t.isFloat() ? -1 : 0, t.isFloat() ? 1 : 2, args.size() + 1));
        return b.input(type);
    }

    private Node reduce(Reduce.Kind kind, Node x, int... axes) {
        return b.apply(new Reduce(kind, axes), x);
    }

    private List<String> kernels(Node... out) {
        Plan p = PlanTest.check(b.build(out), args, "columns");
        b = new GraphBuilder();
        args.clear();
        return p.steps().stream()
                .map(s -> KernelText.print(((Plan.Launch) s).kernel()))
                .toList();
    }

    /** Four rows a step, then the rows that are left: one piece of code, whatever their number. */
    @Test
    void anyNumberOfRows() {
        Set<String> code = new HashSet<>();
        for (long rows : new long[] {2, 3, 4, 5, 8, 17, 18, 19, 20})
            code.addAll(kernels(reduce(Reduce.Kind.SUM, in(DType.F32, rows, 300), 0)));
        assertEquals(1, code.size(), code.toString());
    }

    /** As many rows as are summed in blocks: two pieces of code, whatever their number. */
    @Test
    void anyNumberOfRowsInBlocks() {
        Set<String> code = new HashSet<>();
        for (long rows : new long[] {1031, 1032, 1100, 1153}) {
            List<String> k = kernels(reduce(Reduce.Kind.SUM, in(DType.F32, rows, 257), 0));
            assertEquals(2, k.size(), k.toString());
            code.addAll(k);
        }
        assertEquals(2, code.size(), code.toString());
    }

    /** Something is computed once a column of sums that another kernel must have made before: columns, but no sums. */
    @Test
    void columnsWithoutSums() {
        Node x = in(DType.F32, 2, 512, 2, 2);
        Shape column = Type.of(DType.F32, 1, 512, 1, 1).shape();
        Node squares = reduce(Reduce.Kind.SUM, b.mul(x, x), 0, 2, 3);
        Node scanned = b.apply(new Scan(Scan.Kind.SUM, 0, false), squares);
        Node deviation = b.apply(Unary.RSQRT, b.apply(new Reshape(column), squares));
        Node y = b.mul(x, b.expand(deviation, x.shape()));
        y = b.mul(y, b.expand(b.apply(new Reshape(column), scanned), x.shape()));
        assertEquals(3, kernels(y, deviation).size());
    }

    /** As many rows a step as their code is short for; whatever that is, each row of a block is in its sum. */
    @Test
    void anyLengthOfCode() {
        for (int operations = 0; operations < 18; operations++) {
            Node x = in(DType.F32, 19, 300);
            Node y = x;
            for (int i = 0; i < operations; i++) y = i % 2 == 0 ? b.mul(y, x) : b.add(y, x);
            kernels(b.apply(new BlockReduce(Reduce.Kind.SUM, 1, 8), y), reduce(Reduce.Kind.MAX, y, 0));
        }
    }

    /** Of everything, and of few columns. */
    @Test
    void anyNumberOfElements() {
        Set<String> code = new HashSet<>();
        for (long n : new long[] {16411, 16412, 32768, 40001})
            code.addAll(kernels(reduce(Reduce.Kind.SUM, in(DType.F32, n), 0)));
        assertEquals(2, code.size(), code.toString());
        assertEquals(
                2,
                kernels(reduce(Reduce.Kind.MAX, in(DType.F32, 131, 257), 0, 1)).size());
        assertEquals(
                2, kernels(reduce(Reduce.Kind.MIN, in(DType.I16, 16411, 5), 0)).size());
        assertEquals(
                2,
                kernels(reduce(Reduce.Kind.SUM, in(DType.F16, 131, 263, 5), 0, 1))
                        .size());
    }

    /** A value that the sums' kernel also stores goes with whole rows, too. */
    @Test
    void elementsBesideTheSums() {
        Node x = in(DType.F32, 1030, 260);
        Node y = b.unary(Unary.TANH, x);
        List<String> k = kernels(y, reduce(Reduce.Kind.SUM, y, 0));
        assertEquals(2, k.size(), k.toString());
        assertTrue(k.getFirst().contains("scratch="), k.getFirst());
    }

    /** Few columns: accumulators in registers. */
    @Test
    void smallOnesStayInRegisters() {
        assertTrue(kernels(reduce(Reduce.Kind.SUM, in(DType.F32, 40, 200), 0))
                .getFirst()
                .contains("scratch=0"));
    }

    @Test
    void severalKindsTypesAndAxes() {
        Node x = in(DType.F32, 3, 5, 10, 1300);
        Node mean = b.mul(reduce(Reduce.Kind.SUM, x, 0, 2), 1.0 / 30);
        assertEquals(1, kernels(mean, reduce(Reduce.Kind.MAX, x, 0, 2)).size());
        for (DType t : List.of(DType.F64, DType.F16, DType.I64, DType.I16, DType.U8)) {
            kernels(reduce(Reduce.Kind.PROD, in(t, 21, 400), 0), reduce(Reduce.Kind.MIN, in(t, 21, 400), 0));
        }
        kernels(reduce(Reduce.Kind.MAX, in(DType.BOOL, 40, 300), 0));
    }

    /** What is read through views, and per row. */
    @Test
    void rowsThatAreComputed() {
        Node x = in(DType.F32, 24, 500);
        Node perRow = b.expand(b.reshape(in(DType.F32, 24), Shape.of(24, 1)), Shape.of(24, 500));
        Node perColumn = b.expand(b.reshape(in(DType.F32, 500), Shape.of(1, 500)), Shape.of(24, 500));
        Node y = b.mul(b.sub(x, perRow), b.unary(Unary.TANH, b.add(x, perColumn)));
        assertEquals(1, kernels(reduce(Reduce.Kind.SUM, y, 0)).size());
    }

    /** A large matrix is summed in parts, but where each column is gone over several times. */
    @Test
    void largeOnesAreSplit() {
        Node x = in(DType.F32, 512, 1024);
        List<String> k = kernels(reduce(Reduce.Kind.SUM, x, 0));
        assertEquals(2, k.size(), k.toString());
        Node y = in(DType.F32, 256, 1024);
        Node sum = b.expand(b.reshape(reduce(Reduce.Kind.SUM, y, 0), Shape.of(1, 1024)), Shape.of(256, 1024));
        assertEquals(1, kernels(b.sub(y, sum)).size());
    }
}
