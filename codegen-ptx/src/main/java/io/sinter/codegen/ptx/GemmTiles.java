// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.codegen.ptx.GemmSchedule.Tile;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Var;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntToLongFunction;
import java.util.stream.Stream;

/** Chooses the form of a matrix product. All numbers that choices are made by stand here. */
final class GemmTiles {
    /**
     * Tiles of each kind of instruction, the largest first. Where an operand comes by its own code, panels are smaller for each thread: elements on their
     * way, and what their addresses are made of, are in registers. All stages fit the shared memory of every target that they are for.
     *
     * @param bytes of an operand's element
     * @param source how operands come; CODE if one of them does
     */
    private record Row(Math math, int bytes, Source source, Tile tile) {}

    private static final List<Row> TABLE = List.of(
            new Row(Math.BF16, 2, Source.TENSOR, new Tile(128, 256, 64, 8, 1, 4)),
            new Row(Math.BF16, 2, Source.TENSOR, new Tile(128, 128, 64, 8, 1, 5)),
            new Row(Math.F16, 2, Source.TENSOR, new Tile(128, 256, 64, 8, 1, 4)),
            new Row(Math.F16, 2, Source.TENSOR, new Tile(128, 128, 64, 8, 1, 5)),
            new Row(Math.BF16, 2, Source.ASYNC, new Tile(128, 256, 32, 2, 4, 4)),
            new Row(Math.BF16, 2, Source.ASYNC, new Tile(128, 128, 32, 2, 4, 4)),
            new Row(Math.BF16, 2, Source.ASYNC, new Tile(64, 64, 32, 2, 2, 4)),
            new Row(Math.BF16, 2, Source.CODE, new Tile(128, 128, 16, 2, 4, 3)),
            new Row(Math.BF16, 2, Source.CODE, new Tile(64, 64, 32, 4, 2, 3)),
            new Row(Math.F16, 2, Source.ASYNC, new Tile(128, 256, 32, 2, 4, 4)),
            new Row(Math.F16, 2, Source.ASYNC, new Tile(128, 128, 32, 2, 4, 4)),
            new Row(Math.F16, 2, Source.ASYNC, new Tile(64, 64, 32, 2, 2, 4)),
            new Row(Math.F16, 2, Source.CODE, new Tile(128, 128, 16, 2, 4, 3)),
            new Row(Math.F16, 2, Source.CODE, new Tile(64, 64, 32, 4, 2, 3)),
            new Row(Math.TF32, 4, Source.ASYNC, new Tile(128, 256, 16, 2, 4, 4)),
            new Row(Math.TF32, 4, Source.ASYNC, new Tile(128, 128, 32, 2, 4, 3)),
            new Row(Math.TF32, 4, Source.ASYNC, new Tile(64, 64, 16, 2, 2, 4)),
            new Row(Math.TF32, 4, Source.CODE, new Tile(128, 128, 16, 2, 4, 3)),
            new Row(Math.TF32, 4, Source.CODE, new Tile(64, 64, 16, 4, 2, 3)),
            new Row(Math.F64, 8, Source.ASYNC, new Tile(64, 64, 16, 2, 2, 3)),
            new Row(Math.F64, 8, Source.ASYNC, new Tile(32, 32, 16, 4, 1, 3)),
            new Row(Math.F64, 8, Source.CODE, new Tile(64, 64, 16, 4, 2, 2)),
            new Row(Math.F64, 8, Source.CODE, new Tile(32, 32, 16, 4, 1, 2)),
            new Row(Math.FMA, 4, Source.ASYNC, new Tile(128, 128, 32, 4, 2, 3)),
            new Row(Math.FMA, 4, Source.ASYNC, new Tile(64, 64, 32, 4, 2, 3)),
            new Row(Math.FMA, 4, Source.CODE, new Tile(128, 128, 8, 4, 2, 2)),
            new Row(Math.FMA, 4, Source.CODE, new Tile(64, 64, 16, 4, 2, 2)),
            new Row(Math.FMA, 8, Source.ASYNC, new Tile(64, 64, 16, 4, 2, 2)),
            new Row(Math.FMA, 8, Source.CODE, new Tile(64, 64, 16, 4, 2, 2)));

    /**
     * Tiles that are measured beside those of the table, for arithmetic does not say whether they are better: longer stages, of which there are fewer barriers; the
     * same turned; smaller CTAs, several of which are on a multiprocessor and wait for themselves alone. Some fit the shared memory of large GPUs only.
     */
    private static final List<Row> OTHERS = Stream.of(Math.BF16, Math.F16)
            .flatMap(m -> Stream.of(
                    new Row(m, 2, Source.ASYNC, new Tile(128, 256, 64, 2, 4, 3)),
                    new Row(m, 2, Source.ASYNC, new Tile(128, 256, 64, 2, 4, 4)),
                    new Row(m, 2, Source.ASYNC, new Tile(256, 128, 32, 4, 2, 4)),
                    new Row(m, 2, Source.ASYNC, new Tile(128, 128, 32, 2, 2, 4)),
                    new Row(m, 2, Source.ASYNC, new Tile(128, 128, 64, 2, 2, 3))))
            .toList();

