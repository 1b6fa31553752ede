// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.TensorBox;
import io.sinter.runtime.profile.Site;
import java.util.List;

/** What a run queues, with its addresses: runs of equal orders may be one graph. */
sealed interface PtxOrder {
    record Kernel(PtxStep.Launch launch, long block, long scratch, List<TensorBox> tensors) implements PtxOrder {}

    record Call(PtxStep.Routine routine, List<Long> parameters, long scratch) implements PtxOrder {}

    /** {@code site} is null for what no step of the plan says. */
    record Copy(long from, long to, long bytes, Site site) implements PtxOrder {}

    record Multiply(PtxStep.Product product, long a, long b, long c, long bias, long kept) implements PtxOrder {}

    /** What a profile counts it for; null for nothing. */
    default Site site() {
        return switch (this) {
            case Kernel k -> k.launch.site;
            case Call c -> c.routine.site;
            case Copy c -> c.site;
            case Multiply m -> m.product.site;
        };
    }

    /** Whether it begins what the site is. */
    default boolean first() {
        return switch (this) {
            case Kernel k -> k.launch.first;
            case Call c -> !c.routine.follows;
            case Copy _ -> true;
            case Multiply m -> m.product.first;
        };
    }

    /** The kernel that it launches; null if it is none of ours. */
    default GpuDriver.Function function() {
        return switch (this) {
            case Kernel k -> k.launch.function;
            case Call c -> c.routine.function;
            case Copy _, Multiply _ -> null;
        };
    }

    /** Of the program's results, those that it works on. */
    default List<Integer> results() {
        return switch (this) {
            case Kernel k -> k.launch.results;
            case Call c -> c.routine.results;
            case Copy _, Multiply _ -> List.of();
        };
    }

    /** Gives it to the driver. */
    default void issue(Gpu gpu) {
        GpuDriver driver = gpu.driver();
        switch (this) {
            case Copy c -> driver.copy(gpu.stream(), c.from, c.to, c.bytes);
            case Multiply m -> m.product.library.multiply(m.product.matmul.problem(), m.a, m.b, m.c, m.bias, m.kept);
            case Call c -> {
                PtxStep.Routine r = c.routine;
                if (r.scratchBytes > 0 && !r.follows) driver.discard(gpu.stream(), c.scratch, r.scratchBytes);
                long[] numbers =
                        c.parameters.stream().mapToLong(Long::longValue).toArray();
                driver.launch(gpu.stream(), r.function, r.grid, numbers);
            }
            case Kernel k -> {
                PtxStep.Launch l = k.launch;
                if (l.scratchBytes > 0 && !l.follows) driver.discard(gpu.stream(), k.scratch, l.scratchBytes);
                long stride = l.count > 1 ? l.blockBytes : 0;
                driver.launch(gpu.stream(), l.function, l.grid, k.tensors, k.block, stride, k.scratch);
            }
        }
    }
}
