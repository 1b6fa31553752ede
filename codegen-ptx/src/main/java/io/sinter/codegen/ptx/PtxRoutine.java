// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.RoutineKernel.MergeParts;
import io.sinter.codegen.ptx.RoutineKernel.SortTiles;
import io.sinter.codegen.ptx.RoutineKernel.Stage;
import io.sinter.codegen.ptx.RoutineKernel.WindowMaxima;
import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@link Routine} is on a GPU: launches of kernels written by hand, one after another, with scratch memory that is theirs until the last of them.
 * Which launches these are follows from the operator and its operand's type alone.
 *
 * <p>A row that fits a tile is sorted by one kernel. Longer rows are sorted tile by tile, and sorted parts merged in pairs until one is left. Of the
 * {@code k} first elements of a long row no more than that many are kept of each tile, and what is kept is sorted again.
 */
public record PtxRoutine(List<Launch> launches, long scratchBytes) {
    /** Threads of a CTA at most. */
    static final int MAX_THREADS = 512;

    /** Items that one CTA sorts or merges. */
    static final int TILE = 2048;

    /** Most elements that are selected by sorting again what tiles keep; of more, the whole row is sorted. */
    private static final long MOST_SELECTED = TILE / 4;

    /** A parameter of a launch. */
    public sealed interface Argument {
        /** The address of the operand or of a result. */
        enum Operand implements Argument {
            INPUT,
            VALUES,
            PLACES
        }

        /** An address so many bytes from the beginning of scratch memory. */
        record Scratch(long offset) implements Argument {}

        record Number(long value) implements Argument {}
    }

    /** A launch; {@code arguments} are 64 bits each. */
    public record Launch(RoutineKernel kernel, LaunchRule.Shape shape, List<Argument> arguments) {
        public Launch {
            arguments = List.copyOf(arguments);
        }
    }

    public PtxRoutine {
        launches = List.copyOf(launches);
    }

    /** Whether keys of a type have 64 bits. */
    static boolean hasWideKeys(DType t) {
        return t == DType.F64 || t == DType.I64;
    }

    /**
     * The launches that run an operator.
     *
     * @param in type of its operand
     * @throws IllegalArgumentException if rows are too long to be sorted
     */
    public static PtxRoutine of(Routine op, Type in) {
        return switch (op) {
            case Sort s -> sorted(s, in, s.axis(), in.dim(s.axis()), s.descending());
            case TopK t -> sorted(t, in, t.axis(), t.k(), t.largest());
            case MaxPool p -> pooled(p, in);
        };
    }

    // ---- sorts

    /** Two places in scratch memory for the items of all rows, of which kernels read one and write the other. */
    private record Items(DType dtype, long most) {
        long bytes() {
            return most * (Long.BYTES + (hasWideKeys(dtype) ? Integer.BYTES : 0)) + 255 & -256;
        }

        Argument keys(int number) {
            return new Argument.Scratch(number * bytes());
        }

        Argument places(int number) {
            return new Argument.Scratch(number * bytes() + most * Long.BYTES);
        }
    }

    /** Rows, and what of them. */
    private record Rows(long count, long elements, long step, long shown) {}

    private static PtxRoutine sorted(Routine op, Type in, int axis, long k, boolean descending) {
        long n = in.dim(axis);
        if (n > Integer.MAX_VALUE - 8)
            throw new IllegalArgumentException(
                    op.name() + " of " + in + " along axis " + axis + ": at most 2^31 - 9 elements along the axis");
        Shape s = in.shape();
        long step = 1;
        for (int i = axis + 1; i < s.rank(); i++) step *= s.dim(i);
        Rows rows = new Rows(n == 0 ? 0 : s.numel() / n, n, step, k);
        if (rows.count == 0 || k == 0) return new PtxRoutine(List.of(), 0);
        DType t = in.dtype();
        if (n <= TILE) {
            Items none = new Items(t, 0);
            Launch only = tiles(new SortTiles(t, descending, Stage.ONLY), rows, none, 0, n, k);
            return new PtxRoutine(List.of(only), 0);
        }
        return k <= MOST_SELECTED ? selected(t, rows, descending) : merged(t, rows, descending);
    }

    private static long tilesOf(long n) {
        return (n + TILE - 1) / TILE;
    }

