// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.TensorRule;
import io.sinter.ir.Type;
import io.sinter.ir.op.Op;
import io.sinter.runtime.ParameterBlock.Spot;
import java.util.List;

/** One thing to run of a program on a GPU. */
sealed interface PtxStep {
    record Library(Op op, Type in, List<Type> out, Spot from, List<Spot> to) implements PtxStep {}

    record Copy(Spot from, Spot to, long bytes) implements PtxStep {}

    record Repeat(ParameterBlock.Section section, long times, List<PtxStep> body) implements PtxStep {}

    /** A launch of segments whose shapes are equal and whose blocks lie one after the other. Equal to itself alone. */
    final class Launch implements PtxStep {
        final GpuDriver.Function function;
        final List<TensorRule> tensors;
        final GpuDriver.Grid grid;
        /** Host address of the first block. */
        final long block;

        final int count;
        final long blockBytes;
        final long scratchBytes;
        /** Whether it finds in scratch memory what the launch before has left there. */
        final boolean follows;
        /** Whether it is in a loop's body, and so has other blocks in each run. */
        final boolean moves;
        /** Of the program's results, those that it works on. */
        final List<Integer> results;

        Launch(
                GpuDriver.Function function,
                List<TensorRule> tensors,
                LaunchRule.Shape shape,
                long block,
                int count,
                long blockBytes,
                long scratchBytes,
                boolean follows,
                boolean moves,
                List<Integer> results) {
            this.function = function;
            this.tensors = tensors;
            this.grid = new GpuDriver.Grid(shape.ctas(), count, shape.threads(), shape.teams(), shape.sharedBytes());
            this.block = block;
            this.count = count;
            this.blockBytes = blockBytes;
            this.scratchBytes = scratchBytes;
            this.follows = follows;
            this.moves = moves;
            this.results = results;
        }
    }

    /** A matrix product that a library does. Equal to itself alone. */
    final class Product implements PtxStep {
        final MatmulLibrary library;
        final LibraryMatmul matmul;
        /** Host address of the parameter block that our own kernel would have. */
        final long block;

        Product(MatmulLibrary library, LibraryMatmul matmul, long block) {
            this.library = library;
            this.matmul = matmul;
            this.block = block;
        }
    }
}
