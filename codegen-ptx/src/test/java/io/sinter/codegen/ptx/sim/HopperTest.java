// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.sim.SimFault.Kind;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What sm_90 adds: mbarriers, bulk and tensor copies, products by warpgroups, clusters. */
class HopperTest {
    private static final String PRODUCT = """
            .version 8.0
            .target sm_90a
            .address_size 64
            .visible .entry product(.param .align 64 .b8 ma[128], .param .align 64 .b8 mb[128], .param .u64 out) {
                .reg .b32 %t, %a, %b, %bar, %z, %w, %l, %row, %at, %x; .reg .b64 %m<2>, %o, %d<4>; .reg .f32 %f<8>; .reg .pred %lead, %p, %yes;
                .shared .align 1024 .b8 a[8192];
                .shared .align 1024 .b8 b[2048];
                .shared .align 8 .b8 bar[8];
                mov.u32 %t, %tid.x;
                mov.u32 %a, a;
                mov.u32 %b, b;
                mov.u32 %bar, bar;
                mov.u32 %z, 0;
                mov.b64 %m0, ma; cvta.param.u64 %m0, %m0;
                mov.b64 %m1, mb; cvta.param.u64 %m1, %m1;
                setp.eq.u32 %lead, %t, 0;
                @%lead mbarrier.init.shared.b64 [%bar], 1;
                bar.sync 0;
                @%lead mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 10240;
                @%lead cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%a], [%m0, {%z, %z}], [%bar];
                @%lead cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%b], [%m1, {%z, %z}], [%bar];
            W:  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;
                @!%p bra W;
                // Rows of 128 bytes, swizzled; 1024 bytes from 8 rows to the next.
                shr.u32 %x, %a, 4; cvt.u64.u32 %d0, %x; or.b64 %d0, %d0, 0x4000004000010000;
                shr.u32 %x, %b, 4; cvt.u64.u32 %d1, %x; or.b64 %d1, %d1, 0x4000004000010000;
                setp.ne.u32 %yes, %z, 0;
                wgmma.fence.sync.aligned;
            """;
    private static final String MULTIPLY = """
                wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7}, %d0, %d1, %yes, 1, 1, 0, 0;
                add.s64 %d0, %d0, 2; add.s64 %d1, %d1, 2; setp.eq.u32 %yes, %z, 0;
            """;
    private static final String REST = """
                shr.u32 %w, %t, 5; and.b32 %l, %t, 31;
                shr.u32 %row, %l, 2; mad.lo.u32 %row, %w, 16, %row;
                and.b32 %x, %l, 3; shl.b32 %x, %x, 1; mad.lo.u32 %at, %row, 16, %x;
                ld.param.u64 %o, [out]; mad.wide.u32 %o, %at, 4, %o;
                st.global.v2.f32 [%o], {%f0, %f1};
                st.global.v2.f32 [%o+512], {%f2, %f3};
                st.global.v2.f32 [%o+32], {%f4, %f5};
                st.global.v2.f32 [%o+544], {%f6, %f7};
                ret;
            }
            """;
    private static final String WAIT = "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n";
    private static final String WHOLE = PRODUCT + MULTIPLY.repeat(4) + WAIT + REST;

    private static short bf16(double v) {
        return (short) Floats.encode(PtxType.BF16, v, Rounding.RN);
    }

    private static float value(short v) {
        return Float.intBitsToFloat(v << 16);
    }

    private static short[] random(int n, Random r) {
        short[] x = new short[n];
        for (int i = 0; i < n; i++) x[i] = bf16(r.nextGaussian());
        return x;
    }

