// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tiles of every shape against sums in plain Java, bit by bit, with operands that lie upwards and downwards in memory: views may be reversed along any axis. */
class VectorTilesTest {
    private static final int K = 9;
    /** Elements between the rows of all operands, and before the first and behind the last. */
    private static final int PITCH = 80;

    private static final int ROOM = PITCH * 16;

    /** What a test works on: three operands and a table, and where their element 0 is. */
    private final class Operands {
        final MemorySegment a;
        final MemorySegment b;
        final MemorySegment c;
        final MemorySegment table;
        final DType dtype;

        Operands(Arena arena, DType dtype) {
            this.dtype = dtype;
            a = random(arena, 1);
            b = random(arena, 2);
            c = random(arena, 3);
            table = arena.allocate(8 * (K + 1), 8);
        }

        private MemorySegment random(Arena arena, long seed) {
            MemorySegment s = arena.allocate(2L * ROOM * dtype.bytes(), 64);
            Random r = new Random(seed);
            for (long i = 0; i < 2 * ROOM; i++) set(s, i - ROOM, r.nextGaussian());
            return s;
        }

        long address(MemorySegment of, long element) {
            return of.address() + (ROOM + element) * dtype.bytes();
        }

        double get(MemorySegment of, long element) {
            return dtype == DType.F32
                    ? of.getAtIndex(ValueLayout.JAVA_FLOAT, ROOM + element)
                    : of.getAtIndex(ValueLayout.JAVA_DOUBLE, ROOM + element);
        }

        private void set(MemorySegment of, long element, double value) {
            if (dtype == DType.F32) of.setAtIndex(ValueLayout.JAVA_FLOAT, ROOM + element, (float) value);
            else of.setAtIndex(ValueLayout.JAVA_DOUBLE, ROOM + element, value);
        }

        double fma(double x, double y, double sum) {
            return dtype == DType.F32 ? Math.fma((float) x, (float) y, (float) sum) : Math.fma(x, y, sum);
        }
    }

    private interface Place {
        long of(int row, int k);
    }

    /** Calls a method of tiles of so many rows and vectors. */
    private interface Call {
        void run(Operands o, GemmTiles tiles, int rows, int vectors);
    }

    private void check(DType dtype, int bits, Place a, Place b, Call call) {
        check(dtype, bits, false, a, b, call);
    }

    /** @param adds whether the products are added to what is in c */
    private void check(DType dtype, int bits, boolean adds, Place a, Place b, Call call) {
        GemmTiles tiles = GemmTileSets.of(dtype, bits);
        for (int rows = 1; rows <= tiles.rows(); rows++) {
            for (int vectors = 1; vectors <= tiles.vectors(); vectors++) {
                try (Arena arena = Arena.ofConfined()) {
                    Operands o = new Operands(arena, dtype);
                    Operands before = new Operands(arena, dtype);
                    call.run(o, tiles, rows, vectors);
                    for (int r = 0; r < rows; r++) {
                        for (int x = 0; x < vectors * tiles.lanes(); x++) {
                            double sum = 0;
                            for (int k = 0; k < K; k++)
                                sum = o.fma(o.get(o.a, a.of(r, k)), o.get(o.b, b.of(0, k) + x), sum);
                            long at = (long) r * PITCH + x;
                            if (adds) sum = o.fma(1, before.get(before.c, at), sum);
                            assertEquals(sum, o.get(o.c, at), rows + " × " + vectors);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "1,1,-1", "1,-1,1", "-1,1,1", "-1,-1,-1"})
    void tile(int row, int k, int wide) {
        tile(false, row, k, wide);
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "-1,-1,-1"})
    void tileOnto(int row, int k, int wide) {
        tile(true, row, k, wide);
    }

    private void tile(boolean adds, int row, int k, int wide) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (int bits : new int[] {512, 256, 128}) {
                // a by rows, then by columns.
                for (int[] strides : new int[][] {{PITCH, 1}, {1, PITCH}}) {
                    long aRow = (long) row * strides[0];
                    long aK = (long) k * strides[1];
                    long bK = (long) wide * PITCH;
                    long size = t.bytes();
                    check(
                            t,
                            bits,
                            adds,
                            (r, j) -> r * aRow + j * aK,
                            (_, j) -> j * bK,
                            (o, tiles, rows, vectors) -> tiles.tile(
                                    adds,
                                    rows,
                                    vectors,
                                    o.address(o.a, 0),
                                    aRow * size,
                                    aK * size,
                                    o.address(o.b, 0),
                                    bK * size,
                                    o.address(o.c, 0),
                                    PITCH * size,
                                    K));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,-1", "-1,1", "-1,-1"})
    void shifted(int row, int sign) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (int bits : new int[] {512, 256, 128}) {
                long size = t.bytes();
                long aRow = (long) row * PITCH;
                Place a = (r, k) -> r * aRow + (long) sign * k * k;
                Place b = (_, k) -> (long) -sign * (k * PITCH + k % 3);
                check(t, bits, a, b, (o, tiles, rows, vectors) -> {
                    for (int k = 0; k < K; k++) {
                        o.table.setAtIndex(ValueLayout.JAVA_INT, 2L * k, (int) (a.of(0, k) * size));
                        o.table.setAtIndex(ValueLayout.JAVA_INT, 2L * k + 1, (int) (b.of(0, k) * size));
                    }
                    tiles.shifted(
                            rows,
                            vectors,
                            o.address(o.a, 0),
                            aRow * size,
                            o.table.address(),
                            o.address(o.b, 0),
                            o.address(o.c, 0),
                            PITCH * size,
                            K);
                });
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,-1", "-1,1", "-1,-1"})
    void gathered(int row, int wide) {
        gathered(false, row, wide);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "-1,-1"})
    void gatheredOnto(int row, int wide) {
        gathered(true, row, wide);
    }

    private void gathered(boolean adds, int row, int wide) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (int bits : new int[] {512, 256, 128}) {
                long size = t.bytes();
                Place a = (r, k) -> (long) row * r * PITCH + k;
                long bK = (long) wide * PITCH;
                check(t, bits, adds, a, (_, k) -> k * bK, (o, tiles, rows, vectors) -> {
                    for (int r = 0; r < rows; r++)
                        o.table.setAtIndex(ValueLayout.JAVA_INT, r, (int) (a.of(r, 0) * size));
                    tiles.gathered(
                            adds,
                            rows,
                            vectors,
                            o.address(o.a, 0),
                            o.table.address(),
                            o.address(o.b, 0),
                            bK * size,
                            o.address(o.c, 0),
                            PITCH * size,
                            K);
                });
            }
        }
    }
}
