// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.util.stream.IntStream;

/**
 * How one launch of a matrix product is cut. One operand is the <em>wide</em> one: rows of its panels are
 * loaded as vectors. Of the other, the <em>tall</em> one, single elements are broadcast. The product that
 * is computed, tall × wide, is the result or (when b is tall) its transpose.
 *
 * <p>What decides about the result's bits (which operand is wide, the blocks along k, the slices of k)
 * depends on extents and strides alone; the cut into tasks depends on the number of processors too, and
 * changes no bit.
 */
final class GemmPlan {
    /**
     * Products in one pass along k, at most: a panel of b is then 256 KB and comes from the second-level cache while a tile's rows of a, 4 KB each, pass.
     * From shorter passes' panels products come no faster, and each pass loads and stores all sums.
     */
    static final int K_BLOCK = 1024;

    /** The same if the tall operand is packed: then a block must have many panels for which one packing serves. */
    private static final int SHORT_K_BLOCK = 256;

    /** Rows or columns that are so many bytes apart, or more, fall into few sets of the caches. */
    private static final int FAR = 8192;

    /** Slices of k are whole multiples of it. */
    private static final int SLICE_UNIT = 256;

    /** And passes of this. */
    private static final int K_UNIT = 64;

    /** Up to so many rows of tiles the wide operand is read where it lies: packing it costs as much as some 25 rows of tiles lose without. */
    private static final long FEW_TILES = 6;

    /** Products that make a task worth its dispatch. */
    private static final double SMALL_TASK = 1 << 18;

    /** Rows of the tall operand that are packed at a time, at most. */
    private static final int STRIP_ROWS = 96;

    /** And elements: they stay in the second-level cache beside the wide operand. */
    private static final int STRIP = STRIP_ROWS * SHORT_K_BLOCK;

    /** Panels in a block from which on it is worth packing a tall operand that lies far apart. */
    private static final int MANY_PANELS = 3;

    /** Rows of a block, for which one packing of the wide operand serves. */
    private static final int MAX_ROWS = 1024;

    /** Bytes of the wide operand that a block packs at a time. */
    private static final long WIDE_BYTES = CpuCaches.L2 / 2;

    /** Extents of a block as {@link #slices} counts them, which must not depend on the processor. */
    private static final int SLICE_LENGTH = 384;

    private static final int SLICE_WIDTH = 256;

    /**
     * At most this many rows on the smaller side are multiplied by dot products along k rather than by
     * tiles.
     */
    private static final int DOT_SIDE = 8;

    /** The same if a form asks for them: with more rows they are out of the question. */
    private static final int MOST_DOT_SIDE = 32;

    /** The most bytes of all slices' results that a form may ask for. */
    private static final long PARTIAL_BYTES = 64 << 20;

    /** Slices of k are made for results that give fewer blocks than this. */
    private static final int FEW_BLOCKS = 8;

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    final long batches;
    final long m;
    final long n;
    final long k;
    final GemmView a;
    final GemmView b;
    final GemmView c;

    /** b is the tall operand: the product is the transpose of the result. */
    final boolean swapped;

    /** Both operands are contiguous along k and one has few rows. */
    final boolean dots;

    /** The epilogue only stores: results may go where they belong at once. */
    final boolean direct;

    final GemmView tall;
    final GemmView wide;
    final long rows;
    final long columns;

    /** Panels of the wide operand are packed; else read where they lie. */
    final boolean packsWide;

    /** Products in one pass along k. */
    final int kBlock;

    /** Rows of the tall operand that are packed at a time, if it is. */
    final int stripRows;

    /** Rows and columns of a task's block, and how many blocks there are along both. */
    final int blockRows;

    final int blockColumns;
    final long rowBlocks;
    final long columnBlocks;

    /** Slices of k, each {@link #sliceLength} long but for the last. */
    final long slices;

    final long sliceLength;
    final int size;
    final int lanes;

    /** Columns of a panel. */
    final int panel;