    private static void product(String ptx, long seed, boolean compare) {
        Random r = new Random(seed);
        Launcher l = new Launcher(ptx, SimOptions.DEFAULT.withSeed(seed));
        short[] a = random(64 * 64, r);
        short[] b = random(16 * 64, r);
        byte[] ma = TensorMap.encode(2, l.buffer(a), new long[] {64, 64}, new long[] {128}, new int[] {64, 64}, 128);
        byte[] mb = TensorMap.encode(2, l.buffer(b), new long[] {64, 16}, new long[] {128}, new int[] {64, 16}, 128);
        long out = l.empty(64 * 16 * 4);
        l.launch("product", Dim3.of(1), Dim3.of(128), ma, mb, out);
        if (!compare) return;
        float[] got = l.floats(out, 64 * 16);
        for (int i = 0; i < 64; i++) {
            for (int j = 0; j < 16; j++) {
                double want = 0;
                for (int k = 0; k < 64; k++) want += value(a[64 * i + k]) * value(b[64 * j + k]);
                assertEquals(want, got[16 * i + j], 1e-4, i + ", " + j);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void productOfTilesThatTensorCopiesBring(long seed) {
        product(WHOLE, seed, true);
    }

    private static Kind fault(String ptx) {
        return assertThrows(SimFault.class, () -> product(ptx, 1, false)).kind();
    }

    @Test
    void missingWaits() {
        assertEquals(Kind.ASYNC_NOT_WAITED, fault(WHOLE.replace(WAIT, "wgmma.commit_group.sync.aligned;\n")));
        assertEquals(
                Kind.ASYNC_NOT_WAITED, fault(WHOLE.replace("wait_group.sync.aligned 0", "wait_group.sync.aligned 1")));
        String noWait = WHOLE.replace("W:  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;", "")
                .replace("@!%p bra W;", "");
        Kind k = fault(noWait);
        assertTrue(k == Kind.ASYNC_NOT_WAITED || k == Kind.RACE || k == Kind.UNINITIALIZED_MEMORY, k.toString());
        assertEquals(Kind.DEADLOCK, fault(WHOLE.replace("10240", "10256")));
        assertEquals(Kind.DEADLOCK, fault(WHOLE.replace("[%bar], 1;", "[%bar], 2;")));
    }

    @Test
    void bulkCopyThereAndBack() {
        String ptx = """
                .version 8.0
                .target sm_90
                .address_size 64
                .visible .entry k(.param .u64 x, .param .u64 y) {
                    .reg .b32 %t, %s, %bar; .reg .b64 %x, %y; .reg .pred %lead, %p;
                    .shared .align 128 .b8 s[512];
                    .shared .align 8 .b8 bar[8];
                    ld.param.u64 %x, [x]; ld.param.u64 %y, [y];
                    mov.u32 %t, %tid.x; mov.u32 %s, s; mov.u32 %bar, bar;
                    setp.eq.u32 %lead, %t, 0;
                    @%lead mbarrier.init.shared.b64 [%bar], 1;
                    bar.sync 0;
                    @!%lead bra W;
                    mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 512;
                    cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%s], [%x], 512, [%bar];
                W:  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;
                    @!%p bra W;
                    bar.sync 0;
                    @!%lead bra E;
                    fence.proxy.async.shared::cta;
                    cp.async.bulk.global.shared::cta.bulk_group [%y], [%s], 512;
                    cp.async.bulk.commit_group;
                    cp.async.bulk.wait_group 0;
                E:  ret;
                }
                """;
        Launcher l = new Launcher(ptx);
        int[] x = new Random(1).ints(128).toArray();
        long y = l.empty(512);
        l.launch("k", Dim3.of(1), Dim3.of(64), l.buffer(x), y);
        assertArrayEquals(x, l.ints(y, 128));
    }

    /** One copy fills the shared memory of all CTAs of a mask, and each one's own barrier counts its bytes. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void tensorCopiesToSeveralCtas(long seed) {
        String ptx = """
                .version 8.0
                .target sm_90
                .address_size 64
                .visible .entry k(.param .align 64 .b8 map[128], .param .u64 y)
                .reqnctapercluster 2
                {
                    .reg .b16 %mask; .reg .b32 %t, %s, %r, %bar, %z, %i, %v; .reg .b64 %m, %y; .reg .pred %lead, %first, %p;
                    .shared .align 128 .b8 s[256];
                    .shared .align 8 .b8 bar[8];
                    mov.u32 %t, %tid.x; mov.u32 %s, s; mov.u32 %bar, bar; mov.u32 %z, 0; mov.u16 %mask, 3;
                    mov.b64 %m, map; cvta.param.u64 %m, %m;
                    mov.u32 %r, %cluster_ctarank;
                    setp.eq.u32 %lead, %t, 0;
                    @%lead mbarrier.init.shared.b64 [%bar], 1;
                    @%lead fence.mbarrier_init.release.cluster;
                    @%lead mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 256;
                    barrier.cluster.arrive.release.aligned;
                    barrier.cluster.wait.acquire.aligned;
                    setp.eq.and.u32 %first, %r, 0, %lead;
                    @%first cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%s], [%m, {%z, %z}], [%bar], %mask;
                W:  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;
                    @!%p bra W;
                    mad.lo.u32 %s, %t, 4, %s; ld.shared.u32 %v, [%s];
                    mov.u32 %i, %ctaid.x; mad.lo.u32 %i, %i, 64, %t;
                    ld.param.u64 %y, [y]; mad.wide.u32 %y, %i, 4, %y;
                    st.global.u32 [%y], %v;
                    barrier.cluster.arrive.release.aligned;
                    barrier.cluster.wait.acquire.aligned;
                    ret;
                }
                """;
        Launcher l = new Launcher(ptx, SimOptions.DEFAULT.withSeed(seed));
        int[] x = new Random(seed).ints(64).toArray();
        long y = l.empty(2 * 256);
        byte[] map = TensorMap.encode(4, l.buffer(x), new long[] {16, 4}, new long[] {64}, new int[] {16, 4}, 0);
        l.launch("k", Dim3.of(2), Dim3.of(64), map, y);
        int[] got = l.ints(y, 128);
        for (int i = 0; i < 128; i++) assertEquals(x[i % 64], got[i], "CTA " + i / 64 + ", " + i % 64);
        // A CTA that the copy does not reach waits for ever.
        Launcher alone = new Launcher(ptx.replace("%mask, 3", "%mask, 1"), SimOptions.DEFAULT.withSeed(seed));
        byte[] other = TensorMap.encode(4, alone.buffer(x), new long[] {16, 4}, new long[] {64}, new int[] {16, 4}, 0);
        long z = alone.empty(2 * 256);
        SimFault fault = assertThrows(SimFault.class, () -> alone.launch("k", Dim3.of(2), Dim3.of(64), other, z));
        assertEquals(Kind.DEADLOCK, fault.kind());
    }

    @Test
    void clustersReadEachOthersSharedMemory() {
        String ptx = """
                .version 8.0
                .target sm_90
                .address_size 64
                .visible .entry k(.param .u64 y)
                .reqnctapercluster 2
                {
                    .reg .b32 %t, %s, %r, %o, %v, %i; .reg .b64 %y;
                    .shared .align 4 .b8 s[128];
                    mov.u32 %t, %tid.x; mov.u32 %s, s; mov.u32 %i, %ctaid.x;
                    mad.lo.u32 %s, %t, 4, %s; mad.lo.u32 %v, %i, 100, %t;
                    st.shared.u32 [%s], %v;
                    barrier.cluster.arrive.release.aligned;
                    barrier.cluster.wait.acquire.aligned;
                    mov.u32 %r, %cluster_ctarank; xor.b32 %r, %r, 1;
                    mapa.shared::cluster.u32 %o, %s, %r;
                    ld.shared::cluster.u32 %v, [%o];
                    ld.param.u64 %y, [y]; mad.lo.u32 %i, %i, 32, %t; mad.wide.u32 %y, %i, 4, %y;
                    st.global.u32 [%y], %v;
                    barrier.cluster.arrive.release.aligned;
                    barrier.cluster.wait.acquire.aligned;
                    ret;
                }
                """;
        Launcher l = new Launcher(ptx);
        long y = l.empty(4 * 128);
        l.launch("k", Dim3.of(4), Dim3.of(32), y);
        int[] got = l.ints(y, 128);
        for (int i = 0; i < 128; i++) assertEquals((i / 32 ^ 1) * 100 + i % 32, got[i], "element " + i);
    }

    @Test
    void tensorCopiesFillWhatIsOutOfBounds() {
        String ptx = """
                .version 8.0
                .target sm_90
                .address_size 64
                .visible .entry k(.param .align 64 .b8 m[128], .param .u64 y) {
                    .reg .b32 %t, %s, %bar, %c, %r, %v; .reg .b64 %m, %y; .reg .pred %lead, %p;
                    .shared .align 128 .b8 s[128];
                    .shared .align 8 .b8 bar[8];
                    mov.b64 %m, m; cvta.param.u64 %m, %m;
                    mov.u32 %t, %tid.x; mov.u32 %s, s; mov.u32 %bar, bar; mov.u32 %c, -2; mov.u32 %r, 3;
                    setp.eq.u32 %lead, %t, 0;
                    @%lead mbarrier.init.shared.b64 [%bar], 1;
                    bar.sync 0;
                    @!%lead bra W;
                    mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 128;
                    cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%s], [%m, {%c, %r}], [%bar];
                W:  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;
                    @!%p bra W;
                    mad.lo.u32 %s, %t, 4, %s; ld.shared.u32 %v, [%s];
                    ld.param.u64 %y, [y]; mad.wide.u32 %y, %t, 4, %y; st.global.u32 [%y], %v;
                    ret;
                }
                """;
        Launcher l = new Launcher(ptx);
        int[] x = new Random(1).ints(5 * 8).toArray();
        byte[] m = TensorMap.encode(4, l.buffer(x), new long[] {8, 5}, new long[] {32}, new int[] {8, 4}, 0);
        long y = l.empty(128);
        l.launch("k", Dim3.of(1), Dim3.of(32), m, y);
        int[] got = l.ints(y, 32);
        for (int i = 0; i < 32; i++) {
            int row = 3 + i / 8;
            int column = i % 8 - 2;
            assertEquals(row < 5 && column >= 0 ? x[8 * row + column] : 0, got[i], "element " + i);
        }
    }
}
