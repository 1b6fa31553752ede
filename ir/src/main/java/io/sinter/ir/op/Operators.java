// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * All operators, for tables of tests: what is listed here is tested on every evaluator and
 * generator.
 */
public final class Operators {
    private Operators() {}

    /**
     * One instance of each operator that computes something; their attributes are arbitrary ({@link
     * Op#samples} vary them).
     */
    public static List<Op> all() {
        List<Op> ops = new ArrayList<>();
        ops.add(Constant.of(DType.F32, 1));
        ops.add(new Iota(1));
        ops.add(new RandomBits(Shape.SCALAR));
        ops.addAll(Unary.values());
        ops.addAll(Binary.values());
        ops.addAll(List.of(Where.INSTANCE, new Cast(DType.F32), new Bitcast(DType.I32)));
        ops.addAll(List.of(
                new Reshape(Shape.SCALAR),
                new Permute(),
                new Expand(Shape.SCALAR),
                new Slice(0, 0, 1, 1, false),
                new Window(0, 1, 1),
                new Pad(new long[0], new long[0]),
                new Concat(0)));
        for (Reduce.Kind k : Reduce.Kind.values()) ops.add(new Reduce(k, 0));
        for (Reduce.Kind k : Reduce.Kind.values()) if (!k.isArg()) ops.add(new BlockReduce(k, 1, 1));
        for (Scan.Kind k : Scan.Kind.values()) ops.add(new Scan(k, 0, false));
        ops.addAll(List.of(
                new Take(0),
                new Put(0, Put.Mode.SET),
                new Gather(0),
                new Scatter(0, Put.Mode.SET),
                new CheckIndex(1),
                new Sort(0, false),
                new TopK(0, 1, true),
                LoopSamples.sum()));
        long[] one = {1};
        long[] zero = {0};
        ops.addAll(List.of(
                new MaxPool(one, one, zero, zero, one),
                new Matmul(),
                new Conv(one, zero, zero, one, 1),
                new ConvInputGrad(Shape.of(1, 1, 1), one, zero, zero, one, 1),
                new ConvWeightGrad(Shape.of(1, 1, 1), one, zero, zero, one, 1),
                new Softmax(0),
                new LogSoftmax(0),
                new LogSumExp(0),
                new LayerNorm(1, 1e-5),
                new LayerNormGrad(1),
                new Attention(false),
                new AttentionGrad(false),
                new CrossEntropy(),
                new CrossEntropyGrad(),
                new Gelu(false),
                new AdamStep(false),
                new SgdStep(false, false, false),
                new RmspropStep(false, false, false)));
        return ops;
    }

    /** The samples of all operators. */
    public static List<Sample> samples() {
        return all().stream().flatMap(op -> op.samples().stream()).toList();
    }
}