    /**
     * @param numbers of the launch, as {@link GemmCode#numbers} gives them
     * @param form what is not to be chosen here
     */
    GemmPlan(long[] numbers, GemmTiles tiles, GemmForm form) {
        int nb = (int) numbers[0];
        int nm = (int) numbers[1];
        int nn = (int) numbers[2];
        int nk = (int) numbers[3];
        long[] batchExtents = extents(numbers, 4, nb);
        long[] ms = extents(numbers, 4 + nb, nm);
        long[] ns = extents(numbers, 4 + nb + nm, nn);
        long[] ks = extents(numbers, 4 + nb + nm + nn, nk);
        batches = product(batchExtents);
        m = product(ms);
        n = product(ns);
        k = product(ks);
        int at = 4 + nb + nm + nn + nk;
        a = new GemmView(numbers, at, batchExtents, ms, ks);
        at += GemmView.length(nb, nm, nk);
        b = new GemmView(numbers, at, batchExtents, ns, ks);
        at += GemmView.length(nb, nn, nk);
        c = new GemmView(numbers, at, batchExtents, ms, ns);
        size = tiles.dtype().bytes();
        lanes = tiles.lanes();
        panel = tiles.vectors() * lanes;
        direct = c.isLinear() && c.isUnitColumn(size);
        double straight = cost(a, m, b, n, 0, tiles.rows());
        double turned = cost(b, n, a, m, direct ? 0.3 : 0.5, tiles.rows());
        boolean contiguous = a.isLinear() && a.isUnitColumn(size) && b.isLinear() && b.isUnitColumn(size) && k > 1;
        int dotSide = form.asksFor(GemmForm.Method.DOTS) ? MOST_DOT_SIDE : DOT_SIDE;
        boolean tilesOnly = form.asksFor(GemmForm.Method.TILES);
        dots = contiguous && !tilesOnly && Math.min(m, n) <= dotSide && k >= lanes;
        swapped = dots ? n > m : form.side() == null ? turned < straight : form.side() == GemmForm.Side.TURNED;
        tall = swapped ? b : a;
        wide = swapped ? a : b;
        rows = swapped ? n : m;
        columns = swapped ? m : n;
        boolean inPlace = form.wide() == null
                ? readsWide(wide, rows, tiles.rows())
                : form.wide() == GemmForm.Wide.IN_PLACE && canReadWide(wide);
        packsWide = !inPlace;
        slices = dots ? 1 : form.slices() > 0 ? slices(Math.min(form.slices(), mostSlices())) : slices();
        sliceLength = roundUp(ceilDiv(k, slices), SLICE_UNIT);
        kBlock = form.depth() > 0 ? form.depth() : (int) even(Math.min(k, sliceLength), K_UNIT, longestPass());
        stripRows = Math.clamp(STRIP / kBlock / tiles.rows() * tiles.rows(), 2 * tiles.rows(), STRIP_ROWS);
        int[] block = dots ? dotBlock() : block(tiles.rows(), form);
        blockRows = block[0];
        blockColumns = block[1];
        rowBlocks = ceilDiv(rows, blockRows);
        columnBlocks = ceilDiv(columns, blockColumns);
    }

    /** The plan of a launch of the same extents and strides at other addresses. */
    private GemmPlan(GemmPlan p, GemmView a, GemmView b, GemmView c) {
        batches = p.batches;
        m = p.m;
        n = p.n;
        k = p.k;
        this.a = a;
        this.b = b;
        this.c = c;
        swapped = p.swapped;
        dots = p.dots;
        direct = p.direct;
        tall = swapped ? b : a;
        wide = swapped ? a : b;
        rows = p.rows;
        columns = p.columns;
        packsWide = p.packsWide;
        kBlock = p.kBlock;
        stripRows = p.stripRows;
        blockRows = p.blockRows;
        blockColumns = p.blockColumns;
        rowBlocks = p.rowBlocks;
        columnBlocks = p.columnBlocks;
        slices = p.slices;
        sliceLength = p.sliceLength;
        size = p.size;
        lanes = p.lanes;
        panel = p.panel;
    }

    /** Where in the {@link GemmCode#numbers} the address of a's view is; then those of b's and the result's. */
    static int[] addressesAt(long[] numbers) {
        int nb = (int) numbers[0];
        int nm = (int) numbers[1];
        int nn = (int) numbers[2];
        int nk = (int) numbers[3];
        int a = 4 + nb + nm + nn + nk + 1;
        int b = a + GemmView.length(nb, nm, nk);
        return new int[] {a, b, b + GemmView.length(nb, nn, nk)};
    }

    /** This plan for other addresses: which depends on nothing else, a step of a loop moves them. */
    GemmPlan at(long aAddress, long bAddress, long cAddress) {
        GemmView newA = a.at(aAddress);
        GemmView newB = b.at(bAddress);
        GemmView newC = c.at(cAddress);
        return newA == a && newB == b && newC == c ? this : new GemmPlan(this, newA, newB, newC);
    }

    private static long[] extents(long[] numbers, int at, int count) {
        return java.util.Arrays.copyOfRange(numbers, at, at + count);
    }

