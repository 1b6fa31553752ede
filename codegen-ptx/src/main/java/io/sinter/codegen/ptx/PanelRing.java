// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;

/**
 * The stages of both operands' panels in shared memory, which are taken in turn.
 *
 * @param leftBytes of a stage of the left operand
 */
record PanelRing(GemmCode g, int leftBytes, int rightBytes) {
    /** A stage by its number. */
    Stage stage(int number) {
        return new Stage(number);
    }

    /** A stage of both panels that moves on: bytes from the first one. */
    final class Stage {
        final Reg left;
        final Reg right;

        private Stage(int number) {
            left = g.out.mov(PtxType.B32, g.out.constant((long) number * leftBytes));
            right = leftBytes == rightBytes ? left : g.out.mov(PtxType.B32, g.out.constant((long) number * rightBytes));
        }

        /** To the next one, and from the last one to the first. */
        void advance() {
            long stages = g.schedule.tile().stages();
            g.ints.advance(left, leftBytes, stages * leftBytes);
            if (right != left) g.ints.advance(right, rightBytes, stages * rightBytes);
        }
    }
}
