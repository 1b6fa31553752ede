// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link GemmTiles#pixels} and {@link GemmTiles#pixels3x3} in vectors against those in plain Java, bit by bit, with infinities and NaN at the edges. */
class PixelTilesTest {
    private static final int PITCH = 75;
    private static final int ROWS = 16;

    @Test
    void pixels() {
        for (DType t : List.of(DType.F32, DType.F64)) {
            for (int bits : new int[] {512, 256, 128}) {
                for (int columns : new int[] {1, 7, 16, 20, 32}) {
                    for (int rows : new int[] {1, 3, 7, 9}) {
                        for (int k : new int[] {1, 4, 9}) {
                            compare(
                                    t,
                                    bits,
                                    columns,
                                    (tiles, m) -> tiles.pixels(
                                            rows, columns, m.a(), m.table(), m.b(), m.row(), m.c(), m.row(), k));
                        }
                    }
                }
            }
        }
    }

    @Test
    void threeByThree() {
        for (DType t : List.of(DType.F32, DType.F64)) {
            for (int bits : new int[] {512, 256, 128}) {
                for (int columns : new int[] {1, 8, 13, 16, 33}) {
                    for (int step : new int[] {1, -1, 2}) {
                        int width = (columns - 1) * Math.abs(step) + 3;

                        int[][] rows = {{1, 0, 3}, {1, 1, 2}, {5, 0, 7}, {5, 1, 6}, {4, 2, 3}, {4, 3, 3}, {6, 7, 8}};
                        for (int[] r : rows) {
                            for (int[] seen : new int[][] {{0, width}, {1, width - 1}, {2, width - 2}, {1, 1}}) {
                                compare(
                                        t,
                                        bits,
                                        columns,
                                        (tiles, m) -> tiles.pixels3x3(
                                                step,
                                                r[0],
                                                columns,
                                                m.a(),
                                                m.table(),
                                                m.b(),
                                                m.row(),
                                                r[1],
                                                r[2],
                                                seen[0],
                                                Math.max(seen[0], seen[1]),
                                                m.zeros(),
                                                m.c(),
                                                m.row()));
                            }
                        }
                    }
                }
            }
        }
    }

    /** Of small integers, whose sums are exact in any order. */
    @Test
    void gradientOfThreeByThree() {
        for (DType t : List.of(DType.F32, DType.F64)) {
            for (int bits : new int[] {512, 256, 128}) {
                for (int columns : new int[] {1, 8, 13, 16, 33}) {
                    for (int step : new int[] {1, 2}) {
                        int width = (columns - 1) * step + 3;
                        int[][] rows = {{1, 0, 3}, {1, 1, 2}, {5, 0, 7}, {5, 1, 6}, {4, 2, 3}, {4, 3, 3}, {6, 7, 8}};
                        for (int[] r : rows) {
                            for (int[] seen : new int[][] {{0, width}, {1, width - 1}, {2, width - 2}, {1, 1}}) {
                                compare(t, bits, columns, true, (tiles, m) -> {
                                    int end = Math.max(seen[0], seen[1]);
                                    tiles.taps3x3(
                                            step,
                                            r[0],
                                            columns,
                                            m.b(),
                                            m.row(),
                                            m.b() + m.row(),
                                            m.row(),
                                            r[1],
                                            r[2],
                                            seen[0],
                                            end,
                                            m.zeros(),
                                            m.sums());
                                    tiles.laneSums(9, m.sums(), m.c(), m.row());
                                });
                            }
                        }
                    }
                }
            }
        }
    }

    /** An infinity in the last column makes the sums of the taps infinite that see it, and no others: lanes behind the last pixel count for nothing. */
    @Test
    void anInfinityReachesTheTapsThatSeeIt() {
        int columns = 13;
        int rows = 3;
        for (int bits : new int[] {512, 256, 128, 0}) {
            for (int step : new int[] {1, 2}) {
                GemmTiles tiles = GemmTileSets.of(DType.F32, bits);
                int width = (columns - 1) * step + 3;
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment b = arena.allocate(4L * PITCH * ROWS, 64);
                    MemorySegment a = arena.allocate(4L * PITCH * ROWS, 64);
                    for (int i = 0; i < PITCH * ROWS; i++) {
                        b.setAtIndex(ValueLayout.JAVA_FLOAT, i, i % PITCH == width - 1 ? Float.POSITIVE_INFINITY : 1);
                        a.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
                    }
                    long zeros = arena.allocate(tiles.zeroBytes(), 64).address();
                    long sums = arena.allocate(9L * 4 * tiles.lanes(), 64).address();
                    MemorySegment c = arena.allocate(9 * 4L, 64);
                    tiles.taps3x3(
                            step,
                            rows,
                            columns,
                            a.address(),
                            4L * PITCH,
                            b.address(),
                            4L * PITCH,
                            0,
                            (rows - 1) * step + 3,
                            0,
                            width,
                            zeros,
                            sums);
                    tiles.laneSums(9, sums, c.address(), 4);
                    for (int j = 0; j < 9; j++) {
                        float expected = j % 3 == 2 ? Float.POSITIVE_INFINITY : rows * columns;
                        assertEquals(expected, c.getAtIndex(ValueLayout.JAVA_FLOAT, j), bits + " bits, tap " + j);
                    }
                }
            }
        }
    }

    private record Places(long a, long table, long b, long zeros, long sums, long c, long row) {}

    private interface Call {
        void run(GemmTiles tiles, Places places);
    }

    private static void compare(DType t, int bits, int columns, Call call) {
        compare(t, bits, columns, false, call);
    }

    private static void compare(DType t, int bits, int columns, boolean whole, Call call) {
        int size = t.bytes();
        byte[][] results = new byte[2][];
        for (int vectors = 0; vectors < 2; vectors++) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment a = random(arena, t, 9, 1, whole);
                MemorySegment b = random(arena, t, PITCH * ROWS, 2, whole);
                MemorySegment table = arena.allocate(9 * 8L, 8);
                for (int j = 0; j < 9; j++) {
                    table.setAtIndex(ValueLayout.JAVA_INT, 2L * j, (8 - j) * size);
                    table.setAtIndex(ValueLayout.JAVA_INT, 2L * j + 1, (j / 3 * PITCH + j % 3) * size);
                }
                MemorySegment zeros = arena.allocate((32 + 2L) * size, 8);
                MemorySegment sums = arena.allocate(9L * 16 * size, 64);
                MemorySegment c = random(arena, t, PITCH * ROWS, 3, whole);
                Places places = new Places(
                        a.address(),
                        table.address(),
                        b.address(),
                        zeros.address(),
                        sums.address(),
                        c.address(),
                        (long) PITCH * size);
                call.run(GemmTileSets.of(t, vectors * bits), places);
                results[vectors] = c.toArray(ValueLayout.JAVA_BYTE);
            }
        }
        assertArrayEquals(results[0], results[1], t + ", " + bits + " bits, " + columns + " columns");
    }

    private static MemorySegment random(Arena arena, DType t, int count, int seed, boolean whole) {
        Random random = new Random(seed);
        MemorySegment s = arena.allocate((long) count * t.bytes(), 64);
        for (int i = 0; i < count; i++) {
            double x = whole
                    ? random.nextInt(9) - 4
                    : random.nextInt(200) == 0 ? Double.POSITIVE_INFINITY : random.nextGaussian();
            if (t == DType.F32) s.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) x);
            else s.setAtIndex(ValueLayout.JAVA_DOUBLE, i, x);
        }
        return s;
    }
}
