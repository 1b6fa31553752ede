// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Op;
import io.sinter.ir.text.GraphParser;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Floating-point operations against counts by hand. */
class WorkTest {
    private static final long[] ONE = {1, 1};

    private static Shape shape(long... dims) {
        return Shape.of(dims);
    }

    private static long flops(Op op, Shape... operands) {
        List<Node> inputs = Stream.of(operands)
                .map(s -> new Type(DType.F32, s))
                .map(t -> new Node(new Input(0, t, false), List.of(), List.of(t), -1))
                .toList();
        return Work.flops(
                new Node(op, inputs, op.infer(inputs.stream().map(Node::type).toList()), -1));
    }

    /** Two images, 4 to 8 channels in two groups, windows of nine, as many places as the image has: 2·(2·8·5·6)·(2·9). */
    @Test
    void aConvolutionAndItsGradientsCountAlike() {
        Shape x = shape(2, 4, 5, 6);
        Shape w = shape(8, 2, 3, 3);
        Shape y = shape(2, 8, 5, 6);
        assertEquals(17_280, flops(new Conv(ONE, ONE, ONE, ONE, 2), x, w));
        assertEquals(17_280, flops(new ConvInputGrad(x, ONE, ONE, ONE, ONE, 2), y, w));
        assertEquals(17_280, flops(new ConvWeightGrad(w, ONE, ONE, ONE, ONE, 2), x, y));
    }

    /** Six heads, five queries, seven keys: scores take 2·6·5·7·4 operations, weighing values of six elements 2·6·5·7·6. */
    @Test
    void attentionCountsItsProducts() {
        Shape q = shape(2, 3, 5, 4);
        Shape k = shape(2, 3, 7, 4);
        Shape bias = shape(2, 3, 5, 7);
        assertEquals(1_680 + 2_520, flops(new Attention(false), q, k, shape(2, 3, 7, 6), bias, shape()));
        Shape lse = shape(2, 3, 5);
        assertEquals(5 * 1_680, flops(new AttentionGrad(false), q, k, k, bias, shape(), q, lse, q));
    }

    @Test
    void everythingElseCountsElements() {
        List<Node> nodes = GraphParser.parse("""
                %0: f32[2,3] = input
                %1: f32[3,5] = input
                %2: f32[2,5] = matmul(%0, %1)
                %3: f32[2,5] = exp(%2)
                %4: f32[2] = sum(%3) {axes=[1]}
                %5: f32[2,1] = reshape(%4) {shape=[2,1]}
                return %5
                """).nodes();
        assertEquals(List.of(60L, 10L, 10L, 0L), nodes.stream().map(Work::flops).toList());
    }
}
