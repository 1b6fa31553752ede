// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.text.GraphParser;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Work counted in loop IR, against counts by hand. */
class WorkTest {
    private static final long[] ONE = {1, 1};

    private static List<Work> steps(String graph) {
        Plan plan = Compiler.plan(GraphParser.parse(graph));
        return plan.steps().stream().map(s -> Work.of(plan, s)).toList();
    }

    /** All steps of a program of one operator. */
    private static Work of(Op op, Type... operands) {
        GraphBuilder g = new GraphBuilder();
        List<Node> in = Arrays.stream(operands).map(g::input).toList();
        Plan plan = Compiler.plan(g.build(g.emit(op, in).toArray(Node[]::new)));
        return plan.steps().stream()
                .map(s -> Work.of(plan, s))
                .reduce(Work::plus)
                .orElseThrow();
    }

    private static Type f32(long... dims) {
        return new Type(DType.F32, Shape.of(dims));
    }

    @Test
    void anElementwiseKernelCountsItsOperationsAndWhatItMoves() {
        // Two operations for each of 6000 elements; the vector is read once, however often it is added.
        assertEquals(List.of(new Work(24_000 + 400, 24_000, 12_000, DType.F32)), steps("""
                %x: f32[60,100] = input
                %b: f32[100] = input
                %r: f32[1,100] = reshape(%b) {shape=[1,100]}
                %w: f32[60,100] = expand(%r) {shape=[60,100]}
                %y: f32[60,100] = add(%x, %w)
                %z: f32[60,100] = exp(%y)
                return %z
                """));
    }

    @Test
    void whatAllElementsShareIsComputedOnce() {
        Work w = steps("""
                %x: f64[1000] = input
                %s: f64[] = input
                %r: f64[] = sqrt(%s)
                %q: f64[1] = reshape(%r) {shape=[1]}
                %e: f64[1000] = expand(%q) {shape=[1000]}
                %y: f64[1000] = mul(%x, %e)
                return %y
                """).getFirst();
        assertTrue(w.flops() <= 1_001, w.toString());
        assertEquals(8_008, w.readBytes());
        assertEquals(DType.F64, w.unit());
    }

    @Test
    void aMatrixProductCountsTwoForEachStep() {
        assertEquals(List.of(new Work(4 * (30 * 50 + 50 * 70), 4 * 30 * 70, 2 * 30 * 50 * 70, DType.F32)), steps("""
                %a: f32[30,50] = input
                %b: f32[50,70] = input
                %c: f32[30,70] = matmul(%a, %b)
                return %c
                """));
    }

    /** Two images, 4 to 8 channels in two groups, windows of nine, as many places as the image has: 2·(2·8·5·6)·(2·9). */
    @Test
    void aConvolutionReadsItsImageOnce() {
        Type x = f32(2, 4, 5, 6);
        Type w = f32(8, 2, 3, 3);
        Type y = f32(2, 8, 5, 6);
        Work forward = of(new Conv(ONE, ONE, ONE, ONE, 2), x, w);
        assertEquals(17_280, forward.flops());
        assertEquals(x.bytes() + w.bytes(), forward.readBytes());
        assertEquals(y.bytes(), forward.writtenBytes());
        assertEquals(
                17_280,
                of(new ConvInputGrad(x.shape(), ONE, ONE, ONE, ONE, 2), y, w).flops());
        assertEquals(
                17_280,
                of(new ConvWeightGrad(w.shape(), ONE, ONE, ONE, ONE, 2), x, y).flops());
    }

    /** Six heads, five queries, seven keys: scores take 2·6·5·7·4 operations, weighing values of six elements 2·6·5·7·6. */
    @Test
    void attentionCountsItsProducts() {
        Type q = f32(2, 3, 5, 4);
        Type k = f32(2, 3, 7, 4);
        Type bias = f32(2, 3, 5, 7);
        Type v = f32(2, 3, 7, 6);
        assertEquals(
                1_680 + 2_520, of(new Attention(false), q, k, v, bias, f32()).flops());
        Work backward = of(new AttentionGrad(false), q, k, k, bias, f32(), q, f32(2, 3, 5), q);
        assertEquals(5 * 1_680, backward.flops());
        // Seven keys, seven queries, a triangle of 28 pairs.
        Work causal = of(new Attention(true), f32(2, 3, 7, 4), k, v, f32(2, 3, 7, 7), f32());
        assertEquals(6 * 2 * 28 * (4 + 6), causal.flops());
    }

    @Test
    void aTableIsReadWhereItIsLookedUp() {
        Work w = steps("""
                %t: f32[50000,64] = input
                %i: i64[100] = input
                %y: f32[100,64] = take(%t, %i) {axis=0}
                return %y
                """).getFirst();
        assertEquals(100 * 64 * 4 + 100 * 8, w.readBytes());
        assertEquals(100 * 64 * 4, w.writtenBytes());
        assertEquals(0, w.flops());
    }

    /** Rows are added four at a time, and those that are left one by one: none counts twice. */
    @Test
    void sumsOfColumns() {
        for (long rows : new long[] {8, 11, 1040}) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, rows, 512));
            Plan plan = Compiler.plan(g.build(g.sum(x, 0)));
            Work all = plan.steps().stream()
                    .map(s -> Work.of(plan, s))
                    .reduce(Work::plus)
                    .orElseThrow();
            long blocks = plan.steps().size() == 1 ? 0 : 1040 / 20;
            assertEquals((rows + blocks) * 512, all.flops());
        }
    }

    @Test
    void everySampleHasWork() {
        int loops = 0;
        for (var operator : Operators.all()) {
            for (Sample s : operator.samples()) {
                GraphBuilder g = new GraphBuilder();
                List<Node> in = new ArrayList<>();
                for (RefArray a : s.inputs()) in.add(g.input(a.type()));
                Plan plan = Compiler.plan(g.build(g.emit(s.op(), in).toArray(Node[]::new)));
                for (Plan.Step step : plan.steps()) {
                    Work w = Work.of(plan, step);
                    assertTrue(w.readBytes() >= 0 && w.writtenBytes() >= 0 && w.flops() >= 0, s + ": " + w);
                    if (!(step instanceof Plan.Repeat r)) continue;
                    long once = r.body().steps().stream()
                            .mapToLong(b -> Work.of(r.body(), b).flops())
                            .sum();
                    assertEquals(r.steps() * once, w.flops());
                    if (once > 0) loops++;
                }
            }
        }
        assertTrue(loops > 0);
    }
}
