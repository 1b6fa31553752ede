// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Kernel.Limits;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.ir.DType;
import java.util.Locale;

/** A kernel of a {@link PtxRoutine}. Its parameters are 64 bits each, in the order that its launches give them. Equal kernels are the same code. */
public sealed interface RoutineKernel {
    /** Between two kernels of a sort, items are in scratch memory: keys, and if these have 64 bits, places behind them. */
    enum Stage {
        /** From elements to items. */
        FIRST,
        /** From items to items. */
        INNER,
        /** From items to results. */
        LAST,
        /** From elements to results. */
        ONLY;

        public boolean readsElements() {
            return this == FIRST || this == ONLY;
        }

        boolean writesResults() {
            return this == LAST || this == ONLY;
        }
    }

    /** Sorts tiles of rows. */
    record SortTiles(DType dtype, boolean descending, Stage stage) implements RoutineKernel {}

    /** Merges pairs of sorted parts of rows; {@code stage} reads items. */
    record MergeParts(DType dtype, Stage stage) implements RoutineKernel {}

    /** Greatest elements of windows over so many axes. */
    record WindowMaxima(DType dtype, int axes) implements RoutineKernel {}

    /** A name that says what it does. */
    default String name() {
        return switch (this) {
            case SortTiles s ->
                "sort_tiles_" + s.dtype + "_" + s.stage.name().toLowerCase(Locale.ROOT)
                        + (s.descending ? "_descending" : "");
            case MergeParts m -> "merge_parts_" + m.dtype + "_" + m.stage.name().toLowerCase(Locale.ROOT);
            case WindowMaxima w -> "max_pool_" + w.dtype + "_" + w.axes + "d";
        };
    }

    /** Its code, under a name. */
    default Kernel code(String entry) {
        KernelBuilder out = new KernelBuilder(entry);
        switch (this) {
            case SortTiles s -> {
                out.limits(Limits.threads(PtxRoutine.MAX_THREADS));
                new SortEmitter(out, s.dtype, s.stage).tiles(s.descending);
            }
            case MergeParts m -> {
                out.limits(Limits.threads(PtxRoutine.MAX_THREADS));
                new SortEmitter(out, m.dtype, m.stage).merge();
            }
            case WindowMaxima w -> {
                // Registers enough for three axes: the assembler would spill some to have more threads.
                out.limits(Limits.threads(LaunchRule.CTA).withMinCtas(4));
                new MaxPoolEmitter(out, w.dtype, w.axes).emit();
            }
        }
        out.ret();
        return out.build();
    }
}
