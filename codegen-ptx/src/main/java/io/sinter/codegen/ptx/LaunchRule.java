// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Var;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.stream.Collectors;

/** How a kernel is launched: a function of its parameter block alone, so that the same program gives the same bits wherever it runs. */
public sealed interface LaunchRule {
    /** Most threads that work together on a task. */
    int MAX_TEAM = 512;

    /** Threads of a CTA whose teams do not fill it by themselves. */
    int CTA = 256;

    /** CTAs that there should be before they get more threads than a warp: each multiprocessor is to have one. */
    long MULTIPROCESSORS = 128;

    /** Most CTAs of a launch; they take tasks in turn. */
    long MAX_CTAS = 1 << 20;

    /**
     * The shape of a launch. CTAs are numbered in x; y counts parameter blocks.
     *
     * @param threads of a team (x)
     * @param teams of a CTA (y)
     * @param ctas to launch in x; 0 if there is nothing to do
     * @param scratchBytes of scratch memory for each parameter block
     * @param sharedBytes of dynamic shared memory for each CTA
     */
    record Shape(int threads, int teams, long ctas, long scratchBytes, int sharedBytes) {}

    /** Whether launches may have dynamic shared memory. */
    default boolean usesDynamicShared() {
        return switch (this) {
            case Tiles t -> t.sharedBytes > 0;
            case Teams t -> t.mayShareScratch();
            case Blocks b -> b.sharedBytes > 0;
            case RowTeams _, Rows _, Parts _ -> false;
        };
    }

    /** @param slot the contents of a parameter block */
    Shape shape(IntToLongFunction slot);

    /**
     * Teams of threads take tasks.
     *
     * @param tasks factors of the number of tasks
     * @param shared extents of the loops that the threads of a team share; empty if a task is one thread's
     * @param cooperates whether the threads of a team wait for each other
     * @param most threads of a team at most
     * @param width elements that a thread takes side by side
     * @param scratchBytes private memory of each team: in dynamic shared memory, if that of all of a CTA's teams is small, else in scratch memory
     */
    record Teams(List<Coef> tasks, List<Coef> shared, boolean cooperates, int most, int width, long scratchBytes)
            implements LaunchRule {
        /** A loop that short is one thread's, where sharing would cost a reduction. */
        private static final long ALONE = 8;

        /** Threads of a kernel with private memory: as many as run at a time on the largest devices. */
        private static final long SCRATCH_THREADS = 1 << 17;

        /** Bytes of a CTA's teams' private memory that shared memory has room for, while enough other CTAs run. */
        private static final long SHARED_SCRATCH = 32 << 10;

        /** Steps of a loop that a thread takes, so that combining what the threads have costs little beside them. */
        private static final long STEPS = 8;

        /** Threads that keep the largest devices busy: with fewer, more of them share a task. */
        private static final long BUSY = 1 << 17;

        public Teams {
            tasks = List.copyOf(tasks);
            shared = List.copyOf(shared);
        }

        @Override
        public Shape shape(IntToLongFunction slot) {
            long count = product(tasks, slot);
            long longest = 0;
            for (Coef c : shared) longest = Math.max(longest, number(c, slot));
            int threads = team(longest, count);
            int least = Math.clamp(powerOf2(count), 1, Math.max(1, 32 / threads));
            int teams = cooperates && threads > 32 ? 1 : teams(count, threads, least);
            long ctas = Math.min(MAX_CTAS, (count + teams - 1) / teams);
            if (scratchBytes == 0) return new Shape(threads, teams, ctas, 0, 0);
            ctas = Math.min(SCRATCH_THREADS / ((long) threads * teams), ctas);
            long own = teams * scratchBytes;
            return own <= SHARED_SCRATCH
                    ? new Shape(threads, teams, ctas, 0, (int) own)
                    : new Shape(threads, teams, ctas, ctas * own, 0);
        }

        private int team(long longest, long count) {
            if (shared.isEmpty() || longest <= 1) return 1;
            if (cooperates) return ofRow(longest, count, width, most);
            return Math.clamp(steps(longest, width), 1, most);
        }

        private static long steps(long elements, int width) {
            return powerOf2((elements + width - 1) / width);
        }

        /** Teams of a CTA that wait for nobody else: enough to fill it, but every multiprocessor is to have one. */
        private static int teams(long count, int threads, int least) {
            return Math.clamp(powerOf2(count / MULTIPROCESSORS), least, CTA / Math.min(threads, CTA));
        }

        /**
         * Threads that share a row: a power of two.
         *
         * @param longest elements of a row
         * @param rows how many there are
         */
        static int ofRow(long longest, long rows, int width, int most) {
            if (longest <= ALONE) return 1;
            long count = Math.min(rows, BUSY);
            long steps = steps(longest, width);
            int threads = Math.clamp(steps / STEPS, 32, most);
            int largest = Math.clamp(steps / 2, 32, most);
            while (threads < largest && threads * count < BUSY) threads *= 2;
            return threads;
        }

        /** Whether private memory may be in shared memory; then launches have no scratch memory. */
        boolean mayShareScratch() {
            return scratchBytes > 0 && scratchBytes <= SHARED_SCRATCH;
        }
    }

