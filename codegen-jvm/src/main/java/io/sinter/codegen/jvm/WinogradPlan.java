// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import java.util.List;

/**
 * How one launch of a convolution by Winograd's F(2×2, 3×3) is cut: 16 products of matrices, one for each place of a
 * transformed tile of 4 × 4 elements, in which a tile of 2 × 2 pixels costs 16 multiplications instead of 36.
 *
 * <p>First the weights are transformed, once for all. Then a task takes some rows of tiles of an image, or some small
 * images (a band), and some panels of output channels; inside it channels lie last, so that transforms are sums of vectors
 * and the tiles are the rows of the products. Where several tasks take one band it is transformed for all of them before,
 * some channels a task. The cut into tasks changes no bit of the result; whether Winograd is used is a matter of extents
 * alone.
 *
 * <p>An element of the result is a sum of the same products as ever, of a whole tile's elements: an infinite or NaN
 * element makes all pixels of the tiles that see it NaN.
 */
final class WinogradPlan {
    /** Elements along a transformed tile's side, and pixels along a tile's. */
    static final int SIDE = 4;

    static final int PIXELS = 2;
    static final int TAPS = 3;
    static final int PLACES = SIDE * SIDE;

    /** Planes of weights that are transformed at a time: they stay in the first-level cache. */
    static final int FILTER_PLANES = 48;

    /** Bytes of transformed tiles, in and out, that a task should keep to: they stay in a second-level cache of 1 MB. */
    private static final long TILE_BYTES = 640 << 10;

    /** Tiles of a task that make up for reading all weights. */
    private static final int FEW_TILES = 48;

    /** Fewer channels than this, on either side, are too few rows for the transforms' work. */
    static final int FEW_CHANNELS = 32;

    /** Fewer tiles than this do not make up for transforming the weights. */
    private static final long LEAST_TILES = 16;

    /** Input channels that a task transforms, where that is a phase of its own. */
    private static final int INPUT_CHANNELS = 64;

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    /** Bytes between the matrices of two places, besides what they hold: not all at the same place of a cache. */
    static final int GAP = 64;

    final StencilPlan stencil;
    final int tilesY;
    final int tilesX;

    /** Rows of tiles, and images, of a task. */
    final int bandRows;

    final int bandImages;

    /** Panels of output channels of a task. */
    final int taskPanels;

    /** Columns of a panel, panels, and input channels rounded up to whole vectors. */
    final int panel;

    final int panels;
    final int channels;

    WinogradPlan(StencilPlan stencil, GemmTiles tiles, GemmForm form) {
        this.stencil = stencil;
        tilesY = StencilPlan.ceilDiv(stencil.pixels[1], PIXELS);
        tilesX = StencilPlan.ceilDiv(stencil.pixels[2], PIXELS);
        panel = tiles.vectors() * stencil.lanes;
        panels = StencilPlan.ceilDiv(stencil.m, panel);
        channels = StencilPlan.roundUp(stencil.planesOfK, stencil.lanes);
        long perTile = (long) PLACES * (channels + panel) * stencil.size;
        int most = (int) Math.max(FEW_TILES, form.ofShare(TILE_BYTES) / perTile);
        int images = Math.toIntExact(stencil.batches);
        int ofImage = tilesY * tilesX;
        bandImages = evenly(images, Math.max(1, most / ofImage));
        bandRows = ofImage <= most ? tilesY : evenly(tilesY, Math.max(1, most / tilesX));
        long bands = allBands();
        long groups = Math.clamp((4L * PROCESSORS + bands - 1) / bands, 1, panels);
        taskPanels = StencilPlan.ceilDiv(panels, (int) groups);
    }

    /** Parts of at most {@code most}, as few as can be and about equal. */
    static int evenly(int all, int most) {
        return StencilPlan.ceilDiv(all, StencilPlan.ceilDiv(all, most));
    }

    /**
     * Whether it is asked for and possible, or left to the table and pays: 3 × 3 taps, pixel by pixel, many channels and tiles.
     *
     * @param sharedLeft the weights are memory, the same for the whole batch
     */
    static boolean isWanted(StencilPlan s, GemmTiles tiles, boolean sharedLeft, GemmForm form) {
        if (!sharedLeft || s.pixelsInK || !fits(s, tiles) || s.batches > Integer.MAX_VALUE) return false;
        if (form.method() != null) return form.asksFor(GemmForm.Method.WINOGRAD) && isPossible(s.m, s.planesOfK);
        if (Math.min(s.m, s.planesOfK) < FEW_CHANNELS) return false;
        long tilesOfImage = (long) StencilPlan.ceilDiv(s.pixels[1], PIXELS) * StencilPlan.ceilDiv(s.pixels[2], PIXELS);
        return s.batches * tilesOfImage >= LEAST_TILES;
    }

