// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * The first phase of a weight's gradient by Winograd's F(3×3, 2×2): tiles of 2 × 2 pixels' gradients take the place of
 * the filter, and three taps that of the pixels (see {@link WinogradMatrix}). A task adds up, at each of the 16
 * places, channels × output channels over the tiles of some images, and transforms the sums to taps; what follows is
 * {@link StencilBlock#sum}.
 *
 * <p>How the images are cut decides about bits, and is a function of the extents alone.
 */
final class WinogradGradient {
    private static final int SIDE = WinogradPlan.SIDE;
    private static final int PIXELS = WinogradPlan.PIXELS;
    private static final int PLACES = WinogradPlan.PLACES;
    private static final int TAPS = WinogradPlan.TAPS;

    /** Channels and output channels of a task: their sums, 16 places of f32, fill half of a second-level cache of 1 MB. */
    private static final int CHANNELS = 64;

    private static final int OUTPUTS = 128;

    /** Tiles whose products are added up in registers. */
    private static final int TILES = 256;

    /** Fewer tiles than this do not make up for transforming the sums. */
    private static final long LEAST_TILES = 96;

    private final GemmCode code;
    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final long params;
    private final long workspace;
    private final int size;
    private final int vector;
    private final int tilesY;
    private final int tilesX;
    private final LinearMap pixelMap;
    private final LinearMap tapMap;
    private final WinogradInput input;

    /** Rows of tiles and images at a time. */
    private final int bandRows;

    private final int bandImages;
    private final int channelBlock;
    private final int outputBlock;

    // Parts of scratch memory.
    private final long lanes;
    private final long inputs;
    private final long rowsOfOutputs;
    private final long pixels;
    private final long halfway;
    private final long gradients;
    private final long sums;
    private final long end;

    WinogradGradient(GemmCode code, GemmTiles tiles, StencilPlan plan, long params, long scratch, long workspace) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.workspace = workspace;
        size = plan.size;
        vector = plan.lanes;
        tilesY = StencilPlan.ceilDiv(plan.pixels[1], PIXELS);
        tilesX = StencilPlan.ceilDiv(plan.pixels[2], PIXELS);
        pixelMap = WinogradMatrix.PIXELS.map(code.vectorBits());
        tapMap = WinogradMatrix.TAPS.map(code.vectorBits());
        int ofImage = tilesY * tilesX;
        bandRows = ofImage <= TILES ? tilesY : WinogradPlan.evenly(tilesY, Math.max(1, TILES / tilesX));
        bandImages = Math.max(1, TILES / ofImage);
        channelBlock = channelBlock(plan);
        outputBlock = StencilPlan.roundUp(Math.min(plan.m, OUTPUTS), vector);
        lanes = scratch;
        long base = GemmPlan.align(lanes + BodyCompiler.LANE_AREA);
        input = new WinogradInput(code, tiles, plan, params, channelBlock, bandRows, lanes, base);
        inputs = input.end();
        rowsOfOutputs = GemmPlan.align(inputs + PLACES * inputPlace());
        long rows = (long) bandRows * PIXELS;
        pixels = GemmPlan.align(rowsOfOutputs + vector * rows * pitch());
        // Turning whole vectors of a row writes beyond its end.
        halfway = GemmPlan.align(pixels + (rows * tilesX * PIXELS + vector) * outputBytes());
        gradients = GemmPlan.align(halfway + (long) SIDE * tilesX * PIXELS * outputBytes());
        sums = GemmPlan.align(gradients + PLACES * gradientPlace());
        end = GemmPlan.align(sums + PLACES * sumPlace());
    }

    /** Whether it is asked for and possible, or left to the table and pays: 3 × 3 taps, pixel by pixel, many channels and tiles, pixels next to each other. */
    static boolean isWanted(StencilPlan s, GemmTiles tiles, GemmForm form) {
        if (!s.pixelsInK || !WinogradPlan.fits(s, tiles) || s.backward[1] || s.backward[2]) return false;
        if (!s.a.isUnitColumn(s.size)) return false;
        if (form.method() != null)
            return form.asksFor(GemmForm.Method.WINOGRAD) && WinogradPlan.isPossible(s.m, s.planesOfN);
        if (Math.min(s.m, s.planesOfN) < WinogradPlan.FEW_CHANNELS) return false;
        long ofImage = (long) StencilPlan.ceilDiv(s.pixels[1], PIXELS) * StencilPlan.ceilDiv(s.pixels[2], PIXELS);
        return s.planesOfK * ofImage >= LEAST_TILES;
    }

    static int channelBlock(StencilPlan s) {
        return Math.min(s.planesOfN, CHANNELS);
    }

    static long blocks(StencilPlan s) {
        return (long) StencilPlan.ceilDiv(s.planesOfN, channelBlock(s)) * StencilPlan.ceilDiv(s.m, OUTPUTS);
    }

    long bytes() {
        return end - lanes;
    }

    private long tilesAtOnce() {
        return (long) bandImages * bandRows * tilesX;
    }

    private long channelBytes() {
        return (long) StencilPlan.roundUp(channelBlock, vector) * size;
    }

    private long outputBytes() {
        return (long) outputBlock * size;
    }

    private long inputPlace() {
        return tilesAtOnce() * channelBytes() + WinogradPlan.GAP;
    }

    private long gradientPlace() {
        return tilesAtOnce() * outputBytes() + WinogradPlan.GAP;
    }

    private long sumPlace() {
        return channelBlock * outputBytes() + WinogradPlan.GAP;
    }

    /** Bytes from a row of pixels of one output channel to the next. */
    private long pitch() {
        return (long) StencilPlan.roundUp(tilesX * PIXELS, vector) * size;
    }

    /** The sum over some images, for some channels and output channels. */
    void gradient(long task) {
        int outputBlocks = StencilPlan.ceilDiv(plan.m, OUTPUTS);
        int output = (int) (task % outputBlocks) * OUTPUTS;
        task /= outputBlocks;
        int channelBlocks = StencilPlan.ceilDiv(plan.planesOfN, channelBlock);
        int channel = (int) (task % channelBlocks) * channelBlock;
        task /= channelBlocks;
        int slice = (int) (task % plan.slices);
        long batch = task / plan.slices;
        int channels = Math.min(channelBlock, plan.planesOfN - channel);
        int outputs = Math.min(OUTPUTS, plan.m - output);
        int perSlice = StencilPlan.ceilDiv(plan.planesOfK, plan.slices);
        int last = Math.min(plan.planesOfK, (slice + 1) * perSlice);
        long to = workspace
                + slice * plan.partialBytes()
                + (batch * plan.gradientRows() + (long) channel * TAPS * TAPS) * plan.rowOfM()
                + (long) output * size;
        boolean first = true;
        input.clear();
        SinterKernelMoves.clear(rowsOfOutputs, (long) vector * bandRows * PIXELS * pitch());
        for (int image = slice * perSlice; image < last; image += bandImages) {
            int images = Math.min(bandImages, last - image);
            for (int y = 0; y < tilesY; y += bandRows) {
                int rows = Math.min(bandRows, tilesY - y);
                int perImage = rows * tilesX;
                for (int i = 0; i < images; i++) {
                    long plane = (long) (image + i) * plan.planesOfN + channel;
                    long at = (long) i * perImage;
                    input.tiles(
                            batch,
                            plane,
                            channels,
                            y,
                            rows,
                            inputs + at * channelBytes(),
                            channelBytes(),
                            inputPlace());
                    gradients(batch, image + i, output, outputs, y, rows, gradients + at * outputBytes());
                }
                add(images * perImage, channels, outputs, first);
                first = false;
            }
        }
        int vectors = StencilPlan.ceilDiv(outputs, vector);
        if (first) {
            for (int r = 0; r < channels * TAPS * TAPS; r++)
                SinterKernelMoves.clear(to + r * plan.rowOfM(), (long) vectors * vector * size);
            return;
        }
        int all = (int) (channels * outputBytes() / ((long) vector * size));
        for (int x = 0; x < SIDE; x++) {
            long at = sums + x * sumPlace();
            tapMap.apply(at, SIDE * sumPlace(), 0, at, SIDE * sumPlace(), 0, 1, all);
        }
        for (int y = 0; y < TAPS; y++) {
            tapMap.apply(
                    sums + (long) y * SIDE * sumPlace(),
                    sumPlace(),
                    outputBytes(),
                    to + y * TAPS * plan.rowOfM(),
                    plan.rowOfM(),
                    TAPS * TAPS * plan.rowOfM(),
                    channels,
                    vectors);
        }
    }

    /** Transformed tiles of the pixels' gradients of an image to {@code to}: place, tile, output channel. */
    private void gradients(long batch, int image, int output, int outputs, int band, int rows, long to) {
        pixels(batch, image, output, outputs, band, rows);
        int vectors = StencilPlan.ceilDiv(outputs, vector);
        long pixel = outputBytes();
        long row = tilesX * PIXELS * pixel;
        int all = (int) (row / ((long) vector * size));
        for (int y = 0; y < rows; y++) {
            pixelMap.apply(pixels + y * PIXELS * row, row, 0, halfway, row, 0, 1, all);
            long at = to + y * tilesX * pixel;
            for (int i = 0; i < SIDE; i++) {
                pixelMap.apply(
                        halfway + i * row,
                        pixel,
                        PIXELS * pixel,
                        at + (long) i * SIDE * gradientPlace(),
                        gradientPlace(),
                        pixel,
                        tilesX,
                        vectors);
            }
        }
    }

    /** The pixels' gradients of some rows of tiles, output channels last; zeros beyond the image. */
    private void pixels(long batch, int image, int output, int outputs, int band, int rows) {
        int y = band * PIXELS;
        int width = plan.pixels[2];
        int there = Math.min(rows * PIXELS, plan.pixels[1] - y);
        int padded = StencilPlan.roundUp(tilesX * PIXELS, vector);
        long channel = (long) rows * PIXELS * pitch();
        long row = tilesX * PIXELS * outputBytes();
        for (int o = 0; o < outputs; o += vector) {
            int count = Math.min(vector, outputs - o);
            for (int r = 0; r < there; r++) {
                long k = ((long) image * plan.pixels[1] + y + r) * width;
                long to = rowsOfOutputs + r * pitch();
                if (plan.a.isPlain()) {
                    long from = plan.a.at(batch, output + o, k);
                    tiles.copy(from, plan.a.rowStride(), to, channel, count, width, width);
                } else {
                    code.packA(true, params, batch, output + o, k, width, count, to, channel, lanes);
                }
            }
            for (int r = 0; r < there; r++) {
                long from = rowsOfOutputs + r * pitch();
                tiles.transpose(
                        from, channel, pixels + r * row + (long) o * size, outputBytes(), vector, padded, vector);
            }
        }
        SinterKernelMoves.clear(pixels + there * row, (rows * PIXELS - there) * row);
    }

    /** Adds channels × output channels, over {@code count} tiles, to the sums of each place. */
    private void add(int count, int channels, int outputs, boolean first) {
        int columns = StencilPlan.roundUp(outputs, vector);
        int panel = tiles.vectors() * vector;
        for (int place = 0; place < PLACES; place++) {
            for (int c = 0; c < columns; c += panel) {
                int vectors = Math.min(panel, columns - c) / vector;
                long b = gradients + place * gradientPlace() + (long) c * size;
                for (int r = 0; r < channels; r += tiles.rows()) {
                    int high = Math.min(tiles.rows(), channels - r);
                    long a = inputs + place * inputPlace() + (long) r * size;
                    long to = sums + place * sumPlace() + r * outputBytes() + (long) c * size;
                    tiles.tile(
                            !first, high, vectors, a, size, channelBytes(), b, outputBytes(), to, outputBytes(), count);
                }
            }
        }
    }
}