    /**
     * Teams of threads take rows that fit their registers.
     *
     * @param rows factors of the number of rows
     * @param threads of a team: a warp, or several that are a CTA
     */
    record RowTeams(List<Coef> rows, int threads) implements LaunchRule {
        /** Threads of a launch at most: some times as many as run at once, as what a team does first is not to cost as much as a row. */
        private static final long MOST = 4 * Teams.BUSY;

        public RowTeams {
            rows = List.copyOf(rows);
        }

        @Override
        public Shape shape(IntToLongFunction slot) {
            long count = product(rows, slot);
            int teams = threads > 32 ? 1 : Teams.teams(count, threads, 1);
            return new Shape(
                    threads, teams, Math.min(MOST / ((long) threads * teams), (count + teams - 1) / teams), 0, 0);
        }
    }

    /**
     * Each CTA takes tiles of a matrix in turn, and of each a part of the sum.
     *
     * @param batch variables whose extents multiply to the number of matrices
     * @param rows the same of the rows of one
     * @param columns the same of its columns
     * @param depth variables of the sum
     * @param form tiles, and parts of sums
     * @param bytes of a sum
     * @param most CTAs at most
     * @param sharedBytes dynamic shared memory
     */
    record Tiles(
            List<Var> batch,
            List<Var> rows,
            List<Var> columns,
            List<Var> depth,
            GemmSchedule form,
            int bytes,
            long most,
            int sharedBytes)
            implements LaunchRule {
        public Tiles {
            batch = List.copyOf(batch);
            rows = List.copyOf(rows);
            columns = List.copyOf(columns);
            depth = List.copyOf(depth);
        }

        @Override
        public Shape shape(IntToLongFunction slot) {
            check(rows, slot);
            check(columns, slot);
            check(depth, slot);
            long matrices = extents(batch, slot);
            long m = extents(rows, slot);
            long n = extents(columns, slot);
            GemmSchedule.Tile tile = form.tile();
            long down = (m + tile.rows() - 1) / tile.rows();
            long across = (n + tile.columns() - 1) / tile.columns();
            long count =
                    Math.multiplyExact(Math.multiplyExact(matrices, form.splits()), Math.multiplyExact(down, across));
            if (count > Integer.MAX_VALUE)
                throw new UnsupportedOperationException("a matrix product of " + count + " tiles, but kernels count to "
                        + Integer.MAX_VALUE + ": split its batch");
            long sums = form.splits() == 1 ? 0 : matrices * m * ((n + 3) / 4 * 4) * form.splits();
            return new Shape(form.threads(), 1, Math.min(most, count), sums * bytes, sharedBytes);
        }

        /** Where several variables share a direction of a matrix, positions are taken apart in 32 bits. */
        private static void check(List<Var> vars, IntToLongFunction slot) {
            if (vars.size() > 1 && extents(vars, slot) > Integer.MAX_VALUE) {
                String axes = vars.stream().map(Var::name).collect(Collectors.joining(", "));
                throw new UnsupportedOperationException("a matrix product with " + extents(vars, slot)
                        + " positions along the axes " + axes + ", but kernels count to " + Integer.MAX_VALUE
                        + " where several axes are one: split the largest");
            }
        }
    }

