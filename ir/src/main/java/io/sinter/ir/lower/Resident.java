// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Node;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.View;
import java.util.function.Predicate;

/**
 * An operand of a loop that is read where it lies: elements in row-major order, from element {@code offset} of the buffer of {@code holder} on. The
 * slice of step t lies {@code t · step} elements further. Reshapes, and slices of whole rows, need no copy.
 */
public record Resident(Node holder, long offset, long step) {
    /**
     * Operand {@code i} of a loop.
     *
     * @param copied values that have a buffer of their own though they are views
     * @return null if it must be copied first
     */
    public static Resident of(Node operand, Loop loop, int i, Predicate<Node> copied) {
        boolean slice = i >= loop.carried() && i < loop.carried() + loop.sliced();
        long block = loop.input(i).numel();
        Resident r = new Resident(operand, 0, slice ? block : 0);
        if (copied.test(operand)) return r;
        while (r != null) {
            switch (r.holder.op()) {
                case Reshape _ -> r = new Resident(r.holder.input(0), r.offset, r.step);
                case Slice s -> r = r.through(s, block);
                case View _, Constant _ -> r = null;
                case Input in when in.scalar() -> r = null;
                default -> {
                    return r;
                }
            }
        }
        return null;
    }

    /** Below a slice of the outermost axis that has more than one element. */
    private Resident through(Slice s, long block) {
        Node x = holder.input(0);
        long outer = 1;
        long inner = 1;
        for (int a = 0; a < x.shape().rank(); a++) {
            if (a < s.axis()) outer *= x.shape().dim(a);
            if (a > s.axis()) inner *= x.shape().dim(a);
        }
        if (s.live() || outer != 1 || inner == 0) return null;
        if (s.step() == 1) return new Resident(x, offset + s.start() * inner, step);
        // Rows that do not follow one another: each step reads within one.
        boolean rows = step % inner == 0 && offset % inner + block <= inner;
        if (!rows) return null;
        long row = s.start() + offset / inner * s.step();
        return new Resident(x, row * inner + offset % inner, step * s.step());
    }
}
