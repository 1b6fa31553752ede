// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Var;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Products that are too large to be counted in 32 bits are refused, before anything is launched. */
class LaunchRuleTest {
    private static final long MOST = Integer.MAX_VALUE;

    private static List<Var> vars(long... extents) {
        return IntStream.range(0, extents.length)
                .mapToObj(i -> new Var("v" + i, Coef.of(extents[i])))
                .toList();
    }

    private static LaunchRule.Shape product(List<Var> batch, List<Var> rows) {
        GemmSchedule.Tile tile = new GemmSchedule.Tile(64, 64, 8, 2, 2, 2);
        GemmSchedule form = new GemmSchedule(GemmSchedule.Math.FMA, tile, Source.CODE, Source.CODE, 1);
        return new LaunchRule.Tiles(batch, rows, vars(64), vars(8), form, 4, 1000, 0).shape(_ -> 0);
    }

    private static String refusal(List<Var> batch, List<Var> rows) {
        return assertThrows(UnsupportedOperationException.class, () -> product(batch, rows))
                .getMessage();
    }

    private static LaunchRule.Shape rows(long count, long length, long scratchBytes) {
        return new LaunchRule.Teams(
                        List.of(Coef.of(count)), List.of(Coef.of(length)), true, LaunchRule.MAX_TEAM, 4, scratchBytes)
                .shape(_ -> 0);
    }

    /** Many rows are a warp's each; of few rows more threads share each. */
    @Test
    void manyThreadsAreBusy() {
        assertEquals(new LaunchRule.Shape(32, 8, 8192, 0, 0), rows(65536, 1024, 0));
        assertEquals(new LaunchRule.Shape(128, 1, 64, 0, 0), rows(64, 1024, 0));
        assertEquals(new LaunchRule.Shape(512, 1, 64, 0, 0), rows(64, 100_000, 0));
    }

    /** Private memory is in shared memory, unless it would fill it. */
    @Test
    void smallPrivateMemoryIsShared() {
        assertEquals(new LaunchRule.Shape(32, 8, 512, 0, 32768), rows(65536, 1024, 4096));
        assertEquals(new LaunchRule.Shape(32, 8, 512, 512 * 8 * 4100, 0), rows(65536, 1024, 4100));
    }

    @Test
    void tilesAreCountedIn32Bits() {
        assertEquals(1000, product(vars(MOST), vars(64)).ctas());
        assertEquals(
                "a matrix product of 4294967294 tiles, but kernels count to 2147483647: split its batch",
                refusal(vars(MOST), vars(65)));
    }

    /** One axis alone needs no division. */
    @Test
    void positionsOfSeveralAxesAreCountedIn32Bits() {
        assertEquals(1000, product(vars(1), vars(3L << 30)).ctas());
        assertEquals(1000, product(vars(1), vars(1 << 15, 65535)).ctas());
        assertEquals(
                "a matrix product with 3221225472 positions along the axes v0, v1,"
                        + " but kernels count to 2147483647 where several axes are one: split the largest",
                refusal(vars(1), vars(1 << 30, 3)));
    }
}