    /** Each thread takes 4 neighbouring columns of the rows of a product at a time; parameters as of {@link Tiles}. */
    record Rows(List<Var> batch, List<Var> rows, List<Var> columns) implements LaunchRule {
        public Rows {
            batch = List.copyOf(batch);
            rows = List.copyOf(rows);
            columns = List.copyOf(columns);
        }

        @Override
        public Shape shape(IntToLongFunction slot) {
            long fours = (extents(columns, slot) + 3) / 4;
            long count = extents(batch, slot) * extents(rows, slot) * fours;
            return new Shape(CTA, 1, Math.min(MAX_CTAS, (count + CTA - 1) / CTA), 0, 0);
        }
    }

    /**
     * Each CTA takes blocks of a matrix in turn.
     *
     * @param batch variables whose extents multiply to the number of matrices
     * @param rows that of the rows
     * @param columns that of the columns
     * @param down rows of a block
     * @param across columns of a block
     * @param threads of a CTA
     * @param rowScratchBytes scratch memory for each row of all blocks
     * @param sharedBytes dynamic shared memory
     */
    record Blocks(
            List<Var> batch,
            Var rows,
            Var columns,
            int down,
            int across,
            int threads,
            int rowScratchBytes,
            int sharedBytes)
            implements LaunchRule {
        public Blocks {
            batch = List.copyOf(batch);
        }

        @Override
        public Shape shape(IntToLongFunction slot) {
            long m = (number(rows.extent(), slot) + down - 1) / down;
            long n = (number(columns.extent(), slot) + across - 1) / across;
            long matrices = extents(batch, slot);
            long count = Math.multiplyExact(matrices, Math.multiplyExact(m, n));
            long scratch = Math.multiplyExact(matrices, m * down) * rowScratchBytes;
            return new Shape(threads, 1, Math.min(MAX_CTAS, count), scratch, sharedBytes);
        }

        static Blocks of(List<Var> batch, Var rows, Var columns, int down, int across, int threads) {
            return new Blocks(batch, rows, columns, down, across, threads, 0, 0);
        }

        Blocks withScratch(int rowBytes) {
            return new Blocks(batch, rows, columns, down, across, threads, rowBytes, sharedBytes);
        }

        Blocks withShared(int bytes) {
            return new Blocks(batch, rows, columns, down, across, threads, rowScratchBytes, bytes);
        }
    }

    /**
     * CTAs share the lines of a scan.
     *
     * @param lines factors of the number of lines
     * @param parts of each line, of which a CTA takes one at a time
     * @param threads of a CTA
     * @param scratchBytes for each line
     */
    record Parts(List<Coef> lines, int parts, int threads, long scratchBytes) implements LaunchRule {
        public Parts {
            lines = List.copyOf(lines);
        }

        @Override
        public Shape shape(IntToLongFunction slot) {
            long count = product(lines, slot);
            return new Shape(threads, 1, Math.min(MAX_CTAS, count * parts), count * scratchBytes, 0);
        }
    }

    /** The least power of two that is not below {@code n}. */
    static long powerOf2(long n) {
        return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
    }

    private static long product(List<Coef> factors, IntToLongFunction slot) {
        long p = 1;
        for (Coef c : factors) p = Math.multiplyExact(p, number(c, slot));
        return p;
    }

    /** How many positions variables have together. */
    static long extents(List<Var> vars, IntToLongFunction slot) {
        return product(vars.stream().map(Var::extent).toList(), slot);
    }

    /** The number that stands for a coefficient in a parameter block. */
    static long number(Coef c, IntToLongFunction slot) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s -> slot.applyAsLong(s.slot());
        };
    }
}
