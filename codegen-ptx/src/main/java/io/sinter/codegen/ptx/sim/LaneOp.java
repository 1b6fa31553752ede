// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/** What an instruction computes for 32 lanes: values are zero-extended to 64 bits. The result may be an operand's array. */
interface LaneOp {
    int LANES = Warp.LANES;

    /** Of one operand. */
    interface One extends LaneOp {
        void run(long[] d, long[] a);
    }

    /** Of two operands. */
    interface Two extends LaneOp {
        void run(long[] d, long[] a, long[] b);
    }

    /** Of three operands. */
    interface Three extends LaneOp {
        void run(long[] d, long[] a, long[] b, long[] c);
    }

    /** A relation: the lanes in which it holds. */
    interface Relation extends LaneOp {
        int run(long[] a, long[] b);
    }
}
