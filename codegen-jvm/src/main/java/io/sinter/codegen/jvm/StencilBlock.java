// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * Runs tasks of a convolution: see {@link StencilPlan}. One object serves one call of a kernel on one
 * worker.
 */
final class StencilBlock {
    /** Pixels in one pass over the rows of a weight's gradient: what their left operand takes stays in the first-level cache. */
    private static final int PASS = 256;

    private final GemmCode code;
    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final long params;
    private final long workspace;
    private final int size;
    private final long lanes;
    private final long tile;
    private final long table;
    private final long block;
    private final long left;
    private final long end;
    private final StencilStage stage;

    /** What the table is of, taps that there are included, and how many products. */
    private int tabledRows = -1;

    private int tabledHeight;
    private boolean tabledPacked;
    private final int[] limit = new int[3];
    private int products;

    /** Channels that are alone in their group; else null. */
    private final StencilPixels pixels;

    /** A weight's gradient of one output channel; else null. */
    private final StencilTaps gradientOfTaps;

    /** Products of a weight's gradient with few output channels; else null. */
    private final StencilDots dots;

    StencilBlock(GemmCode code, GemmTiles tiles, StencilPlan plan, long params, long scratch, long workspace) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.workspace = workspace;
        this.size = plan.size;
        int rows = plan.blockRows;
        int taps = plan.tapCount();
        lanes = scratch;
        tile = GemmPlan.align(lanes + BodyCompiler.LANE_AREA);
        table = GemmPlan.align(tile + (long) tiles.rows() * tiles.vectors() * plan.lanes * size);
        long staged =
                GemmPlan.align(table + 8L * Math.max(1, plan.pixelsInK ? plan.blockPlanes : plan.planesOfK) * taps);
        stage = new StencilStage(code, tiles, plan, params, lanes, staged);
        pixels = plan.byPixels ? new StencilPixels(tiles, plan, stage, stage.end()) : null;
        gradientOfTaps = plan.byTaps ? new StencilTaps(tiles, plan, stage, stage.end()) : null;
        block = pixels != null ? pixels.end() : gradientOfTaps != null ? gradientOfTaps.end() : stage.end();
        if (plan.pixelsInK) {
            left = GemmPlan.align(block + plan.sumRows() * plan.rowOfM());
            dots = plan.dots ? new StencilDots(code, tiles, plan, params, lanes, left) : null;
            long pixels = plan.dots ? dots.end() - left : (long) plan.columns(rows) * plan.rowOfM();
            long turned = plan.rowOfM() * plan.sumRows() + (long) plan.m * pitchOfRow();
            end = GemmPlan.align(left + Math.max(pixels, turned)) + plan.m * pitchOfRow();
        } else {
            dots = null;
            left = GemmPlan.align(block + (long) plan.columns(rows) * plan.blockM * size);
            end = GemmPlan.align(
                    left + (long) plan.planesOfK * taps * GemmPlan.roundUp(plan.blockM, plan.lanes) * size);
        }
    }

    private long pitchOfRow() {
        return GemmPlan.roundUp(Math.max(plan.pixels[2], plan.sumRows()), plan.lanes) * size;
    }

    long bytes() {
        return end - lanes;
    }

    // ---- convolution

    /** Some rows of pixels of one image, for some output channels. */
    void convolve(long task) {
        int heights = StencilPlan.ceilDiv(plan.m, plan.blockM);
        int first = (int) (task % heights) * plan.blockM;
        task /= heights;
        int blocks = StencilPlan.ceilDiv(plan.pixels[1], plan.blockRows);
        int y = (int) (task % blocks) * plan.blockRows;
        task /= blocks;
        int z = (int) (task % plan.pixels[0]);
        long batch = task / plan.pixels[0];
        int rows = Math.min(plan.blockRows, plan.pixels[1] - y);
        int height = Math.min(plan.blockM, plan.m - first);
        long[] place = stage.place(batch);
        int k = table(place, rows, height);
        int columns = plan.columns(rows);
        long blockRow = (long) columns * size;
        long a = place[0] == 0 ? left : place[0] + first * plan.leftRow;
        long aRow = place[0] == 0 ? size : plan.leftRow;
        if (place[0] == 0) pack(batch, first, height);
        long column = ((long) z * plan.pixels[1] + y) * plan.pixels[2];
        if (pixels != null) {
            int width = plan.pixels[2];
            long to = plan.direct ? plan.c.base(batch) + first * plan.c.rowStride() + column * size : block;
            pixels.rows(batch, z, y, rows, a, table, k, to, (long) (plan.direct ? width : plan.pitch) * size);
            if (!plan.direct) finish(batch, first, 1, column, rows);
            return;
        }
        stage.lay(batch, 0, plan.planesOfK, z, y, rows);
        if (k == 0) SinterKernelMoves.clear(block, height * blockRow);
        int panel = tiles.vectors() * plan.lanes;
        for (int r = 0; r < height && k > 0; r += tiles.rows()) {
            int high = Math.min(tiles.rows(), height - r);
            for (int c = 0; c < columns; c += panel) {
                int vectors = Math.min(panel, columns - c) / plan.lanes;
                long to = block + r * blockRow + (long) c * size;
                tiles.shifted(
                        high, vectors, a + r * aRow, aRow, table, stage.planes() + (long) c * size, to, blockRow, k);
            }
        }
        finish(batch, first, height, column, rows);
    }

    /** Hands the block over: {@code rows} rows of pixels from {@code column} on. */
    private void finish(long batch, int first, int height, long column, int rows) {
        int width = plan.pixels[2];
        long pitch = (long) plan.pitch * size;
        long blockRow = (long) plan.columns(rows) * size;
        if (plan.direct) {
            long to = plan.c.base(batch) + first * plan.c.rowStride() + column * size;
            for (int r = 0; r < height; r++) {
                long row = to + r * plan.c.rowStride();
                tiles.copy(block + r * blockRow, pitch, row, (long) width * size, rows, width, width);
            }
            return;
        }
        for (int r = 0; r < rows; r++, column += width) {
            long from = block + r * pitch;
            code.epilogue(params, batch, first, column, width, height, from, blockRow, lanes);
        }
    }

    /** Offsets in bytes into both operands for each product, of the taps that there are; how many products there are. */
    private int table(long[] place, int rows, int height) {
        boolean packs = place[0] == 0;
        boolean same = rows == tabledRows && height == tabledHeight && packs == tabledPacked;
        for (int d = 0; d < 3; d++) {
            long given = d < 3 - plan.spatial ? 1 : place[2 + 2 * (d - 3 + plan.spatial)];
            int there = (int) Math.min(plan.taps[d], given);
            same &= there == limit[d];
            limit[d] = there;
        }
        if (same) return products;
        tabledRows = rows;
        tabledHeight = height;
        tabledPacked = packs;
        int count = 0;
        long planeBytes = (long) plan.depth() * plan.plane(rows) * size;
        long packed = GemmPlan.roundUp(height, plan.lanes) * size;
        for (int p = 0; p < plan.planesOfK; p++) {
            long ofPlane = plan.leftOfPlane(p);
            for (int z = 0; z < limit[0]; z++) {
                for (int y = 0; y < limit[1]; y++) {
                    for (int x = 0; x < limit[2]; x++) {
                        long k = ((p * (long) plan.taps[0] + z) * plan.taps[1] + y) * plan.taps[2] + x;
                        long a = packs
                                ? k * packed
                                : ofPlane + z * plan.leftTaps[0] + y * plan.leftTaps[1] + x * plan.leftTaps[2];
                        long b = p * planeBytes + (long) plan.offset(rows, z, y, x) * size;
                        SinterKernelMoves.putInt(table + 8L * count, Math.toIntExact(a));
                        SinterKernelMoves.putInt(table + 8L * count + 4, Math.toIntExact(b));
                        count++;
                    }
                }
            }
        }
        products = count;
        return count;
    }

    /** A left operand that code must compute: its rows next to each other for each product. */
    private void pack(long batch, int first, int height) {
        int taps = plan.tapCount();
        int k = plan.planesOfK * taps;
        long step = GemmPlan.roundUp(height, plan.lanes) * size;
        if (!plan.a.isUnitColumn(size) || plan.a.isUnitRow(size)) {
            code.packA(false, params, batch, first, 0, height, k, left, step, lanes);
            return;
        }
        // Runs along k, row by row: turned as they are written, one short run at a time.
        int run = plan.taps[2];
        for (int j = 0; j < k; j += run) {
            for (int r = 0; r < height; r++) {
                code.packA(true, params, batch, first + r, j, run, 1, tile, run * (long) size, lanes);
                SinterKernelMoves.strided(size, tile, 0, size, left + j * step + (long) r * size, 0, step, 1, run);
            }
        }
    }

    // ---- the gradient of the weight

    /**
     * The sum over some images, for some channels: rows are channels and taps, columns are output channels,
     * the transpose of the result.
     */
    void gradient(long task) {
        int blocks = StencilPlan.ceilDiv(plan.planesOfN, plan.blockPlanes);
        int channel = (int) (task % blocks) * plan.blockPlanes;
        task /= blocks;
        int slice = (int) (task % plan.slices);
        long batch = task / plan.slices;
        int channels = Math.min(plan.blockPlanes, plan.planesOfN - channel);
        int taps = plan.tapCount();
        int perSlice = StencilPlan.ceilDiv(plan.planesOfK, plan.slices);
        long to = workspace
                + slice * plan.partialBytes()
                + (batch * plan.gradientRows() + (long) channel * taps) * plan.rowOfM();
        int last = Math.min(plan.planesOfK, (slice + 1) * perSlice);
        if (gradientOfTaps != null) {
            int image = Math.min(plan.planesOfK, slice * perSlice);
            gradientOfTaps.gradient(batch, image, last, channel, channels, to);
            return;
        }
        boolean first = true;
        for (int image = slice * perSlice; image < last; image++) {
            for (int z = 0; z < plan.pixels[0]; z++) {
                for (int y = 0; y < plan.pixels[1]; y += plan.blockRows) {
                    int rows = Math.min(plan.blockRows, plan.pixels[1] - y);
                    // Columns between rows meet zeros of the left operand, and must be numbers.
                    if (plan.step[2] > 1) SinterKernelMoves.clear(stage.planes(), plan.stageBytes(channels, rows));
                    stage.lay(batch, (long) image * plan.planesOfN + channel, channels, z, y, rows);
                    offsets(channels, rows);
                    int pixels = (rows - 1) * plan.pitch + plan.pixels[2];
                    if (dots != null) {
                        dots.left(batch, image, z, y, rows);
                        dots.products(stage.planes(), table, channels * taps, pixels, to, first);
                    } else {
                        turnLeft(batch, image, z, y, rows);
                        products(channels * taps, pixels, to, first);
                    }
                    first = false;
                }
            }
        }
        if (first) SinterKernelMoves.clear(to, channels * (long) taps * plan.rowOfM());
    }

    /** The left operand, pixels × rows; zeros between the rows of pixels. */
    private void turnLeft(long batch, int image, int z, int y, int rows) {
        long pixelBytes = plan.rowOfM();
        int padded = StencilPlan.roundUp(plan.m, plan.lanes);
        int width = plan.pixels[2];
        long turned = end - plan.m * pitchOfRow();
        for (int r = 0; r < rows; r++) {
            long k = ((image * (long) plan.pixels[0] + z) * plan.pixels[1] + y + r) * width;
            long to = left + (long) r * plan.pitch * pixelBytes;
            if (plan.a.isPlain() && plan.a.isUnitColumn(size)) {
                long from = plan.a.at(batch, 0, k);
                tiles.transpose(from, plan.a.rowStride(), to, pixelBytes, plan.m, width, padded);
            } else if (plan.a.isPlain()) {
                for (int x = 0; x < width; x++) {
                    SinterKernelMoves.strided(
                            size,
                            plan.a.at(batch, 0, k + x),
                            0,
                            plan.a.rowStride(),
                            to + x * pixelBytes,
                            0,
                            size,
                            1,
                            plan.m);
                }
                for (int x = 0; x < width; x++)
                    SinterKernelMoves.clear(
                            to + x * pixelBytes + (long) plan.m * size, (long) (padded - plan.m) * size);
            } else if (plan.a.isUnitColumn(size)) {
                code.packA(true, params, batch, 0, k, width, plan.m, turned, pitchOfRow(), lanes);
                tiles.transpose(turned, pitchOfRow(), to, pixelBytes, plan.m, width, padded);
            } else {
                code.packA(false, params, batch, 0, k, plan.m, width, to, pixelBytes, lanes);
                for (int x = 0; x < width; x++)
                    SinterKernelMoves.clear(
                            to + x * pixelBytes + (long) plan.m * size, (long) (padded - plan.m) * size);
            }
            if (r + 1 < rows && plan.pitch > width)
                SinterKernelMoves.clear(to + width * pixelBytes, (plan.pitch - width) * pixelBytes);
        }
    }

    /** Where each row of the gradient begins in the staged planes, in bytes. */
    private void offsets(int channels, int rows) {
        int count = 0;
        long planeBytes = (long) plan.depth() * plan.plane(rows) * size;
        for (int p = 0; p < channels; p++) {
            for (int z = 0; z < plan.taps[0]; z++) {
                for (int y = 0; y < plan.taps[1]; y++) {
                    for (int x = 0; x < plan.taps[2]; x++) {
                        long at = p * planeBytes + (long) plan.offset(rows, z, y, x) * size;
                        SinterKernelMoves.putInt(table + 4L * count++, Math.toIntExact(at));
                    }
                }
            }
        }
    }

    private void products(int rows, int pixels, long to, boolean first) {
        long rowBytes = plan.rowOfM();
        int columns = StencilPlan.roundUp(plan.m, plan.lanes);
        int panel = tiles.vectors() * plan.lanes;
        for (int k = 0; k < pixels; k += PASS) {
            int depth = Math.min(PASS, pixels - k);
            for (int c = 0; c < columns; c += panel) {
                int vectors = Math.min(panel, columns - c) / plan.lanes;
                long b = left + k * rowBytes + (long) c * size;
                for (int r = 0; r < rows; r += tiles.rows()) {
                    int high = Math.min(tiles.rows(), rows - r);
                    long at = to + r * rowBytes + (long) c * size;
                    long a = stage.planes() + (long) k * size;
                    boolean adds = !first || k > 0;
                    tiles.gathered(adds, high, vectors, a, table + 4L * r, b, rowBytes, at, rowBytes, depth);
                }
            }
        }
    }

    /** Adds up the parts of some rows and turns them. */
    void sum(long task) {
        int strips = StencilPlan.ceilDiv(plan.gradientRows(), plan.sumRows());
        long batch = task / strips;
        int first = (int) (task % strips) * plan.sumRows();
        int rows = Math.min(plan.sumRows(), plan.gradientRows() - first);
        long step = plan.rowOfM();
        int width = (int) (step / size);
        long from = workspace + (batch * plan.gradientRows() + first) * step;
        if (plan.slices > 1) {
            tiles.copy(from, step, block, step, rows, width, width);
            for (int s = 1; s < plan.slices; s++)
                tiles.add(from + s * plan.partialBytes(), step, block, step, rows, width / plan.lanes);
            from = block;
        }
        if (plan.direct) {
            long to = plan.c.base(batch) + (long) first * size;
            tiles.transpose(from, step, to, plan.c.rowStride(), rows, plan.m, rows);
            return;
        }
        long turnedRow = GemmPlan.roundUp(rows, plan.lanes) * size;
        tiles.transpose(from, step, left, turnedRow, rows, plan.m, rows);
        long inner = plan.c.innerColumn();
        for (int done = 0; done < rows; ) {
            int run = (int) Math.min(rows - done, inner - (first + done) % inner);
            long at = left + (long) done * size;
            code.epilogue(params, batch, 0, first + done, run, plan.m, at, turnedRow, lanes);
            done += run;
        }
    }
}