    /** A tile is taken if its CTAs keep at least so many hundredths of the multiprocessors busy; else a smaller one, if there is. */
    private static final int BUSY = 50;

    /** Most parts of a sum. */
    private static final int MAX_SPLITS = 32;

    /** Stages of k that a part has at least: what the second kernel costs is to be small beside it. */
    private static final int MIN_STAGES = 8;

    /** Bytes of all parts, at most. */
    private static final long MAX_SCRATCH = 64L << 20;

    /** Seconds that a second kernel takes before it reads anything. */
    private static final double SECOND_KERNEL = 3e-6;

    /** Of memory, of which a sum's parts are written once and read once. */
    private static final double BYTES_PER_SECOND = 3e12;

    private GemmTiles() {}

    /** The form for the launches whose numbers and addresses stand in a parameter block. */
    static GemmSchedule choose(GemmKernel kernel, IntToLongFunction slot, Target target, MatmulPrecision precision) {
        Math math = math(kernel, precision);
        long rows = LaunchRule.extents(kernel.m(), slot);
        long columns = LaunchRule.extents(kernel.n(), slot);
        long batch = LaunchRule.extents(kernel.batch(), slot);
        long depth = LaunchRule.extents(kernel.k(), slot);
        GemmOperand a = GemmOperand.left(kernel);
        GemmOperand b = GemmOperand.right(kernel);
        if (target.hasWarpgroupMma()
                && isTensor(a, math, kernel.batch(), slot)
                && isTensor(b, math, kernel.batch(), slot)) {
            Tile tile = tile(tiles(math, kernel.acc(), Source.TENSOR), rows, columns, batch, target);
            if (tile != null && depth >= tile.depth())
                return new GemmSchedule(math, tile, Source.TENSOR, Source.TENSOR, 1);
        }
        Source left = source(a, b, math, slot);
        Source right = source(b, a, math, slot);
        List<Tile> all = tiles(math, kernel.acc(), left == right ? left : Source.CODE);
        Tile tile = tile(all, rows, columns, batch, target);
        if (tile == null) tile = all.getLast();
        long tiles = batch * count(rows, tile.rows()) * count(columns, tile.columns());
        int parts = splits(math, tile, tiles, batch * rows * columns, depth, target);
        return new GemmSchedule(math, tile, left, right, parts);
    }

    /** The forms that a launch may take, the one that the table gives first: other tiles, other numbers of parts. */
    static List<GemmSchedule> all(GemmKernel kernel, IntToLongFunction slot, Target target, MatmulPrecision precision) {
        Set<GemmSchedule> all = new LinkedHashSet<>();
        all.add(choose(kernel, slot, target, precision));
        Math math = math(kernel, precision);
        long rows = LaunchRule.extents(kernel.m(), slot);
        long columns = LaunchRule.extents(kernel.n(), slot);
        long batch = LaunchRule.extents(kernel.batch(), slot);
        long depth = LaunchRule.extents(kernel.k(), slot);
        if (batch * rows * columns == 0 || depth == 0) return List.copyOf(all);
        GemmOperand a = GemmOperand.left(kernel);
        GemmOperand b = GemmOperand.right(kernel);
        if (target.hasWarpgroupMma()
                && isTensor(a, math, kernel.batch(), slot)
                && isTensor(b, math, kernel.batch(), slot)) {
            for (Tile t : tiles(math, kernel.acc(), Source.TENSOR))
                if (depth >= t.depth()) all.add(new GemmSchedule(math, t, Source.TENSOR, Source.TENSOR, 1));
        }
        Source left = source(a, b, math, slot);
        Source right = source(b, a, math, slot);
        for (Tile t : measured(math, kernel.acc(), left == right ? left : Source.CODE, target)) {
            long ctas = batch * count(rows, t.rows()) * count(columns, t.columns());
            long stages = count(depth, t.depth());
            for (int splits = 1; splits <= MAX_SPLITS; splits *= 2) {
                boolean pays = stages >= 2L * splits && ctas * splits <= 2L * target.multiprocessors();
                if (splits == 1 || pays) all.add(new GemmSchedule(math, t, left, right, splits));
            }
        }
        return List.copyOf(all);
    }

    /** Whether tensor copies can bring an operand. */
    static boolean isTensor(GemmOperand o, Math math, List<Var> batch, IntToLongFunction slot) {
        if (math != Math.BF16 && math != Math.F16 || !o.copies(math) || !o.isAligned(slot)) return false;
        TensorRule rule = TensorPanel.rule(o, batch, math, TensorPanel.LINE);
        return rule != null && rule.fits(slot);
    }

