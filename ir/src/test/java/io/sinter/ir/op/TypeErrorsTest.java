// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Operands that operators refuse: every message names the operator, the operands' types, the problem and a way out. */
class TypeErrorsTest {
    private static final long[] ONE = {1};
    private static final long[] NONE = {0};
    private static final Conv CONV = new Conv(ONE, NONE, NONE, ONE, 1);

    private static Type f32(long... dims) {
        return Type.of(DType.F32, dims);
    }

    private static Type i64(long... dims) {
        return Type.of(DType.I64, dims);
    }

    private static void refused(Op op, String message, Type... operands) {
        OpException e = assertThrows(OpException.class, () -> op.infer(Arrays.asList(operands)));
        assertEquals(message, e.getMessage());
    }

    @Test
    void reductions() {
        refused(
                new Reduce(Reduce.Kind.MAX, 1),
                "amax(f32[3,0]): axis 1 has extent 0, and amax of nothing has no value",
                f32(3, 0));
        refused(
                new Reduce(Reduce.Kind.SUM, 2),
                "sum(f32[3,4]): axis 2 is outside [0, 1]: the operand has rank 2",
                f32(3, 4));
        refused(new Reduce(Reduce.Kind.SUM, 1, 1), "sum(f32[3,4]): axis 1 is given twice", f32(3, 4));
        refused(
                new Reduce(Reduce.Kind.ARGMAX, 0, 1),
                "argmax(f32[3,4]): takes one axis, got [0, 1]; reshape several axes into one",
                f32(3, 4));
        refused(
                new Reduce(Reduce.Kind.PROD, 0),
                "prod(bool[3]): not defined for bool; cast to i64 first, or use amax (any) or amin (all)",
                Type.of(DType.BOOL, 3));
        refused(
                new Scan(Scan.Kind.SUM, 0, false),
                "cumsum(f32[]): axis 0 of a scalar, which has none; reshape it to [1] first",
                f32());
    }

    @Test
    void matmul() {
        refused(
                new Matmul(),
                "matmul(f32[2,3], f32[4,5]): inner extents 3 and 4 differ: [M,K]·[K,N] is needed; transpose or reshape an"
                        + " operand",
                f32(2, 3),
                f32(4, 5));
        refused(
                new Matmul(),
                "matmul(f32[3], f32[3,4]): operands must have the same rank, at least 2, got 1 and 2; reshape vectors to"
                        + " matrices, and expand batch axes",
                f32(3),
                f32(3, 4));
        refused(
                new Matmul(),
                "matmul(f32[2,3,4], f32[5,4,1]): batch extents 2 and 5 of axis 0 differ; expand an operand",
                f32(2, 3, 4),
                f32(5, 4, 1));
        refused(
                new Matmul(),
                "matmul(f32[2,3], i64[3,1]): dtypes f32 and i64 differ; cast one operand to the other's dtype",
                f32(2, 3),
                i64(3, 1));
    }

    @Test
    void convolutions() {
        refused(
                CONV,
                "conv(f32[1,3,8], f32[4,2,3]): input [1,3,8] has 3 channels, weight [4,2,3] is for 2 in 1 groups with 4 outputs;"
                        + " channels must be weight axis 1 times groups, and outputs a multiple of groups",
                f32(1, 3, 8),
                f32(4, 2, 3));
        refused(
                CONV,
                "conv(f32[1,2,2], f32[4,2,3]): kernel extent 3 does not fit spatial axis 0 of extent 2 (padding included); pad"
                        + " more or use a smaller kernel",
                f32(1, 2, 2),
                f32(4, 2, 3));
        refused(
                CONV,
                "conv(f32[2,8], f32[4,2,3]): with 1 spatial axes input and weight must have rank 3, got input [2,8] and weight"
                        + " [4,2,3]; add a batch axis with reshape",
                f32(2, 8),
                f32(4, 2, 3));
        refused(
                CONV,
                "conv(i64[1,2,8], i64[4,2,3]): needs a floating-point operand, got i64; cast it to f32 first",
                i64(1, 2, 8),
                i64(4, 2, 3));
        refused(
                new ConvInputGrad(Shape.of(1, 2, 8), ONE, NONE, NONE, ONE, 1),
                "conv_input_grad(f32[1,4,5], f32[4,2,3]): a convolution of input [1,2,8] with this weight gives [1,4,6], not"
                        + " [1,4,5]; operand 0 must have that shape, or the input shape must fit",
                f32(1, 4, 5),
                f32(4, 2, 3));
    }