    private static long product(long[] extents) {
        long p = 1;
        for (long e : extents) p *= e;
        return p;
    }

    static long ceilDiv(long a, long b) {
        return (a + b - 1) / b;
    }

    /** The first address from this one on at which a cache line begins. */
    static long align(long address) {
        return (address + 63) & -64;
    }

    static long roundUp(long a, long to) {
        return ceilDiv(a, to) * to;
    }

    /**
     * Estimated cycles of one batch element with {@code wide} as the wide operand; turning the result
     * costs {@code turn} an element.
     */
    private double cost(GemmView tall, long rows, GemmView wide, long columns, double turn, int tileRows) {
        double products = (double) rows * roundUp(columns, lanes) / lanes * k;
        double packWide;
        if (readsWide(wide, rows, tileRows)) {
            packWide = 0;
        } else if (wide.isUnitRow(size)) {
            packWide = pack(wide, 0.25, 0.6, Math.min(wide.rowsAtOnce(), panel));
        } else if (wide.isUnitColumn(size)) {
            packWide = pack(wide, 0.35, 1, Math.min(wide.columnsAtOnce(), K_BLOCK));
        } else {
            packWide = 3;
        }
        double packTall;
        if (tall.isLinear()) {
            packTall = 0.1;
        } else if (tall.isUnitRow(size) || tall.isUnitColumn(size)) {
            long run = Math.max(
                    tall.isUnitRow(size) ? tall.rowsAtOnce() : 1, tall.isUnitColumn(size) ? tall.columnsAtOnce() : 1);
            packTall = pack(tall, 0.1, 0.6, Math.min(run, 64));
        } else {
            packTall = 3;
        }
        return products + packWide * columns * k + packTall * rows * k + turn * rows * columns;
    }

    /**
     * Slices of k: for results of few blocks that sum over many products, as gradients of weights do. A
     * function of the extents alone, because it decides in which order sums are made.
     */
    private long slices() {
        double blocks = (double) batches
                * ceilDiv(Math.max(rows, columns), SLICE_LENGTH)
                * ceilDiv(Math.min(rows, columns), SLICE_WIDTH);
        if (blocks >= FEW_BLOCKS || k < 8 * SLICE_UNIT) return 1;
        double byWork = (double) batches * rows * columns * k / (4 * SMALL_TASK);
        double byCount = 2 * FEW_BLOCKS / blocks;
        double wanted = Math.min(Math.min(byWork, byCount), k / (4.0 * SLICE_UNIT));
        return wanted < 2 ? 1 : slices((long) wanted);
    }

    /** With more slices than this their sums would be too much memory. */
    private long mostSlices() {
        return Math.max(1, PARTIAL_BYTES / Math.max(1, partialBytes()));
    }

    /** The most products in one pass along k. */
    private int longestPass() {
        boolean packsTall = mustPackTall() || !tall.isUnitColumn(size) && tall.columnStride() >= FAR;
        return packsWide && packsTall ? SHORT_K_BLOCK : K_BLOCK;
    }

    /** About so many slices of k, whole blocks each. */
    private long slices(long wanted) {
        return k <= SLICE_UNIT ? 1 : ceilDiv(k, roundUp(ceilDiv(k, wanted), SLICE_UNIT));
    }

    /** Blocks of at most {@code most}, as many as must be, of one size and a multiple of {@code unit}. */
    private static long even(long extent, long unit, long most) {
        long blocks = Math.max(1, ceilDiv(extent, most));
        return Math.max(1, roundUp(ceilDiv(extent, blocks), unit));
    }

    /** Cycles for an element that is packed: moved, or computed by generated code, in runs of {@code run}. */
    private static double pack(GemmView v, double moved, double generated, long run) {
        if (v.isLinear()) return moved;
        return v.isPlain() ? moved + 4.0 / run : generated + 8.0 / run;
    }

    private int[] block(int tileRows, GemmForm form) {
        long deep = Math.max(kBlock, SHORT_K_BLOCK);
        long widest = Math.max(panel, form.ofShare(WIDE_BYTES) / deep / size / panel * panel);
        long r = even(rows, tileRows, form.ofShare(MAX_ROWS));
        long c = even(columns, columns <= panel ? lanes : panel, widest);
        double depth = Math.min(k, sliceLength);
        // Every block of rows packs a panel of its own: for few columns that is as much as some ten rows.
        long least = (columns <= panel && packsWide ? 16L : 2L) * tileRows;
        while (batches * slices * ceilDiv(rows, r) * ceilDiv(columns, c) < 400L * PROCESSORS / form.share()
                && r * c * depth >= 2 * SMALL_TASK) {
            // What is read where it lies is best read by one worker, for all rows.
            boolean byRows = packsWide ? r >= c || c <= panel : c <= panel && ceilDiv(columns, c) < PROCESSORS;
            if (r > least && byRows) {
                r = roundUp(ceilDiv(r, 2), tileRows);
            } else if (c > panel) {
                c = roundUp(ceilDiv(c, 2), panel);
            } else {
                break;
            }
        }
        return new int[] {(int) r, (int) c};
    }

