// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Stencil;
import java.util.Arrays;

/**
 * How one launch of a convolution is cut: {@link GemmKernel}s with a {@link Stencil}. A task lays the rows of
 * the input that it needs out in scratch memory once, padding included, as planes of rows {@link #pitch}
 * elements apart; with a step between pixels, positions of one residue are planes of their own. Then the
 * element that a pixel sees at a tap lies at one offset from the pixel's, for all pixels of the block at
 * once, rows of pixels being {@code pitch} columns of a tile apart: columns between them are computed and
 * dropped.
 *
 * <p>Three spatial axes; those that a kernel lacks have one pixel and one tap.
 */
final class StencilPlan {
    /** Bytes of staged planes that a task should keep to: half of a second-level cache of 1 MB. */
    private static final long STAGE_BYTES = 384 << 10;

    private static final long BLOCK_BYTES = 256 << 10;

    /** Products that make a task worth its dispatch. */
    private static final double SMALL_TASK = 1 << 20;

    /** Tasks that a weight's gradient is cut into by images, whatever the machine: the cut decides about bits. */
    private static final long GRADIENT_TASKS = 16;

    private static final long PARTIAL_BYTES = 16 << 20;

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    final int size;
    final int lanes;
    final boolean pixelsInK;
    final long batches;

    /** Rows of a: output channels. */
    final int m;

    /** Planes that are summed over (channels), or, of a weight's gradient, the images; and channels of that. */
    final int planesOfK;

    final int planesOfN;
    final int[] pixels = {1, 1, 1};
    final int[] taps = {1, 1, 1};
    final int[] positions = {1, 1, 1};
    final int[] step = {1, 1, 1};
    final int[] dilation = {1, 1, 1};
    final boolean[] backward = new boolean[3];
    final int spatial;

    /** Elements from a staged row to the next; and those of one residue that a row has. */
    final int pitch;

    final int width;

    /** Strides of the left operand's memory in bytes along m, the planes and the taps; none if it is packed. */
    final long leftRow;

    final long[] leftPlanes;
    final long[] leftTaps = new long[3];
    final long[] planeExtents;

    /** The right operand's memory: whether it is that, with elements of a row next to each other; its strides in bytes, and extents. */
    final boolean plain;

    private final long[] rightPlanes;
    private final long[] rightExtents;
    final long[] rightPositions = new long[3];
    final long[] extent = {1, 1, 1};
    final GemmView a;
    final GemmView c;
    final boolean direct;

    /** Rows of pixels and rows of a that a task computes. */
    final int blockRows;

    final int blockM;

    /** Channels of a task of a weight's gradient, and how many parts its images are cut into. */
    final int blockPlanes;

    final int slices;

    /** How the launch is cut if Winograd's algorithm pays; else null. */
    final WinogradPlan winograd;

    /** Whether this is a weight's gradient by {@link WinogradGradient}. */
    final boolean winogradGradient;

    /** Whether this is a weight's gradient by {@link StencilDots}. */
    final boolean dots;

    /** Whether this is a weight's gradient by {@link StencilTaps}. */
    final boolean byTaps;

    /** Whether this is a convolution by {@link StencilPixels}. */
    final boolean byPixels;

