// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Scan;

/**
 * Floating-point operations by the textbook: a product of matrices counts 2·m·n·k, a convolution likewise, an elementwise operator one for each
 * element whatever it is, a reduction one for each element that it reads, and what moves or sorts data nothing.
 */
final class Work {
    private Work() {}

    static long flops(Node n) {
        return switch (n.op()) {
            case Matmul _ -> 2 * n.type().numel() * last(n.input(0).shape());
            case Conv _ -> 2 * n.type().numel() * perOutput(n.input(1).shape());
            case ConvInputGrad _ ->
                2 * n.input(0).type().numel() * perOutput(n.input(1).shape());
            case ConvWeightGrad _ -> 2 * n.input(1).type().numel() * perOutput(n.shape());
            case Attention _ -> attention(n);
            case AttentionGrad _ -> attention(n) * 5 / 2; // five products where there were two
            case Reduce _, Scan _ -> n.input(0).type().numel();
            case Elementwise _ -> n.type().numel();
            default -> 0;
        };
    }

    private static long attention(Node n) {
        Shape q = n.input(0).shape();
        Shape k = n.input(1).shape();
        long d = last(q) + last(n.input(2).shape());
        return 2 * (q.numel() / Math.max(1, last(q))) * k.dim(k.rank() - 2) * d;
    }

    private static long last(Shape s) {
        return s.dim(s.rank() - 1);
    }

    /** Products for each element of a convolution's result: what a filter weighs. */
    private static long perOutput(Shape weight) {
        return weight.numel() / Math.max(1, weight.dim(0));
    }
}
