// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/** Makes transformed tiles of a convolution's input, channels last, for {@link WinogradBlock} and {@link WinogradGradient}. */
final class WinogradInput {
    private static final int SIDE = WinogradPlan.SIDE;
    private static final int PIXELS = WinogradPlan.PIXELS;

    private final StencilInput input;
    private final GemmTiles tiles;
    private final StencilPlan stencil;
    private final LinearMap map;
    private final int size;
    private final int vector;
    private final int tilesX;

    /** Elements along x that the tiles of a row see. */
    private final int width;

    /** Bytes of all channels of an element. */
    private final long pixel;

    private final int mostRows;

    /** Rows of a vector of channels as they lie in memory; elements, channels last; rows of tiles, transformed along y. */
    private final long rowsOfChannels;

    private final long elements;
    private final long halfway;
    private final long end;

    /**
     * @param channels at most so many at a time
     * @param mostRows rows of tiles, at most
     * @param lanes {@link BodyCompiler#LANE_AREA} bytes for generated code
     * @param base scratch memory
     */
    WinogradInput(
            GemmCode code,
            GemmTiles tiles,
            StencilPlan stencil,
            long params,
            int channels,
            int mostRows,
            long lanes,
            long base) {
        input = new StencilInput(code, tiles, stencil, params, lanes);
        this.tiles = tiles;
        this.stencil = stencil;
        this.mostRows = mostRows;
        map = WinogradMatrix.INPUT.map(code.vectorBits());
        size = stencil.size;
        vector = stencil.lanes;
        tilesX = StencilPlan.ceilDiv(stencil.pixels[2], PIXELS);
        width = WinogradPlan.reach(tilesX);
        pixel = (long) StencilPlan.roundUp(channels, vector) * size;
        int reach = WinogradPlan.reach(mostRows);
        rowsOfChannels = base;
        elements = GemmPlan.align(rowsOfChannels + vector * reach * pitch());
        // Turning whole vectors of a row writes beyond its end.
        halfway = GemmPlan.align(elements + ((long) reach * width + vector) * pixel);
        end = GemmPlan.align(halfway + SIDE * width * pixel);
    }

    long end() {
        return end;
    }

    /** Bytes from a row of elements of one channel to the next. */
    private long pitch() {
        return (long) StencilPlan.roundUp(width, vector) * size;
    }

    /** To be called before the first {@link #tiles}: what tiles at the edge see beyond the staged columns must be numbers. */
    void clear() {
        SinterKernelMoves.clear(rowsOfChannels, vector * WinogradPlan.reach(mostRows) * pitch());
    }

    /**
     * Tiles of {@code count} planes from {@code plane} on, of the rows of tiles from {@code band} on: place, tile,
     * channel.
     *
     * @param next bytes from one tile to the next
     * @param place bytes from one place to the next
     */
    void tiles(long batch, long plane, int count, int band, int rows, long to, long next, long place) {
        elements(batch, plane, count, band, rows);
        long row = width * pixel;
        int vectors = StencilPlan.ceilDiv(count, vector);
        int all = (int) (row / ((long) vector * size));
        for (int y = 0; y < rows; y++) {
            map.apply(elements + y * PIXELS * row, row, 0, halfway, row, 0, 1, all);
            long tile = to + y * tilesX * next;
            for (int i = 0; i < SIDE; i++) {
                long from = halfway + i * row;
                map.apply(from, pixel, PIXELS * pixel, tile + i * SIDE * place, place, next, tilesX, vectors);
            }
        }
    }

    private void elements(long batch, long plane, int count, int band, int rows) {
        int y = band * PIXELS;
        int reach = WinogradPlan.reach(rows);
        int staged = Math.min(reach, stencil.positions[1] - y);
        int padded = StencilPlan.roundUp(width, vector);
        for (int c = 0; c < count; c += vector) {
            int some = Math.min(vector, count - c);
            for (int j = 0; j < some; j++) {
                input.rows(batch, plane + c + j, 0, y, staged, rowsOfChannels + j * reach * pitch(), pitch(), false);
            }
            for (int r = 0; r < staged; r++) {
                long to = elements + r * width * pixel + (long) c * size;
                long from = rowsOfChannels + r * pitch();
                tiles.transpose(from, reach * pitch(), to, pixel, vector, padded, vector);
            }
        }
        SinterKernelMoves.clear(elements + staged * width * pixel, (reach - staged) * width * pixel);
    }
}
