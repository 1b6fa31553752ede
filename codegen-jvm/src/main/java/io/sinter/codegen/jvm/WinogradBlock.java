// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/** Runs tasks of a convolution by Winograd's algorithm: see {@link WinogradPlan}. One object serves one call of a kernel on one worker. */
final class WinogradBlock {
    private final GemmCode code;
    private final GemmTiles tiles;
    private final WinogradPlan plan;
    private final StencilPlan stencil;
    private final long params;
    private final long size;
    private final int vector;
    private final WinogradInput input;
    private final LinearMap filter;
    private final LinearMap output;

    /** Transformed weights: place, panel, input channel, output channel. */
    private final long filters;

    /** Bands, if they are transformed in a phase of their own: place, tile, input channel. */
    private final long bands;

    // Parts of scratch memory; the weights' phase has its own from {@link #base} on.
    private final long lanes;
    private final long base;
    private final long transformed;
    private final long products;
    private final long pixels;
    private final long turned;
    private final long end;

    /** @param filters of {@link WinogradPlan#filterBytes} bytes
     * @param bands of {@link WinogradPlan#inputBytes} bytes */
    WinogradBlock(
            GemmCode code, GemmTiles tiles, WinogradPlan plan, long params, long scratch, long filters, long bands) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.stencil = plan.stencil;
        this.params = params;
        this.filters = filters;
        this.bands = bands;
        size = stencil.size;
        vector = stencil.lanes;
        int bits = code.vectorBits();
        filter = WinogradMatrix.FILTER.map(bits);
        output = WinogradMatrix.OUTPUT.map(bits);
        lanes = scratch;
        base = GemmPlan.align(lanes + BodyCompiler.LANE_AREA);
        input = new WinogradInput(code, tiles, stencil, params, plan.inputChannels(), plan.bandRows, lanes, base);
        transformed = input.end();
        products = GemmPlan.align(transformed + (plan.sharesInput() ? 0 : plan.bandBytes()));
        pixels = GemmPlan.align(products + WinogradPlan.PLACES * plan.outputPlace());
        long most = StencilPlan.roundUp(bandPixels(plan.bandRows), vector);
        turned = GemmPlan.align(pixels + most * plan.panel * size);
        long blocks = GemmPlan.align(turned + most * plan.panel * size);
        long planes = (long) WinogradPlan.FILTER_PLANES * vector * size;
        end = Math.max(
                blocks,
                GemmPlan.align(
                        GemmPlan.align(base + 9 * planes) + Math.max(12 * planes, (long) vector * vector * size)));
    }

    long bytes() {
        return end - lanes;
    }

    /** Bytes of all input channels of one element. */
    private long pixelBytes() {
        return plan.channels * size;
    }

    /** Pixels of some rows of tiles, those beyond the image's edge included. */
    private int bandPixels(int rows) {
        return rows * WinogradPlan.PIXELS * plan.tilesX * WinogradPlan.PIXELS;
    }

    // ---- weights

    /** Transforms the weights of a vector of output channels. */
    void filters(long task) {
        int first = (int) task * vector;
        int count = Math.min(vector, stencil.m - first);
        long[] place = new long[8];
        code.place(params, 0, place);
        long lane = vector * size;
        long weights = base;
        long half = GemmPlan.align(weights + 9L * WinogradPlan.FILTER_PLANES * lane);
        long panelRow = plan.panel * size;
        long to = filters + first / plan.panel * plan.panelBytes() + first % plan.panel * size;
        for (int p = 0; p < stencil.planesOfK; p += WinogradPlan.FILTER_PLANES) {
            int planes = Math.min(WinogradPlan.FILTER_PLANES, stencil.planesOfK - p);
            turnWeights(place[0], first, count, p, planes, weights);
            // Taps in the order of the positions that they see.
            long fromY = stencil.backward[1] ? 6 * lane : 0;
            long stepY = stencil.backward[1] ? -3 * lane : 3 * lane;
            long fromX = stencil.backward[2] ? 2 * lane : 0;
            long stepX = stencil.backward[2] ? -lane : lane;
            for (int x = 0; x < 3; x++) {
                long at = weights + fromY + x * lane;
                filter.apply(at, stepY, 9 * lane, half + x * lane, 3 * lane, 12 * lane, planes, 1);
            }
            for (int y = 0; y < WinogradPlan.SIDE; y++) {
                long from = half + 3 * y * lane + fromX;
                long at = to + (long) y * WinogradPlan.SIDE * plan.filterPlace() + p * panelRow;
                filter.apply(from, stepX, 12 * lane, at, plan.filterPlace(), panelRow, planes, 1);
            }
        }
    }

    /** Lays weights of {@code count} output channels out as plane, tap, output channel. */
    private void turnWeights(long base, int first, int count, int plane, int planes, long to) {
        long lane = vector * size;
        long from = base + first * stencil.leftRow;
        long[] taps = stencil.leftTaps;
        boolean unit = taps[1] == 3 * size && taps[2] == size;
        if (unit && stencil.leftPlanes.length == 1 && stencil.leftPlanes[0] == 9 * size) {
            tiles.transpose(from + plane * 9 * size, stencil.leftRow, to, lane, count, planes * 9, count);
            return;
        }
        for (int p = 0; p < planes; p++) {
            long ofPlane = from + stencil.leftOfPlane(plane + p);
            long at = to + 9 * p * lane;
            if (unit) {
                // A whole square is turned fastest: what follows the taps is memory but at the very end, and what
                // is written behind them is written over.
                boolean nextRow = first + count < stencil.m;
                boolean nextPlane = stencil.leftPlanes.length == 1
                        && stencil.leftPlanes[0] >= stencil.m * stencil.leftRow
                        && plane + p + 1 < stencil.planesOfK;
                boolean follows = stencil.leftRow == 9 * size && (nextRow || nextPlane);
                int columns = follows && count == vector ? Math.max(9, vector) : 9;
                tiles.transpose(ofPlane, stencil.leftRow, at, lane, count, columns, count);
                continue;
            }
            for (int y = 0; y < 3; y++) {
                long tap = ofPlane + y * taps[1];
                SinterKernelMoves.strided(
                        (int) size, tap, taps[2], stencil.leftRow, at + 3 * y * lane, lane, size, 3, count);
            }
        }
    }

    // ---- convolution

    /** Transforms some channels of a band for all tasks of {@link #convolve}. */
    void inputs(long task) {
        Band band = new Band(task / plan.inputBlocks());
        int first = (int) (task % plan.inputBlocks()) * plan.inputChannels();
        input.clear();
        transform(band, first, Math.min(plan.inputChannels(), stencil.planesOfK - first), bands + band.at);
    }

    /** A band for some panels of output channels. */
    void convolve(long task) {
        int group = (int) (task % plan.panelGroups());
        Band band = new Band(task / plan.panelGroups());
        long from = plan.sharesInput() ? bands + band.at : transformed;
        if (!plan.sharesInput()) {
            input.clear();
            transform(band, 0, stencil.planesOfK, from);
        }
        int last = Math.min(plan.panels, (group + 1) * plan.taskPanels);
        for (int p = group * plan.taskPanels; p < last; p++) {
            int width = Math.min(plan.panel, StencilPlan.roundUp(stencil.m, vector) - p * plan.panel);
            multiply(p, from, band.images * band.tiles, width / vector);
            for (int i = 0; i < band.images; i++) {
                pixels(products + (long) i * band.tiles * width * size, band.rows, width);
                finish(band.image + i, band.row * WinogradPlan.PIXELS, band.rows, p * plan.panel, width);
            }
        }
    }

    /** Some rows of tiles of one image, or some images. */
    private final class Band {
        final int row;
        final int rows;
        final int image;
        final int images;

        /** Tiles of an image. */
        final int tiles;

        /** Where it is among transformed bands, in bytes. */
        final long at;

        Band(long number) {
            row = (int) (number % plan.bands()) * plan.bandRows;
            image = (int) (number / plan.bands()) * plan.bandImages;
            rows = Math.min(plan.bandRows, plan.tilesY - row);
            images = Math.min(plan.bandImages, (int) stencil.batches - image);
            tiles = rows * plan.tilesX;
            at = number * plan.bandBytes();
        }
    }

    private void transform(Band band, int channel, int count, long to) {
        for (int i = 0; i < band.images; i++) {
            long at = to + (long) i * band.tiles * pixelBytes() + channel * size;
            input.tiles(band.image + i, channel, count, band.row, band.rows, at, pixelBytes(), plan.inputPlace());
        }
    }

    /** Tiles × output channels of a panel, at each place. */
    private void multiply(int panel, long inputs, int count, int vectors) {
        long width = (long) vectors * vector * size;
        for (int place = 0; place < WinogradPlan.PLACES; place++) {
            long a = inputs + place * plan.inputPlace();
            long b = filters + place * plan.filterPlace() + panel * plan.panelBytes();
            long c = products + place * plan.outputPlace();
            for (int t = 0; t < count; t += tiles.rows()) {
                int high = Math.min(tiles.rows(), count - t);
                tiles.tile(
                        high,
                        vectors,
                        a + t * pixelBytes(),
                        pixelBytes(),
                        size,
                        b,
                        plan.panel * size,
                        c + t * width,
                        width,
                        stencil.planesOfK);
            }
        }
    }

    /** Rows of pixels of an image, {@code width} output channels of a pixel next to each other. */
    private void pixels(long from, int rows, int width) {
        long tile = width * size;
        int vectors = width / vector;
        int count = rows * plan.tilesX;
        long place = plan.outputPlace();
        for (int x = 0; x < WinogradPlan.SIDE; x++) {
            long at = from + x * place;
            output.apply(at, WinogradPlan.SIDE * place, 0, at, WinogradPlan.SIDE * place, 0, 1, count * vectors);
        }
        long row = plan.tilesX * WinogradPlan.PIXELS * tile;
        for (int y = 0; y < rows; y++) {
            for (int i = 0; i < WinogradPlan.PIXELS; i++) {
                output.apply(
                        from + i * WinogradPlan.SIDE * place + (long) y * plan.tilesX * tile,
                        place,
                        tile,
                        pixels + ((long) y * WinogradPlan.PIXELS + i) * row,
                        tile,
                        WinogradPlan.PIXELS * tile,
                        plan.tilesX,
                        vectors);
            }
        }
    }

    /** Turns pixels to channel, pixel, and hands them over. */
    private void finish(int image, int y, int rows, int channel, int width) {
        int count = Math.min(width, stencil.m - channel);
        int pitch = plan.tilesX * WinogradPlan.PIXELS;
        int high = Math.min(rows * WinogradPlan.PIXELS, stencil.pixels[1] - y);
        if (stencil.direct && pitch == stencil.pixels[2]) {
            long to = stencil.c.base(image)
                    + channel * stencil.c.rowStride()
                    + (long) y * stencil.pixels[2] * stencil.c.columnStride();
            int all = high * pitch;
            tiles.transpose(pixels, width * size, to, stencil.c.rowStride(), all, count, all);
            return;
        }
        int padded = StencilPlan.roundUp(high * pitch, vector);
        tiles.transpose(pixels, width * size, turned, padded * size, padded, width, padded);
        for (int r = 0; r < high; r++) {
            long column = (long) (y + r) * stencil.pixels[2];
            long from = turned + (long) r * pitch * size;
            code.epilogue(params, image, channel, column, stencil.pixels[2], count, from, padded * size, lanes);
        }
    }
}