    /** Whether a form may ask for it: with fewer channels it is out of the question. */
    static boolean isPossible(int outputs, int inputs) {
        return Math.min(outputs, inputs) >= FEW_CHANNELS / 2;
    }

    /** 3 × 3 taps of f32, pixel by pixel. */
    static boolean fits(StencilPlan s, GemmTiles tiles) {
        if (s.spatial != 2 || tiles.dtype() != DType.F32) return false;
        for (int axis = 1; axis < 3; axis++) {
            if (s.taps[axis] != TAPS || s.step[axis] != 1 || s.dilation[axis] != 1) return false;
        }
        return true;
    }

    /** Tasks of the first phase: a vector of output channels each. */
    long filterTasks() {
        return StencilPlan.ceilDiv(stencil.m, stencil.lanes);
    }

    /** What decides about the transformed weights besides the memory that the weights are in. */
    record FilterForm(
            long offset,
            int outputs,
            int inputs,
            long row,
            List<Long> planes,
            List<Long> planeExtents,
            List<Long> taps,
            boolean backwardY,
            boolean backwardX,
            int lanes,
            int panel) {}

    /** @param offset of the first weight from the beginning of the memory that it is in */
    FilterForm filterForm(long offset) {
        return new FilterForm(
                offset,
                stencil.m,
                stencil.planesOfK,
                stencil.leftRow,
                list(stencil.leftPlanes),
                list(stencil.planeExtents),
                list(stencil.leftTaps),
                stencil.backward[1],
                stencil.backward[2],
                stencil.lanes,
                panel);
    }

    private static List<Long> list(long[] a) {
        Long[] boxed = new Long[a.length];
        for (int i = 0; i < a.length; i++) boxed[i] = a[i];
        return List.of(boxed);
    }

    /** Bands of an image, or of some images. */
    int bands() {
        return StencilPlan.ceilDiv(tilesY, bandRows);
    }

    private int allBands() {
        return StencilPlan.ceilDiv((int) stencil.batches, bandImages) * bands();
    }

    /** Whether bands are transformed in a phase of their own. */
    boolean sharesInput() {
        return panelGroups() > 1;
    }

    /** Tasks of one band in the second phase. */
    int inputBlocks() {
        return StencilPlan.ceilDiv(stencil.planesOfK, INPUT_CHANNELS);
    }

    /** Tasks of the second phase. */
    long inputTasks() {
        return sharesInput() ? (long) allBands() * inputBlocks() : 0;
    }

    /** Input channels that are transformed at a time. */
    int inputChannels() {
        return sharesInput() ? Math.min(channels, INPUT_CHANNELS) : channels;
    }

    /** Bytes of a transformed band. */
    long bandBytes() {
        return PLACES * inputPlace();
    }

    /** Bytes of all bands, if they are transformed in a phase of their own. */
    long inputBytes() {
        return sharesInput() ? allBands() * bandBytes() : 0;
    }

    int panelGroups() {
        return StencilPlan.ceilDiv(panels, taskPanels);
    }

    long tasks() {
        return (long) allBands() * panelGroups();
    }

    /** Tiles of a task. */
    int tiles() {
        return bandImages * bandRows * tilesX;
    }

    /** Bytes of a panel's weights at one place: input channels × panel. */
    long panelBytes() {
        return (long) stencil.planesOfK * panel * stencil.size;
    }

    /** Bytes from one place's weights to the next one's. */
    long filterPlace() {
        return panels * panelBytes() + GAP;
    }

    long filterBytes() {
        return GemmPlan.align(PLACES * filterPlace());
    }

    /** Bytes from one place's tiles to the next one's: tiles × input channels. */
    long inputPlace() {
        return (long) tiles() * channels * stencil.size + GAP;
    }

    /** As {@link #inputPlace} of the products: tiles × panel. */
    long outputPlace() {
        return (long) tiles() * panel * stencil.size + GAP;
    }

    /** Elements along a side that {@code rows} tiles see. */
    static int reach(int rows) {
        return rows * PIXELS + TAPS - 1;
    }

    @Override
    public String toString() {
        return stencil.batches + "× winograd m " + stencil.m + " planes " + stencil.planesOfK + " pixels "
                + stencil.pixels[1] + "×" + stencil.pixels[2] + " tasks of " + bandImages + " images " + bandRows + "×"
                + tilesX + " tiles " + taskPanels + " panels" + (sharesInput() ? " shared" : "");
    }
}