    /** @param form what is not to be chosen here */
    StencilPlan(GemmCode code, GemmTiles tiles, long params, GemmForm form) {
        long[] numbers = new long[code.numberCount()];
        code.numbers(params, numbers);
        size = tiles.dtype().bytes();
        lanes = tiles.lanes();
        int nb = (int) numbers[0];
        int nm = (int) numbers[1];
        int nn = (int) numbers[2];
        int nk = (int) numbers[3];
        long[] batch = slice(numbers, 4, nb);
        long[] ms = slice(numbers, 4 + nb, nm);
        long[] ns = slice(numbers, 4 + nb + nm, nn);
        long[] ks = slice(numbers, 4 + nb + nm + nn, nk);
        int at = 4 + nb + nm + nn + nk;
        a = new GemmView(numbers, at, batch, ms, ks);
        at += GemmView.length(nb, nm, nk) + GemmView.length(nb, nn, nk);
        c = new GemmView(numbers, at, batch, ms, ns);
        direct = c.isLinear() && c.isUnitColumn(size);
        batches = product(batch, nb);
        m = Math.toIntExact(product(ms, nm));
        at = code.stencilAt();
        pixelsInK = numbers[at++] != 0;
        spatial = (int) numbers[at++];
        long[] pixelExtents = pixelsInK ? ks : ns;
        long[] tapExtents = pixelsInK ? ns : ks;
        long overlap = 0;
        for (int d = 3 - spatial; d < 3; d++) {
            pixels[d] = (int) pixelExtents[pixelExtents.length - 3 + d];
            taps[d] = (int) tapExtents[tapExtents.length - 3 + d];
            positions[d] = (int) numbers[at++];
            step[d] = (int) numbers[at++];
            dilation[d] = (int) numbers[at++];
            backward[d] = numbers[at++] != 0;
            overlap = numbers[at++];
            extent[d] = numbers[at++];
        }
        width = ceilDiv(positions[2], step[2]);
        pitch = width - (int) overlap;
        planesOfK = Math.toIntExact(product(ks, nk - spatial));
        planesOfN = Math.toIntExact(product(ns, nn - spatial));
        leftRow = nm == 0 ? 0 : numbers[at + nm - 1];
        at += nm;
        planeExtents = slice(ks, 0, nk - spatial);
        leftPlanes = slice(numbers, at, nk - spatial);
        for (int d = 0; d < spatial; d++) leftTaps[3 - spatial + d] = numbers[at + nk - spatial + d];
        at += nk;
        boolean sharedLeft = numbers[at++] != 0;
        boolean isMemory = numbers[at++] != 0;
        int planeVars = nk + nn - 2 * spatial;
        rightExtents = new long[planeVars];
        System.arraycopy(ks, 0, rightExtents, 0, nk - spatial);
        System.arraycopy(ns, 0, rightExtents, nk - spatial, nn - spatial);
        rightPlanes = slice(numbers, at, planeVars);
        at += planeVars;
        for (int d = 0; d < spatial; d++) rightPositions[3 - spatial + d] = numbers[at + d];
        plain = isMemory && rightPositions[2] == size;
        int rows = pixels[1];
        int planes = pixelsInK ? planesOfN : planesOfK;
        byTaps = form.method() == null && StencilTaps.pays(this);
        dots = form.method() == null && !byTaps && StencilDots.pays(this);
        byPixels = StencilPixels.pays(this);
        long stage = form.ofShare(STAGE_BYTES);
        long block = form.ofShare(BLOCK_BYTES);
        if (pixelsInK) {
            int channels = planes;
            while (channels > 64 && stageBytes(channels, 1) > stage) channels = ceilDiv(channels, 2);
            while (channels > 64 && batches * ceilDiv(planes, channels) < GRADIENT_TASKS)
                channels = ceilDiv(channels, 2);
            blockPlanes = Math.max(1, channels);
            winogradGradient = !isEmpty() && WinogradGradient.isWanted(this, tiles, form);
            long tasks = Math.max(
                    1, batches * (winogradGradient ? WinogradGradient.blocks(this) : ceilDiv(planes, blockPlanes)));
            long most = Math.max(1, PARTIAL_BYTES / Math.max(1, partialBytes()));
            long parts = form.slices() > 0 ? form.slices() : GRADIENT_TASKS / tasks;
            slices = Math.clamp(Math.min(parts, most), 1, Math.max(1, planesOfK));
            long leftOfPixel = dots ? (long) m * size : rowOfM();
            while (rows > 2 && stageBytes(blockPlanes, rows) + rows * pitch * leftOfPixel > stage)
                rows = ceilDiv(rows, 2);
            blockRows = Math.max(1, rows);
            blockM = m;
            winograd = null;
            return;
        }
        slices = 1;
        winogradGradient = false;
        blockPlanes = planes;
        while (rows > 2 && stageBytes(planes, rows) > stage) rows = ceilDiv(rows, 2);
        int height = m;
        int tile = tiles.rows();
        // Few rows rather than few channels: each block of channels lays the input out again.
        while (rows > 1
                && (long) rows * pitch >= 8L * tiles.vectors() * lanes
                && (long) height * columns(rows) * size > block) rows = ceilDiv(rows, 2);
        while (height > 16 * tile && (long) height * columns(rows) * size > 2 * block)
            height = roundUp(ceilDiv(height, 2), tile);
        double depth = (double) planes * tapCount();
        while (batches * pixels[0] * ceilDiv(pixels[1], rows) * ceilDiv(m, height) < 400L * PROCESSORS / form.share()
                && depth * height * rows * pitch > 2 * SMALL_TASK) {
            if ((long) rows * pitch >= 8L * tiles.vectors() * lanes && rows > 1) rows = ceilDiv(rows, 2);
            else if (height >= 8 * tile) height = roundUp(ceilDiv(height, 2), tile);
            else break;
        }
        blockRows = Math.max(1, rows);
        blockM = Math.max(1, height);
        boolean byWinograd = !isEmpty() && WinogradPlan.isWanted(this, tiles, sharedLeft, form);
        winograd = byWinograd ? new WinogradPlan(this, tiles, form) : null;
    }

    private static long[] slice(long[] numbers, int from, int count) {
        return Arrays.copyOfRange(numbers, from, from + count);
    }

    private static long product(long[] extents, int count) {
        long p = 1;
        for (int i = 0; i < count; i++) p *= extents[i];
        return p;
    }

    static int ceilDiv(int a, int b) {
        return (a + b - 1) / b;
    }

    static int roundUp(int a, int to) {
        return ceilDiv(a, to) * to;
    }

