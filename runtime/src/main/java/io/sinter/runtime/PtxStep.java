// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.PtxRoutine;
import io.sinter.codegen.ptx.TensorRule;
import io.sinter.runtime.ParameterBlock.Spot;
import io.sinter.runtime.profile.Site;
import java.util.List;

/** One thing to run of a program on a GPU. */
sealed interface PtxStep {
    /** One launch of an operator that has kernels of its own; {@code places} are those of the operand and of the two results. Equal to itself alone. */
    final class Routine implements PtxStep {
        final GpuDriver.Function function;
        final GpuDriver.Grid grid;
        final List<PtxRoutine.Argument> arguments;
        final List<Spot> places;
        /** Of the operator's launches together; the first of them finds nothing there. */
        final long scratchBytes;

        final boolean follows;
        /** Of the program's results, those that it works on. */
        final List<Integer> results;
        /** What it is a part of. */
        final Site site;

        Routine(
                GpuDriver.Function function,
                PtxRoutine.Launch launch,
                List<Spot> places,
                long scratchBytes,
                boolean follows,
                List<Integer> results,
                Site site) {
            this.site = site;
            LaunchRule.Shape s = launch.shape();
            this.function = function;
            this.grid = new GpuDriver.Grid(s.ctas(), 1, s.threads(), s.teams(), s.sharedBytes());
            this.arguments = launch.arguments();
            this.places = places;
            this.scratchBytes = scratchBytes;
            this.follows = follows;
            this.results = results;
        }
    }

    record Copy(Spot from, Spot to, long bytes, Site site) implements PtxStep {}

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
        /** What it is a part of. */
        final Site site;
        /** Whether it begins what the site is: others of it follow. */
        final boolean first;

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
                List<Integer> results,
                Site site,
                boolean first) {
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
            this.site = site;
            this.first = first;
        }
    }

    /** A matrix product that a library does. Equal to itself alone. */
    final class Product implements PtxStep {
        final MatmulLibrary library;
        final LibraryMatmul matmul;
        /** Host address of the parameter block that our own kernel would have. */
        final long block;

        final Site site;
        /** As {@link Launch#first}. */
        final boolean first;

        Product(MatmulLibrary library, LibraryMatmul matmul, long block, Site site, boolean first) {
            this.library = library;
            this.matmul = matmul;
            this.block = block;
            this.site = site;
            this.first = first;
        }
    }
}