    /** Dot products read the tall operand once: tasks are runs of its rows. */
    private int[] dotBlock() {
        long r = Math.clamp(rows, 1, 1024);
        while (batches * ceilDiv(rows, r) < 4L * PROCESSORS && r > 8 && r * columns * k >= 2 * SMALL_TASK)
            r = ceilDiv(r, 2);
        return new int[] {(int) r, (int) Math.max(1, columns)};
    }

    long tasks() {
        return isEmpty() ? 0 : batches * slices * rowBlocks * columnBlocks;
    }

    /**
     * Rows of the next tile where {@code rows} are left. They are cut into as few tiles as can be, of even heights: a low one at the end would be slow for
     * its size.
     */
    static int height(int rows, int most) {
        return (int) ceilDiv(rows, ceilDiv(rows, most));
    }

    /** All heights of tiles that occur. */
    int[] heights(int most) {
        IntStream.Builder all = IntStream.builder();
        if (Math.min(rows, blockRows) > stripRows) heights(stripRows, most, all);
        if (rowBlocks > 1) heights(blockRows, most, all);
        heights(rows - (rowBlocks - 1) * blockRows, most, all);
        return all.build().distinct().toArray();
    }

    /** Those of the last strip of a block. */
    private void heights(long rows, int most, IntStream.Builder all) {
        int left = (int) ((rows - 1) % stripRows + 1);
        for (int height; left > 0; left -= height) {
            height = height(left, most);
            all.add(height);
        }
    }

    /** Whether there is nothing to compute. With k = 0 there is: zeros go through the epilogue. */
    boolean isEmpty() {
        return batches == 0 || m == 0 || n == 0;
    }

    /** Tasks of the second phase, which adds up slices: blocks of rows. */
    long sumTasks() {
        return slices == 1 || isEmpty() ? 0 : batches * ceilDiv(rows, sumRows());
    }

    int sumRows() {
        return Math.clamp(rows, 1, 32);
    }

    /** Elements from row to row of a slice's partial result. */
    long partialRow() {
        return roundUp(columns, lanes);
    }

    long partialBytes() {
        return batches * rows * partialRow() * size;
    }

    /** No tile can read the tall operand: its rows lie downwards (tiles of several rows go upwards), or only generated code can read it. */
    private boolean mustPackTall() {
        return !tall.isLinear() || tall.rowStride() < 0;
    }

    /** The tall operand is packed if it must be, or if its elements lie far apart and there are panels enough to be worth it. */
    boolean packsTall() {
        if (mustPackTall()) return true;
        long far = Math.max(tall.rowStride(), tall.columnStride());
        return blockColumns >= MANY_PANELS * panel && far >= FAR && k > 16;
    }

    /** The wide operand is read where it lies if few rows profit from packing it. */
    private boolean readsWide(GemmView wide, long rows, int tileRows) {
        return canReadWide(wide) && rows <= FEW_TILES * tileRows;
    }

    private boolean canReadWide(GemmView wide) {
        return wide.isPanels(size, panel);
    }

    /** All that is chosen, for a comparison of plans of one launch. */
    String choices() {
        return swapped + " " + dots + " " + packsWide + " " + kBlock + " " + slices + " " + blockRows + " "
                + blockColumns;
    }

    /** Extents, how the operands lie (n: contiguous along k, t: along the other side, s: neither, p: in pieces, g: read by generated code), and the cut. */
    @Override
    public String toString() {
        return (batches == 1 ? "" : batches + "×") + m + "×" + n + "×" + k + " " + form(a) + form(b)
                + (dots ? " dots" : swapped ? " turned" : "") + (direct ? " direct" : "")
                + " blocks " + rowBlocks + "×" + columnBlocks + (slices == 1 ? "" : " slices " + slices);
    }

    private String form(GemmView v) {
        return !v.isPlain() ? "g" : !v.isLinear() ? "p" : v.isUnitColumn(size) ? "n" : v.isUnitRow(size) ? "t" : "s";
    }
}
