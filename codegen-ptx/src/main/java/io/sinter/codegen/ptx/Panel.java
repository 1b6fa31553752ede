// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;

/**
 * How a part of an operand lies in one stage of shared memory: lines of neighbours. Tensor cores' panels are lines along k or along the rows, as the
 * operand lies in memory, whose chunks of 16 bytes are exchanged by exclusive or so that neither copies nor fragments meet in a bank. Panels of
 * plain multiply-adds are the same where asynchronous copies bring lines along k; else they have a line for each step of k, with a gap behind it.
 *
 * @param lines how many
 * @param length elements of a line
 * @param bytes of an element
 * @param lineBytes from line to line
 * @param factor by which lines count for the exchange; 0 if there is none
 * @param alike neighbouring lines whose chunks are exchanged alike
 */
record Panel(int lines, int length, int bytes, int lineBytes, int factor, int alike) {
    private static final int CHUNK = GemmOperand.CHUNK;

    /** Chunks that all 32 banks hold. */
    private static final int CHUNKS = 8;

    /** The panel of one operand of a tile. */
    static Panel of(GemmOperand o, GemmSchedule s, int accBytes) {
        int rows = o.isLeft() ? s.tile().rows() : s.tile().columns();
        int depth = s.tile().depth();
        if (s.math() == GemmSchedule.Math.FMA) {
            boolean async = (o.isLeft() ? s.left() : s.right()) == GemmSchedule.Source.ASYNC;
            // Neighbouring threads read the same chunk of lines that are so many apart.
            if (async && o.alongK()) return new Panel(rows, depth, accBytes, depth * accBytes, 1, FmaMultiplier.EACH);
            return new Panel(depth, rows, accBytes, (rows + 4) * accBytes, 0, 1);
        }
        int bytes = s.math().type().bytes();
        int lines = o.alongK() ? rows : depth;
        int length = o.alongK() ? depth : rows;
        return new Panel(lines, length, bytes, length * bytes, Fragments.byMatrix(o, s.math()) ? 1 : 2, 1);
    }

    /** Whether lines are along k, in a panel that an operand's own code fills. */
    boolean alongK(GemmOperand o, GemmSchedule.Math math) {
        return math != GemmSchedule.Math.FMA && o.alongK();
    }

    /** Elements of a chunk. */
    int chunk() {
        return CHUNK / bytes;
    }

    int chunks() {
        return length / chunk();
    }

    int stageBytes() {
        return lines * lineBytes;
    }

    private int mask() {
        return factor == 0 ? 0 : Math.min(CHUNKS, chunks()) - 1;
    }

    private int shift() {
        return factor == 0 || chunks() >= CHUNKS ? 0 : Integer.numberOfTrailingZeros(CHUNKS / chunks());
    }

    /** Lines after which the exchange is the same again. */
    int period() {
        return factor == 0 ? 1 : alike * ((mask() + 1) / Math.min(factor, mask() + 1) << shift());
    }

    /** What the chunks' numbers of a line are exchanged by. */
    Operand exchange(IntCode ints, Operand line) {
        if (factor == 0) return ints.mod(line, 1);
        return ints.mod(ints.mul(ints.div(line, (long) alike << shift()), factor), mask() + 1);
    }

    /**
     * Bytes from a stage's beginning to a chunk.
     *
     * @param exchange that of the line
     */
    Operand offset(IntCode ints, Operand line, Operand exchange, Operand chunk) {
        return ints.add(ints.mul(line, lineBytes), ints.mul(ints.xor(chunk, exchange), CHUNK));
    }
}