    /** A form that any launch may take. */
    static GemmSchedule any(GemmKernel kernel, MatmulPrecision precision) {
        Math math = math(kernel, precision);
        Tile tile = tiles(math, kernel.acc(), Source.CODE).getLast();
        return new GemmSchedule(math, tile, Source.CODE, Source.CODE, 1);
    }

    /** The instructions for a product's operands: those of their elements in memory. What is f32 is multiplied as f32 unless asked otherwise. */
    private static Math math(GemmKernel kernel, MatmulPrecision precision) {
        DType left = GemmOperand.left(kernel).element();
        DType right = GemmOperand.right(kernel).element();
        return switch (kernel.acc()) {
            case F64 -> Math.F64;
            case F32 -> {
                if (left == right && left == DType.BF16) yield Math.BF16;
                if (left == right && left == DType.F16) yield Math.F16;
                yield precision == MatmulPrecision.HIGHEST ? Math.FMA : Math.TF32;
            }
            case I64, I32, I16, I8, U8, BOOL, F16, BF16 -> Math.FMA;
        };
    }

    /** The tiles that there are for a product, the largest first. */
    static List<Tile> tiles(Math math, DType acc, Source source) {
        return tiles(TABLE, math, acc, source).toList();
    }

    /** The same, and those that are measured beside them if a target has the shared memory for them. */
    static List<Tile> measured(Math math, DType acc, Source source, Target target) {
        Stream<Tile> others = tiles(OTHERS, math, acc, source)
                .filter(t -> (long) t.stages()
                                * (t.rows() + t.columns())
                                * t.depth()
                                * math.type().bytes()
                        <= target.sharedBytes());
        return Stream.concat(tiles(TABLE, math, acc, source), others).toList();
    }

    private static Stream<Tile> tiles(List<Row> table, Math math, DType acc, Source source) {
        return table.stream()
                .filter(r -> r.math == math && r.source == source && (math != Math.FMA || r.bytes == acc.bytes()))
                .map(Row::tile);
    }

    /** The first that suits; null if none does. */
    private static Tile tile(List<Tile> all, long rows, long columns, long batch, Target target) {
        for (Tile t : all) {
            long ctas = batch * count(rows, t.rows()) * count(columns, t.columns());
            boolean fits = rows > t.rows() / 2 && columns > t.columns() / 2;
            if (fits && 100 * ctas >= (long) BUSY * target.multiprocessors()) return t;
        }
        return null;
    }

    /** How an operand comes beside another. The lines along k that plain multiply-adds read are long: there are tiles for them only where both are copied. */
    private static Source source(GemmOperand o, GemmOperand other, Math math, IntToLongFunction slot) {
        boolean alone = math == Math.FMA && o.alongK() && !canCopy(other, math, slot);
        return canCopy(o, math, slot) && !alone ? Source.ASYNC : Source.CODE;
    }

    private static boolean canCopy(GemmOperand o, Math math, IntToLongFunction slot) {
        return o.copies(math) && o.isAligned(slot);
    }

    /**
     * Parts of the sums: as many as make the last wave of CTAs a small part of all, by an estimate of the time that the busiest multiprocessor takes, and of
     * the second kernel's. Few tiles of a long sum would else leave multiprocessors idle, and so would a few tiles more than there are multiprocessors.
     *
     * @param tiles of the result
     * @param results elements of the result, of all the batch
     */
    private static int splits(Math math, Tile tile, long tiles, long results, long depth, Target target) {
        long stages = count(depth, tile.depth());
        if (tiles == 0 || stages == 0) return 1;
        double whole = 2.0 * tile.rows() * tile.columns() * depth / flopsPerSecond(math);
        int best = 1;
        double least = Double.POSITIVE_INFINITY;
        for (int parts = 1; parts <= MAX_SPLITS; parts *= 2) {
            long bytes = parts == 1 ? 0 : parts * results * Float.BYTES;
            if (parts > 1 && (stages < (long) MIN_STAGES * parts || bytes > MAX_SCRATCH)) break;
            double seconds = count(tiles * parts, target.multiprocessors()) * whole / parts;
            if (parts > 1) seconds += SECOND_KERNEL + 2.0 * bytes / BYTES_PER_SECOND;
            if (seconds >= least) continue;
            least = seconds;
            best = parts;
        }
        return best;
    }

    /** What a multiprocessor reaches, roughly: an H200's rates by its number of multiprocessors. */
    private static double flopsPerSecond(Math math) {
        return switch (math) {
            case FMA -> 0.33e12;
            case F64 -> 0.25e12;
            case TF32 -> 1.0e12;
            case F16, BF16 -> 3.0e12;
        };
    }

    private static long count(long extent, long tile) {
        return (extent + tile - 1) / tile;
    }
}
