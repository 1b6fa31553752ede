// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** How the rows of a product are cut into tiles. */
class GemmPlanTest {
    /** The plan of c = a · bᵀ, all of them dense. */
    private static GemmPlan plan(long m, long n, long k, GemmTiles tiles) {
        long size = tiles.dtype().bytes();
        return plan(m, n, k, tiles, new long[] {GemmView.PLAIN, 1 << 20, k * size, size});
    }

    private static GemmPlan plan(long m, long n, long k, GemmTiles tiles, long[] a) {
        long size = tiles.dtype().bytes();
        long[] sizes = {0, 1, 1, 1, m, n, k};
        long[] b = {GemmView.PLAIN, 2 << 20, k * size, size};
        long[] c = {GemmView.PLAIN, 3 << 20, n * size, size};
        long[] numbers = Arrays.copyOf(sizes, sizes.length + a.length + b.length + c.length);
        System.arraycopy(a, 0, numbers, 7, 4);
        System.arraycopy(b, 0, numbers, 11, 4);
        System.arraycopy(c, 0, numbers, 15, 4);
        return new GemmPlan(numbers, tiles, GemmForm.TABLE);
    }

    /** As few tiles as can be, whose heights differ by one at most, and the high ones first. */
    @Test
    void tilesAreEven() {
        for (int most : new int[] {1, 4, 6, 8}) {
            for (int rows = 1; rows <= 96; rows++) {
                int tiles = 0;
                int left = rows;
                int first = GemmPlan.height(rows, most);
                int height = first;
                for (; left > 0; left -= height, tiles++) {
                    int next = GemmPlan.height(left, most);
                    assertTrue(next <= height && next >= first - 1 && next >= 1, rows + " rows by " + most);
                    height = next;
                }
                assertEquals(0, left);
                assertEquals((rows + most - 1) / most, tiles, rows + " rows by " + most);
            }
        }
    }

    /** As few passes along k as can be, of one length but for the last; short ones where the tall operand is packed for each block. */
    @Test
    void passesAreEven() {
        GemmTiles tiles = GemmTileSets.of(DType.F32, 512);
        for (int k : new int[] {1, 64, 1024, 1025, 1500, 2047}) {
            long passes = GemmPlan.ceilDiv(k, GemmPlan.K_BLOCK);
            GemmPlan plan = plan(300, 300, k, tiles);
            assertEquals(passes, GemmPlan.ceilDiv(k, plan.kBlock), plan::toString);
            assertTrue(
                    plan.kBlock <= GemmPlan.K_BLOCK && plan.kBlock < GemmPlan.ceilDiv(k, passes) + 64, plan::toString);
        }
        // Of a, elements along k lie 3000 floats apart: they are packed.
        long[] apart = {GemmView.PLAIN, 1 << 20, 4, 12_000};
        assertEquals(256, plan(3000, 300, 1024, tiles, apart).kBlock);
    }

    /** What is compiled before a kernel runs is all that it will need. */
    @Test
    void heightsAreAllThatOccur() {
        Random random = new Random(5);
        for (int bits : new int[] {0, 512}) {
            GemmTiles tiles = GemmTileSets.of(DType.F32, bits);
            for (int i = 0; i < 400; i++) {
                int most = i % 2 == 0 ? 130 : 3000;
                GemmPlan plan =
                        plan(1 + random.nextInt(most), 9 + random.nextInt(most), 16 + random.nextInt(1500), tiles);
                TreeSet<Integer> occur = new TreeSet<>();
                for (long from = 0; from < plan.rows; from += plan.blockRows) {
                    int rows = (int) Math.min(plan.blockRows, plan.rows - from);
                    for (int strip = 0; strip < rows; strip += plan.stripRows) {
                        int left = Math.min(plan.stripRows, rows - strip);
                        for (int h; left > 0; left -= h) occur.add(h = GemmPlan.height(left, tiles.rows()));
                    }
                }
                TreeSet<Integer> known = new TreeSet<>();
                for (int h : plan.heights(tiles.rows())) known.add(h);
                assertEquals(occur, known, plan::toString);
            }
        }
    }
}
