// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.text.GraphParser;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NonFiniteTest {
    private static final double NAN = Double.NaN;
    private static final double INF = Double.POSITIVE_INFINITY;

    private static NonFinite.Finding find(String text, RefArray... arguments) {
        Graph g = GraphParser.parse(text);
        BitSet all = new BitSet();
        all.set(0, g.outputs().size());
        return NonFinite.find(g, List.of(arguments), all);
    }

    private static RefArray row(double... values) {
        return RefArray.of(DType.F32, Shape.of(values.length), values);
    }

    private static RefArray matrix(int rows, double... values) {
        return RefArray.of(DType.F32, Shape.of(rows, values.length / rows), values);
    }

    private static void is(NonFinite.Finding f, NonFinite.Kind kind, String op, int element) {
        assertNotNull(f, "nothing found");
        assertEquals(kind, f.kind(), f.toString());
        assertEquals(op, f.op().name(), f.toString());
        assertEquals(element, f.element(), f.toString());
    }

    @Test
    void theFirstNodeIsNamedAndNotTheLast() {
        NonFinite.Finding f = find("""
                %0: f32[3] = input
                %1: f32[3] = log(%0)
                %2: f32[3] = mul(%1, %0)
                %3: f32[] = sum(%2) {axes=[0]}
                return %3
                """, row(1, 0, 2));
        is(f, NonFinite.Kind.MADE, "log", 1);
        assertEquals(-INF, f.value());
        assertEquals(List.of("f32[3] [1] = 0.0"), f.operands());
        assertEquals(0, f.output());
        assertTrue(Double.isNaN(f.outputValue()), "0 * -inf");
    }

    /** Both arms are computed; the one that is not taken is nobody's fault, its gradient's 0 * inf is. */
    @Test
    void whatWhereThrowsAwayIsNotBlamed() {
        String forward = """
                %0: f32[3] = input
                %1: f32[3] = input
                %2: bool[3] = gt(%0, %1)
                %3: f32[3] = log(%0)
                %4: f32[3] = where(%2, %3, %1)
                """;
        assertNull(find(forward + "return %4\n", row(1, 0, 2), row(0, 0, 0)));
        // The gradient of where gives 0 to log, whose own divides it by 0.
        NonFinite.Finding f = find(forward + """
                %5: f32[3] = where(%2, %0, %1)
                %6: f32[3] = div(%5, %0)
                return %6
                """, row(1, 0, 2), row(0, 0, 0));
        is(f, NonFinite.Kind.MADE, "div", 1);
        assertEquals(List.of("f32[3] [1] = 0.0", "f32[3] [1] = 0.0"), f.operands());
    }

    @Test
    void elementsAreFollowedThroughViews() {
        // Only the second column is looked at: log's first zero, element 0, is not.
        NonFinite.Finding f = find("""
                %0: f32[3,2] = input
                %1: f32[3,2] = log(%0)
                %2: f32[2,3] = permute(%1) {perm=[1,0]}
                %3: f32[1,3] = slice(%2) {axis=0, start=1, size=1, step=1, live=false}
                %4: f32[2,3] = concat(%3, %3) {axis=0}
                return %4
                """, matrix(3, 0, 1, 2, 3, 4, 0));
        is(f, NonFinite.Kind.MADE, "log", 5);
    }

    @Test
    void givenInfinitiesAreLegal() {
        String masked = """
                %0: f32[2,3] = input
                %1: f32[2,3] = input
                %2: f32[2,3] = add(%0, %1)
                %3: f32[2,3] = softmax(%2) {axis=1}
                return %3, %2
                """;
        RefArray scores = matrix(2, 1, 2, 3, 4, 5, 6);
        assertNull(find(masked, scores, matrix(2, 0, -INF, 0, 0, 0, -INF)));
        // A row that is masked all over is a NaN that nobody has made of finite numbers.
        NonFinite.Finding f = find(masked, scores, matrix(2, 0, -INF, 0, -INF, -INF, -INF));
        is(f, NonFinite.Kind.CLASHED, "sub", 3);
        assertEquals("softmax", f.node().op().name(), "the composite it is a part of");
    }

    @Test
    void aGivenNaNIsFoundIfNothingElseIs() {
        NonFinite.Finding f = find("""
                %0: f32[3] = input
                %1: f32[3] = exp(%0)
                return %1
                """, row(1, NAN, 2));
        is(f, NonFinite.Kind.GIVEN, "input", 1);
        assertNull(find("""
                %0: f32[3] = input
                %1: bool[3] = ne(%0, %0)
                return %1
                """, row(1, NAN, 2)), "asking for it");
    }

    @Test
    void productsAndSumsNameTheirOverflow() {
        NonFinite.Finding f = find("""
                %0: f32[2,2] = input
                %1: f32[2,2] = matmul(%0, %0)
                return %1
                """, matrix(2, 1e30, 0, 1, 1));
        is(f, NonFinite.Kind.MADE, "matmul", 0);
        assertTrue(
                f.operands().getFirst().startsWith("f32[2,2] row [1.0E30, 0.0]"),
                f.operands().toString());
        NonFinite.Finding sum = find("""
                %0: f32[2,2] = input
                %1: f32[2] = sum(%0) {axes=[1]}
                return %1
                """, matrix(2, 1, 2, 3e38, 3e38));
        is(sum, NonFinite.Kind.MADE, "sum", 1);
        assertTrue(
                sum.operands().getFirst().contains("[3.0E38, 3.0E38]"),
                sum.operands().toString());
        // What another row has made is not in this one.
        NonFinite.Finding row = find("""
                %0: f32[2,2] = input
                %1: f32[2,2] = log(%0)
                %2: f32[2,2] = matmul(%1, %0)
                return %2
                """, matrix(2, 1, 0, 1, 1));
        is(row, NonFinite.Kind.MADE, "log", 1);
    }

    /** Operators of which nothing is known are asked by trying. */
    @Test
    void otherOperatorsAreTried() {
        NonFinite.Finding f = find("""
                %0: f32[6] = input
                %1: i64[2] = input
                %2: f32[6] = log(%0)
                %3: f32[2] = take(%2, %1) {axis=0}
                return %3
                """, row(0, 1, 2, 0, 4, 5), RefArray.ofLongs(DType.I64, Shape.of(2), 2, 3));
        is(f, NonFinite.Kind.MADE, "log", 3);
        NonFinite.Finding scan = find("""
                %0: f32[6] = input
                %1: f32[6] = log(%0)
                %2: f32[6] = cumsum(%1) {axis=0, reverse=false}
                return %2
                """, row(1, 1, 2, 0, 4, 0));
        is(scan, NonFinite.Kind.MADE, "log", 3);
    }

    @Test
    void stepsOfLoopsAreNamed() {
        // x <- log(x): 5 -> 1.6 -> 0.47 -> -0.74 -> NaN, in the fourth step.
        Graph step = GraphParser.parse("%0: f32[1] = input\n%1: f32[1] = log(%0)\nreturn %1\n");
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(DType.F32, 1));
        Graph g = b.build(b.apply(new Loop(step, 6, 1, 0, Set.of(), false), x));
        BitSet all = new BitSet();
        all.set(0);
        NonFinite.Finding f = NonFinite.find(g, List.of(row(5)), all);
        is(f, NonFinite.Kind.MADE, "log", 0);
        assertEquals(List.of(3L), f.steps());
        assertEquals("loop", f.node().op().name());
    }

    @Test
    void resultsThatDoNotCountAreLeftOut() {
        Graph g = GraphParser.parse("""
                %0: f32[2] = input
                %1: f32[2] = log(%0)
                %2: f32[2] = exp(%1)
                return %1, %2
                """);
        BitSet second = new BitSet();
        second.set(1);
        assertNull(NonFinite.find(g, List.of(row(0, 1)), second));
        BitSet first = new BitSet();
        first.set(0);
        is(NonFinite.find(g, List.of(row(0, 1)), first), NonFinite.Kind.MADE, "log", 0);
    }

    @Test
    void typesThatOverflowAreNamed() {
        NonFinite.Finding f = find("""
                %0: f32[2] = input
                %1: f16[2] = cast(%0) {to=f16}
                return %1
                """, row(1, 1e5));
        is(f, NonFinite.Kind.MADE, "cast", 1);
        assertEquals(Type.of(DType.F16, 2), f.type());
    }

    /** One element of an operand is not finite: whatever comes of it is traced back to that element, through every operator. */
    @Test
    void everyOperatorIsFollowed() {
        int followed = 0;
        for (Op op : Operators.all()) {
            for (Sample sample : op.samples()) {
                for (int k = 0; k < sample.inputs().size(); k++) {
                    RefArray whole = sample.inputs().get(k);
                    if (!whole.dtype().isFloat() || whole.size() == 0 || whole.size() > 600) continue;
                    int at = whole.size() / 2;
                    for (double odd : new double[] {NAN, INF}) {
                        List<RefArray> in = new ArrayList<>(sample.inputs());
                        in.set(k, RefArray.of(whole.type(), i -> i == at ? odd : whole.getDouble(i)));
                        if (follow(sample, in, k, at, odd)) followed++;
                    }
                }
            }
        }
        assertTrue(followed > 300, followed + " samples");
    }

    /** Whether a result was not finite, and only then. */
    private static boolean follow(Sample sample, List<RefArray> in, int k, int at, double odd) {
        GraphBuilder b = new GraphBuilder();
        Node[] inputs = in.stream().map(a -> b.input(a.type())).toArray(Node[]::new);
        Graph g = b.build(b.emit(sample.op(), List.of(inputs)).toArray(Node[]::new));
        BitSet all = new BitSet();
        boolean before = false;
        boolean after = false;
        List<RefArray> out = RefEvaluator.run(g, in);
        for (RefArray a : RefEvaluator.run(g, sample.inputs()))
            before |= !NonFinite.of(a).isEmpty();
        for (int i = 0; i < out.size(); i++) {
            if (out.get(i).dtype().isFloat()) all.set(i);
            after |= !NonFinite.of(out.get(i)).isEmpty();
        }
        // What is not finite without it says nothing of this element.
        if (before || !after) return false;
        NonFinite.Finding f = NonFinite.find(g, in, all);
        String what = sample.op() + " of operand " + k + " with " + odd + ": " + f;
        if (Double.isNaN(odd)) {
            assertNotNull(f, what);
            assertEquals(NonFinite.Kind.GIVEN, f.kind(), what);
            assertEquals(at, f.element(), what);
            assertEquals(k, ((Input) f.node().op()).number(), what);
        } else {
            assertTrue(f == null || f.kind() == NonFinite.Kind.CLASHED, what);
        }
        return true;
    }
}