    private static PtxRoutine selected(DType t, Rows rows, boolean descending) {
        long k = rows.shown;
        Items items = new Items(t, rows.count * tilesOf(rows.elements) * k);
        List<Launch> all = new ArrayList<>();
        long left = rows.elements;
        int from = 1;
        for (Stage stage = Stage.FIRST; left > TILE; stage = Stage.INNER) {
            all.add(tiles(new SortTiles(t, descending, stage), rows, items, from, left, k));
            left = tilesOf(left) * k;
            from = 1 - from;
        }
        all.add(tiles(new SortTiles(t, descending, Stage.LAST), rows, items, from, left, k));
        return new PtxRoutine(all, 2 * items.bytes());
    }

    private static PtxRoutine merged(DType t, Rows rows, boolean descending) {
        long padded = tilesOf(rows.elements) * TILE;
        Items items = new Items(t, rows.count * padded);
        List<Launch> all = new ArrayList<>();
        all.add(tiles(new SortTiles(t, descending, Stage.FIRST), rows, items, 1, rows.elements, TILE));
        int from = 0;
        for (long part = TILE; part < padded; part *= 2) {
            Stage stage = 2 * part < padded ? Stage.INNER : Stage.LAST;
            long units = rows.count * (padded / TILE);
            all.add(new Launch(
                    new MergeParts(t, stage),
                    new LaunchRule.Shape(LaunchRule.CTA, 1, Math.min(LaunchRule.MAX_CTAS, units), 0, 0),
                    arguments(rows, items, from, units, TILE, padded / TILE, padded, part)));
            from = 1 - from;
        }
        return new PtxRoutine(all, 2 * items.bytes());
    }

    /**
     * A launch that sorts tiles.
     *
     * @param from which of the items are read; the others are written
     * @param length of a row of what is read
     * @param kept items of each tile that are written
     */
    private static Launch tiles(SortTiles kernel, Rows rows, Items items, int from, long length, long kept) {
        int tile = (int) Math.min(TILE, LaunchRule.powerOf2(Math.max(2, length)));
        long perRow = (length + tile - 1) / tile;
        long units = rows.count * perRow;
        int threads = Math.min(MAX_THREADS, tile / 2);
        int teams = Math.clamp(LaunchRule.powerOf2(units), 1, Math.max(1, LaunchRule.CTA / threads));
        long ctas = Math.min(LaunchRule.MAX_CTAS, (units + teams - 1) / teams);
        return new Launch(
                kernel,
                new LaunchRule.Shape(threads, teams, ctas, 0, 0),
                arguments(rows, items, from, units, tile, perRow, length, kept));
    }

    /** The parameters of both kernels, in the order in which {@link SortEmitter} has them. */
    private static List<Argument> arguments(
            Rows rows, Items items, int from, long units, long tile, long tilesPerRow, long length, long kept) {
        List<Argument> all = new ArrayList<>(List.of(Argument.Operand.values()));
        for (int i : new int[] {from, 1 - from}) {
            all.add(items.keys(i));
            all.add(items.places(i));
        }
        for (long n : new long[] {units, tile, tilesPerRow, rows.elements, length, rows.step, kept, rows.shown})
            all.add(new Argument.Number(n));
        return all;
    }

    // ---- pooling

    private static PtxRoutine pooled(MaxPool op, Type in) {
        Type after = op.infer(List.of(in)).getFirst();
        long count = after.numel();
        if (count == 0) return new PtxRoutine(List.of(), 0);
        int lead = in.rank() - op.axes();
        long plane = 1;
        long windows = 1;
        List<Long> axes = new ArrayList<>();
        for (int a = 0; a < op.axes(); a++) {
            long before = in.dim(lead + a);
            plane *= before;
            windows *= after.dim(lead + a);
            axes.addAll(List.of(
                    before, after.dim(lead + a), op.kernel()[a], op.stride()[a], op.padLow()[a], op.dilation()[a]));
        }
        List<Argument> arguments = new ArrayList<>(List.of(Argument.Operand.values()));
        for (long n : new long[] {count, windows, plane}) arguments.add(new Argument.Number(n));
        for (long n : axes) arguments.add(new Argument.Number(n));
        long ctas = Math.min(LaunchRule.MAX_CTAS, (count + LaunchRule.CTA - 1) / LaunchRule.CTA);
        Launch only = new Launch(
                new WindowMaxima(in.dtype(), op.axes()),
                new LaunchRule.Shape(LaunchRule.CTA, 1, ctas, 0, 0),
                arguments);
        return new PtxRoutine(List.of(only), 0);
    }
}
