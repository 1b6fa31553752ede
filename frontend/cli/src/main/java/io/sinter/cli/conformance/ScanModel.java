// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;

/** Scans of rows; sums of f32 in the order in which CTAs add them up, to the bit. */
final class ScanModel {
    private static final int THREADS = 256;
    private static final int WARP = 32;
    /** Neighbours of one thread in a whole tile. */
    private static final int WIDTH = 4;

    private static final int TILE = THREADS * WIDTH;

    /** What threads' numbers add up to: before each thread, and all. */
    private record Scanned(float[] before, float all) {}

    private final float[] x;
    private final float[] y;

    private ScanModel(float[] x) {
        this.x = x;
        y = new float[x.length];
    }

    /** Running sums of the first columns of each row, which is in so many parts. */
    static RefArray sums(RefArray a, int columns, int parts) {
        int rows = Math.toIntExact(a.type().dim(0));
        int n = Math.toIntExact(a.type().dim(1));
        RefArray r = RefArray.zeros(Type.of(a.dtype(), rows, columns));
        for (int row = 0; row < rows; row++) {
            float[] line = new float[columns];
            for (int i = 0; i < columns; i++) line[i] = (float) a.getDouble(row * n + i);
            float[] sums = new ScanModel(line).inParts(parts);
            for (int i = 0; i < columns; i++) r.set(row * columns + i, sums[i]);
        }
        return r;
    }

    /** The same of whole numbers, which wrap. */
    static RefArray sums(RefArray a, int columns) {
        int rows = Math.toIntExact(a.type().dim(0));
        int n = Math.toIntExact(a.type().dim(1));
        RefArray r = RefArray.zeros(Type.of(a.dtype(), rows, columns));
        for (int row = 0; row < rows; row++) {
            long sum = 0;
            for (int i = 0; i < columns; i++) r.set(row * columns + i, sum += a.getLong(row * n + i));
        }
        return r;
    }

    /** Of each of the first columns the greatest from there on. */
    static RefArray greatestBackwards(RefArray a, int columns) {
        int rows = Math.toIntExact(a.type().dim(0));
        int n = Math.toIntExact(a.type().dim(1));
        RefArray r = RefArray.zeros(Type.of(a.dtype(), rows, columns));
        for (int row = 0; row < rows; row++) {
            long most = Long.MIN_VALUE;
            for (int i = columns - 1; i >= 0; i--)
                r.set(row * columns + i, most = Math.max(most, a.getLong(row * n + i)));
        }
        return r;
    }

    private float[] inParts(int parts) {
        int all = TILE * parts;
        int length = parts == 1 ? x.length : (x.length + all - 1) / all * TILE;
        float[] totals = new float[parts];
        for (int p = 0; p < parts; p++) {
            int from = Math.min(p * length, x.length);
            int end = Math.min(from + length, x.length);
            float[] before = new float[THREADS];
            System.arraycopy(totals, 0, before, 0, p);
            scan(from, end, parts == 1 ? 0 : inCta(before).all);
            if (p < parts - 1) totals[p] = total(from, end);
        }
        return y;
    }

    /** What a part adds up to, by the first kernel. */
    private float total(int from, int end) {
        float[][] own = new float[THREADS][WIDTH];
        int whole = from + (end - from) / TILE * TILE;
        for (int i = from; i < whole; i++) own[(i - from) % TILE / WIDTH][(i - from) % WIDTH] += x[i];
        for (int i = whole; i < end; i++) own[(i - whole) % THREADS][0] += x[i];
        float[] mine = new float[THREADS];
        for (int t = 0; t < THREADS; t++) mine[t] = own[t][0] + own[t][1] + own[t][2] + own[t][3];
        return inCta(mine).all;
    }

    private void scan(int from, int end, float carry) {
        int whole = from + (end - from) / TILE * TILE;
        float before = carry;
        for (int i = from; i < whole; i += TILE) before = tile(i, end, WIDTH, before);
        for (int i = whole; i < end; i += THREADS) before = tile(i, end, 1, before);
    }

    /** Scans a tile whose threads have as many neighbours; what is beyond the end is 0. */
    private float tile(int from, int end, int width, float carry) {
        float[][] own = new float[THREADS][width];
        float[] last = new float[THREADS];
        for (int t = 0; t < THREADS; t++) {
            for (int k = 0; k < width; k++) {
                int i = from + t * width + k;
                float v = i < end ? x[i] : 0;
                own[t][k] = k == 0 ? v : own[t][k - 1] + v;
            }
            last[t] = own[t][width - 1];
        }
        Scanned s = inCta(last);
        for (int t = 0; t < THREADS; t++) {
            float prefix = carry + s.before[t];
            for (int k = 0; k < width && from + t * width + k < end; k++) y[from + t * width + k] = prefix + own[t][k];
        }
        return carry + s.all;
    }

    /** Warps by distances that double, then warps one after the other. */
    private static Scanned inCta(float[] mine) {
        float[] inclusive = mine.clone();
        for (int distance = 1; distance < WARP; distance *= 2) {
            float[] now = inclusive.clone();
            for (int t = 0; t < THREADS; t++) if (t % WARP >= distance) inclusive[t] = now[t - distance] + now[t];
        }
        float[] before = new float[THREADS];
        float all = 0;
        for (int first = 0; first < THREADS; first += WARP) {
            for (int t = first; t < first + WARP; t++) before[t] = all + (t == first ? 0 : inclusive[t - 1]);
            float cell = inclusive[first + WARP - 1];
            all = first == 0 ? cell : all + cell;
        }
        return new Scanned(before, all);
    }
}