    @Test
    void indexed() {
        refused(
                new Take(0),
                "take(f32[4], i32[2]): indices must be i64, got i32; cast them",
                f32(4),
                Type.of(DType.I32, 2));
        refused(
                new Put(1, Put.Mode.ADD),
                "put(f32[4,5], i64[2], f32[4,3]): source must have shape [4,2] (the destination's with the number of indices on"
                        + " axis 1), got [4,3]; expand or reshape it",
                f32(4, 5),
                i64(2),
                f32(4, 3));
        refused(
                new Gather(0),
                "gather(f32[4,5], i64[2,6]): indices have extent 6 on axis 1, where operand 0 has 5; only axis 0 may be larger",
                f32(4, 5),
                i64(2, 6));
        refused(
                new Scatter(0, Put.Mode.ADD),
                "scatter(f32[4], i64[2], i64[2]): source is i64, destination f32; cast one to the other's dtype",
                f32(4),
                i64(2),
                i64(2));
        refused(
                new TopK(0, 5, true),
                "topk(f32[4]): k is 5, but axis 0 has 4 elements; k must be at most that",
                f32(4));
    }

    @Test
    void composites() {
        refused(
                new Softmax(0),
                "softmax(i64[3]): needs a floating-point operand, got i64; cast it to f32 first",
                i64(3));
        refused(
                new LayerNorm(3, 1e-5),
                "layer_norm(f32[4,5]): cannot normalize over the last 3 axes of [4,5]; the number must be 1 to 2",
                f32(4, 5));
        refused(
                new CrossEntropy(),
                "cross_entropy(f32[4,5], i64[5]): targets must be class numbers of shape [4], one for each row of logits [4,5],"
                        + " got [5]",
                f32(4, 5),
                i64(5));
        refused(
                new Attention(false),
                "attention(f32[3,4], f32[5,6], f32[5,4], f32[3,5], f32[]): q has 4 features, k has 6; they must be equal",
                f32(3, 4),
                f32(5, 6),
                f32(5, 4),
                f32(3, 5),
                f32());
        refused(
                new Attention(true),
                "attention(f32[3,4], f32[5,4], f32[5,4], f32[5], f32[]): bias must be [3,5], got [5]; expand it",
                f32(3, 4),
                f32(5, 4),
                f32(5, 4),
                f32(5),
                f32());
    }

    @Test
    void indicesOutOfBounds() {
        RefArray x = RefArray.zeros(f32(2, 3));
        RefArray bad = RefArray.ofLongs(DType.I64, Shape.of(1, 1), 3);
        outOfBounds("take: index 3 is out of bounds for an extent of 3", new Take(1), x, bad);
        outOfBounds("gather: index 3 is out of bounds for an extent of 3", new Gather(1), x, bad);
        outOfBounds(
                "scatter: index 3 is out of bounds for an extent of 2",
                new Scatter(0, Put.Mode.SET),
                x,
                bad,
                RefArray.zeros(f32(1, 1)));
        outOfBounds(
                "put: index -4 is out of bounds for an extent of 3",
                new Put(1, Put.Mode.SET),
                x,
                RefArray.ofLongs(DType.I64, Shape.of(1), -4),
                RefArray.zeros(f32(2, 1)));
        outOfBounds(
                "cross_entropy: index -1 is out of bounds for an extent of 3",
                new CrossEntropy(),
                x,
                RefArray.ofLongs(DType.I64, Shape.of(2), 0, -1));
        outOfBounds(
                "index: index 0 is out of bounds for an extent of 0",
                new CheckIndex(0),
                RefArray.ofLongs(DType.I64, Shape.of(1), 0));
    }

    private static void outOfBounds(String message, Op op, RefArray... in) {
        Exception e = assertThrows(IndexOutOfBoundsException.class, () -> op.evaluate(List.of(in)));
        assertEquals(message, e.getMessage());
    }
}
