// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.PtxType;
import java.util.Locale;

/**
 * The form of a matrix product.
 *
 * @param math what multiplies
 * @param tile what a CTA makes at a time
 * @param left how the left operand comes into shared memory
 * @param right the same of the right one
 * @param splits into so many parts of equal length the sum over k is cut, a power of two; parts are added up in order by a second kernel
 */
public record GemmSchedule(Math math, Tile tile, Source left, Source right, int splits) implements Schedule {
    /** The instructions that multiply. */
    public enum Math {
        /** Fused multiply-adds of the accumulation type, which may be an integer. */
        FMA(null, null),
        BF16(PtxType.BF16, new Matrix.Shape(16, 8, 16)),
        F16(PtxType.F16, new Matrix.Shape(16, 8, 16)),
        /** Operands of f32, rounded to 10 bits of mantissa, to nearest. */
        TF32(PtxType.TF32, new Matrix.Shape(16, 8, 8)),
        F64(PtxType.F64, new Matrix.Shape(8, 8, 4));

        private final PtxType type;
        private final Matrix.Shape shape;

        Math(PtxType type, Matrix.Shape shape) {
            this.type = type;
            this.shape = shape;
        }

        /** The operands' type; null of FMA. */
        PtxType type() {
            return type;
        }

        /** Extents of one instruction of a warp; null of FMA. */
        Matrix.Shape shape() {
            return shape;
        }
    }

    /** How an operand comes into shared memory. */
    public enum Source {
        /** By its own code, element by element. */
        CODE,
        /** By copies of 16 bytes that go on while the threads multiply: memory whose strides and beginning are multiples of 16 bytes. */
        ASYNC,
        /** By tensor copies, for {@code wgmma}; then both operands do. */
        TENSOR
    }

    /** Whether it is the form for Hopper: {@code wgmma} on panels that tensor copies bring. */
    boolean isTensor() {
        return left == Source.TENSOR;
    }

    /** Threads of a CTA. */
    int threads() {
        return tile.threads() + (isTensor() ? WarpgroupEmitter.GROUP : 0);
    }

    /**
     * What a CTA makes at a time.
     *
     * @param rows of the tile, as columns a multiple of 32
     * @param depth steps of k in one stage
     * @param warpsDown warps along the rows
     * @param warpsAcross warps along the columns
     * @param stages panels of each operand in shared memory
     */
    public record Tile(int rows, int columns, int depth, int warpsDown, int warpsAcross, int stages) {
        int threads() {
            return 32 * warpsDown * warpsAcross;
        }
    }

    @Override
    public String text() {
        return math.name().toLowerCase(Locale.ROOT) + " " + tile.rows + "x" + tile.columns + "x" + tile.depth
                + " warps "
                + tile.warpsDown + "x" + tile.warpsAcross + " stages " + tile.stages + " by "
                + left.name().toLowerCase(Locale.ROOT) + "," + right.name().toLowerCase(Locale.ROOT)
                + (splits == 1 ? "" : " parts " + splits);
    }

    /** The form in words, for listings. */
    String note() {
        String how = math == Math.FMA ? "fused multiply-adds" : (isTensor() ? "wgmma of " : "mma.sync of ") + math;
        String sums = splits == 1 ? "" : ", sums in " + splits + " parts";
        return how + ", tiles of " + tile.rows + " x " + tile.columns + " x " + tile.depth + ", " + tile.stages
                + " stages" + sums + "; left operand " + how(left) + ", right operand " + how(right);
    }

    private static String how(Source s) {
        return switch (s) {
            case CODE -> "by its own code, as it is no plain memory whose strides are multiples of 16 bytes";
            case ASYNC -> "by asynchronous copies";
            case TENSOR -> "by tensor copies";
        };
    }
}
