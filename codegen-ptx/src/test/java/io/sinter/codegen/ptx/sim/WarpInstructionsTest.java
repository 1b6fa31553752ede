// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What the lanes of a warp do together, one instruction at a time. */
class WarpInstructionsTest extends InstructionCheck {
    @Test
    void warps() {
        long[] a = integers(32);
        check("shfl.sync.bfly.b32 %d, %x, 5, 31, -1;", a, (w, lane) -> w[lane ^ 5]);
        check("shfl.sync.down.b32 %d, %x, 3, 31, -1;", a, (w, lane) -> w[lane + 3 < 32 ? lane + 3 : lane]);
        check("shfl.sync.up.b32 %d, %x, 3, 0, -1;", a, (w, lane) -> w[lane >= 3 ? lane - 3 : lane]);
        check("shfl.sync.idx.b32 %d, %x, 9, 0x181f, -1;", a, (w, lane) -> w[lane & 24 | 1]);
        check(
                "shfl.sync.down.b32 %d|%q0, %x, 4, 0x181f, -1; selp.b32 %d, %d, 77, %q0;",
                a, (w, lane) -> lane % 8 < 4 ? w[lane + 4] : 77);
        check("setp.gt.s32 %q0, %x, 0; vote.sync.ballot.b32 %d, %q0, -1;", a, (w, _) -> ballot(w));
        check(
                "setp.gt.s32 %q0, %x, 0; vote.sync.any.pred %q1, !%q0, -1; selp.b32 %d, 1, 0, %q1;",
                a, (w, _) -> ballot(w) == 0xffff_ffffL ? 0 : 1);
        check("redux.sync.add.s32 %d, %x, -1;", a, (w, _) -> LongStream.of(w).sum() & 0xffff_ffffL);
        check(
                "redux.sync.min.s32 %d, %x, -1;",
                a, (w, _) -> LongStream.of(w).map(v -> (int) v).min().getAsLong() & 0xffff_ffffL);
        check(
                "and.b32 %u0, %x, 3; match.any.sync.b32 %d, %u0, -1;",
                a, (w, lane) -> {
                    long m = 0;
                    for (int i = 0; i < 32; i++) if ((w[i] & 3) == (w[lane] & 3)) m |= 1L << i;
                    return m;
                });
        check("elect.sync %d|%q0, -1; selp.b32 %d, 5, 6, %q0;", a, (_, lane) -> lane == 0 ? 5 : 6);
        check("activemask.b32 %d;", a, (_, _) -> 0xffff_ffffL);
        check("mov.u32 %d, %lanemask_lt;", a, (_, lane) -> (1L << lane) - 1);
    }

    private interface OfWarp {
        long value(long[] warp, int lane);
    }

    private static long ballot(long[] w) {
        long m = 0;
        for (int i = 0; i < 32; i++) if ((int) w[i] > 0) m |= 1L << i;
        return m;
    }

    private static void check(String code, long[] a, OfWarp f) {
        long[] got = run(code, 32, 32, a, a, a);
        for (int i = 0; i < N; i++) {
            assertEquals(
                    f.value(Arrays.copyOfRange(a, i & ~31, (i & ~31) + 32), i & 31),
                    got[i],
                    code + " lane " + (i & 31));
        }
    }
}