    boolean isEmpty() {
        return batches == 0 || m == 0 || planesOfN == 0 || pixels[0] * pixels[1] * pixels[2] == 0;
    }

    long tasks() {
        if (isEmpty()) return 0;
        if (winogradGradient) return batches * slices * WinogradGradient.blocks(this);
        if (pixelsInK) return batches * slices * ceilDiv(planesOfN, blockPlanes);
        return batches * pixels[0] * ceilDiv(pixels[1], blockRows) * ceilDiv(m, blockM);
    }

    int tapCount() {
        return taps[0] * taps[1] * taps[2];
    }

    /** Rows of the gradient, transposed: channels and taps. */
    int gradientRows() {
        return planesOfN * tapCount();
    }

    /** Bytes of a row of the transposed gradient, and of the transposed left operand. */
    long rowOfM() {
        return (long) roundUp(m, lanes) * size;
    }

    long partialBytes() {
        return batches * gradientRows() * rowOfM();
    }

    /** Rows of the gradient that a task of the second phase adds up. */
    int sumRows() {
        return Math.clamp(gradientRows(), 1, 32);
    }

    long sumTasks() {
        return !pixelsInK || isEmpty() ? 0 : batches * ceilDiv(gradientRows(), sumRows());
    }

    /** Columns of the tiles of {@code rows} rows of pixels, whole vectors. */
    int columns(int rows) {
        return roundUp((rows - 1) * pitch + pixels[2], lanes);
    }

    /** Positions along axis y that {@code rows} rows of pixels see. */
    int reach(int rows) {
        return (rows - 1) * step[1] + (taps[1] - 1) * dilation[1] + 1;
    }

    /** Positions along axis z that a pixel sees: each is a plane. */
    int depth() {
        return (taps[0] - 1) * dilation[0] + 1;
    }

    /** Elements of the positions of one residue, of one plane. */
    int residue(int rows) {
        return ceilDiv(reach(rows), step[1]) * pitch + width - pitch;
    }

    /** Elements of one plane of one channel. */
    int plane(int rows) {
        return residue(rows) * step[1] * step[2];
    }

    /** Bytes of the staged planes, with room for the columns behind the last row. */
    long stageBytes(int planes, int rows) {
        return ((long) planes * depth() * plane(rows) + columns(rows)) * size;
    }

    /** Whether taps are 3 × 3 elements of a plane next to each other, and pixels one or two apart: what {@link GemmTiles#pixels3x3} and its gradient take. */
    boolean sees3x3() {
        return Arrays.equals(taps, new int[] {1, 3, 3})
                && Arrays.equals(dilation, new int[] {1, 1, 1})
                && step[0] == 1
                && step[1] == step[2]
                && step[1] <= 2
                && backward[1] == backward[2];
    }

    /** Where tap t of an axis lies from the pixel's position. */
    int position(int axis, int tap) {
        return (backward[axis] ? taps[axis] - 1 - tap : tap) * dilation[axis];
    }

    /** Whether a tap sees positions of a residue of the axis. */
    boolean sees(int axis, int residue) {
        for (int t = 0; t < taps[axis]; t++) if (position(axis, t) % step[axis] == residue) return true;
        return false;
    }

    /** Offset in bytes of a plane of the left operand's memory. */
    long leftOfPlane(int p) {
        long offset = 0;
        for (int v = planeExtents.length - 1; v >= 0; v--) {
            offset += p % planeExtents[v] * leftPlanes[v];
            p /= (int) planeExtents[v];
        }
        return offset;
    }

    /** Offset in bytes of a plane of the right operand's memory. */
    long rightOfPlane(long p) {
        if (p == 0) return 0; // Divisions cost as much as a row of pixels.
        long offset = 0;
        for (int v = rightExtents.length - 1; v >= 0; v--) {
            offset += p % rightExtents[v] * rightPlanes[v];
            p /= rightExtents[v];
        }
        return offset;
    }

    /** Offset in elements, within a channel's planes, of what a pixel sees at a tap. */
    int offset(int rows, int z, int y, int x) {
        int py = position(1, y);
        int px = position(2, x);
        return position(0, z) * plane(rows)
                + (py % step[1] * step[2] + px % step[2]) * residue(rows)
                + py / step[1] * pitch
                + px / step[2];
    }

    /** All that is chosen, for a comparison of plans of one launch. */
    String choices() {
        return this + " " + blockPlanes;
    }

    /** The cut, for people. */
    @Override
    public String toString() {
        if (winograd != null) return winograd.toString();
        return batches
                + (winogradGradient ? "× winograd m " : byTaps ? "× taps m " : dots ? "× dots m " : "× stencil m ") + m
                + " planes "
                + planesOfK + ","
                + planesOfN + " pixels " + pixels[1] + "×"
                + pixels[2] + " taps " + taps[1] + "×" + taps[2] + " step " + step[2] + (direct ? " direct" : "")
                + " blocks " + blockRows + " rows " + blockM + (pixelsInK ? " slices " + slices : "");
    }
}
