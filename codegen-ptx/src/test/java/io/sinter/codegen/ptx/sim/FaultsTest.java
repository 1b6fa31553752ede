// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.sim.SimFault.Kind;
import org.junit.jupiter.api.Test;

/** Every check: a kernel with a fault is found out, and the same without it runs. */
class FaultsTest {
    private static final String HEAD = """
            .version 8.0
            .target sm_90a
            .address_size 64
            .file 1 "step.ir"
            .visible .entry k(.param .u64 p) {
                .reg .b32 %r<20>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .pred %p<9>;
                .shared .align 128 .b8 s[1024];
                .shared .align 8 .b8 bar[8];
                .local .align 4 .b8 l[16];
                mov.u32 %r0, %tid.x;
                mov.u32 %r1, s;
                shl.b32 %r2, %r0, 2;
                add.u32 %r3, %r1, %r2;
                mov.u32 %r19, bar;
                ld.param.u64 %rd0, [p];
                cvta.to.global.u64 %rd1, %rd0;
                cvt.u64.u32 %rd2, %r2;
                add.u64 %rd3, %rd1, %rd2;
                .loc 1 42 7
            """;

    private static final int BODY = (int) HEAD.lines().count();

    private static void run(String body, int threads) {
        run(body, threads, SimOptions.DEFAULT);
    }

    private static void run(String body, int threads, SimOptions options) {
        Launcher l = new Launcher(HEAD + body + "\n ret;\n}\n", options);
        long buffer = l.empty(512);
        l.device.memory().fill(buffer, (byte) 1, 256);
        l.launch("k", Dim3.of(1), Dim3.of(threads), buffer);
    }

    /** The fault of a body, at a line of it from 1 on; for any order of warps. */
    private static SimFault fault(Kind kind, int line, int threads, String body) {
        SimFault last = null;
        for (int seed = 0; seed < 5; seed++) {
            SimOptions o = SimOptions.DEFAULT.withSeed(seed).withMaxInstructions(100_000);
            last = assertThrows(SimFault.class, () -> run(body, threads, o));
            assertEquals(kind, last.kind(), last.getMessage());
            if (line > 0) assertEquals(BODY + line, last.line(), last.getMessage());
        }
        return last;
    }

    private static void fine(int threads, String body) {
        for (int seed = 0; seed < 5; seed++) {
            SimOptions o = SimOptions.DEFAULT.withSeed(seed).withMaxInstructions(100_000);
            assertDoesNotThrow(() -> run(body, threads, o));
        }
    }

    @Test
    void globalBounds() {
        SimFault f = fault(Kind.OUT_OF_BOUNDS, 1, 32, "st.global.u32 [%rd1+512], 1;");
        assertEquals("step.ir:42:7", f.source());
        assertTrue(f.getMessage().contains("0 bytes past the end of the allocation of 512 bytes"), f.getMessage());
        fault(Kind.OUT_OF_BOUNDS, 1, 32, "ld.global.u32 %r5, [%rd1+-4];");
        fault(Kind.OUT_OF_BOUNDS, 1, 1, "ld.global.u32 %r5, [16];");
        fault(Kind.OUT_OF_BOUNDS, 1, 32, "ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%rd1+512];");
        fine(32, "st.global.u32 [%rd3], 1;");
    }

    @Test
    void freedMemory() {
        Launcher l = new Launcher(HEAD + "st.global.u32 [%rd1], 1; ret; }");
        long p = l.empty(64);
        l.device.memory().free(p);
        SimFault f = assertThrows(SimFault.class, () -> l.launch("k", Dim3.of(1), Dim3.of(1), p));
        assertTrue(f.getMessage().contains("has been freed"), f.getMessage());
        assertThrows(IllegalArgumentException.class, () -> l.device.memory().free(p));
        assertEquals(0, l.device.memory().used());
    }

    @Test
    void sharedBounds() {
        fault(Kind.OUT_OF_BOUNDS, 1, 32, "st.shared.u32 [%r3+1024], 1;");
        fault(Kind.OUT_OF_BOUNDS, 1, 32, "st.shared.u32 [%r3+-4], 1;");
        fault(Kind.OUT_OF_BOUNDS, 1, 1, "ld.shared.u32 %r5, [0];");
        fine(256, "st.shared.u32 [%r3], 1;");
    }

    @Test
    void localBounds() {
        fault(Kind.OUT_OF_BOUNDS, 1, 32, "st.local.u32 [l+16], 1;");
        fine(32, "st.local.u32 [l+12], 1; ld.local.u32 %r5, [l+12];");
    }

    @Test
    void alignment() {
        fault(Kind.MISALIGNED, 1, 32, "ld.global.u32 %r5, [%rd1+2];");
        fault(Kind.MISALIGNED, 1, 32, "ld.global.v2.u32 {%r5, %r6}, [%rd3];");
        fault(Kind.MISALIGNED, 1, 1, "st.shared.v4.u32 [%r1+8], {%r0, %r0, %r0, %r0};");
        fault(Kind.MISALIGNED, 1, 1, "cp.async.cg.shared.global [s], [%rd1+8], 16;");
        fine(1, "ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%rd1+16];");
    }

    @Test
    void spaces() {
        fault(Kind.WRONG_SPACE, 2, 1, "cvta.shared.u64 %rd4, %rd2;\n ld.global.u32 %r5, [%rd4+1024];");
        fault(Kind.WRONG_SPACE, 2, 1, "cvt.u64.u32 %rd4, %r1;\n ld.global.u32 %r5, [%rd4];");
        fault(Kind.WRONG_SPACE, 1, 1, "ld.shared.u32 %r5, [%rd1];");
        fault(Kind.WRONG_SPACE, 2, 1, "mov.u64 %rd4, p; cvta.param.u64 %rd4, %rd4;\n st.u32 [%rd4], 1;");
        fine(1, "cvt.u64.u32 %rd4, %r1; cvta.shared.u64 %rd4, %rd4; st.u32 [%rd4], 1; ld.shared.u32 %r5, [s];");
    }

    @Test
    void uninitializedRegisters() {
        SimFault f = fault(Kind.UNINITIALIZED_REGISTER, 1, 32, "add.u32 %r5, %r6, 1;");
        assertTrue(f.getMessage().contains("%r6 holds no value"), f.getMessage());
        // Written in some lanes only.
        fault(
                Kind.UNINITIALIZED_REGISTER,
                2,
                32,
                "setp.lt.u32 %p0, %r0, 16; @%p0 mov.u32 %r5, 1;\n add.u32 %r6, %r5, 1;");
        fault(Kind.UNINITIALIZED_REGISTER, 1, 32, "@%p3 mov.u32 %r5, 1;");
        fine(32, "setp.lt.u32 %p0, %r0, 16; @%p0 mov.u32 %r5, 1; @!%p0 mov.u32 %r5, 2; add.u32 %r6, %r5, 1;");
    }

    @Test
    void uninitializedMemory() {
        fault(Kind.UNINITIALIZED_MEMORY, 1, 32, "ld.global.u32 %r5, [%rd1+256];");
        fault(Kind.UNINITIALIZED_MEMORY, 1, 32, "ld.shared.u32 %r5, [%r3];");
        fault(Kind.UNINITIALIZED_MEMORY, 2, 32, "st.shared.u8 [%r3], 1;\n ld.shared.u32 %r5, [%r3];");
        fault(Kind.UNINITIALIZED_MEMORY, 1, 1, "atom.global.add.u32 %r5, [%rd1+400], 1;");
        fine(32, "st.shared.u32 [%r3], 1; ld.shared.u32 %r5, [%r3];");
    }

    @Test
    void copiesThatAreNotWaitedFor() {
        String copy = "cp.async.ca.shared.global [%r3], [%rd3], 4; cp.async.commit_group;\n";
        fault(Kind.ASYNC_NOT_WAITED, 2, 32, copy + "ld.shared.u32 %r5, [%r3];");
        fault(Kind.ASYNC_NOT_WAITED, 2, 32, copy + "cp.async.wait_group 1; ld.shared.u32 %r5, [%r3];");
        // An open group is not waited for by wait_group.
        fault(
                Kind.ASYNC_NOT_WAITED,
                1,
                32,
                "cp.async.ca.shared.global [%r3], [%rd3], 4; cp.async.wait_group 0; ld.shared.u32 %r5, [%r3];");
        fine(32, copy + "cp.async.wait_group 0; ld.shared.u32 %r5, [%r3];");
        fine(32, copy + copy.replace("%r3", "%r3+128") + "cp.async.wait_group 1; ld.shared.u32 %r5, [%r3];");
    }

    @Test
    void copiesAreVisibleToOthersAfterABarrier() {
        String copy =
                "xor.b32 %r6, %r2, 4; add.u32 %r6, %r6, %r1; cp.async.ca.shared.global [%r3], [%rd3], 4; cp.async.wait_all;\n";
        fault(Kind.RACE, 2, 32, copy + "ld.shared.u32 %r5, [%r6];");
        fine(64, copy + "bar.sync 0; ld.shared.u32 %r5, [%r6];");
    }

    @Test
    void races() {
        String neighbour =
                "st.shared.u32 [%r3], 0; bar.sync 0; xor.b32 %r6, %r2, 128; add.u32 %r6, %r6, %r1; st.shared.u32 [%r3], %r0;\n";
        fault(Kind.RACE, 0, 64, neighbour + "ld.shared.u32 %r5, [%r6];");
        fine(64, neighbour + "bar.sync 0; ld.shared.u32 %r5, [%r6];");
        // Written again before the readers are done.
        fault(Kind.RACE, 0, 64, neighbour + "bar.sync 0; ld.shared.u32 %r5, [%r6]; st.shared.u32 [%r3], 7;");
        fine(64, neighbour + "bar.sync 0; ld.shared.u32 %r5, [%r6]; bar.sync 0; st.shared.u32 [%r3], 7;");
        // All write one place.
        fault(Kind.RACE, 1, 32, "st.shared.u32 [%r1], %r0;");
        fine(
                64,
                "setp.eq.u32 %p0, %r0, 0; @%p0 st.shared.u32 [%r1], 0; bar.sync 0; atom.shared.add.u32 %r5, [%r1], 1; bar.sync 0; ld.shared.u32 %r5, [%r1];");
        fault(
                Kind.RACE,
                0,
                64,
                "setp.eq.u32 %p0, %r0, 0; @%p0 st.shared.u32 [%r1], 0; bar.sync 0; atom.shared.add.u32 %r5, [%r1], 1; ld.shared.u32 %r5, [%r1];");
    }

    @Test
    void lanesOfAWarpAreNotOrderedByLockstep() {
        String other = "xor.b32 %r6, %r2, 4; add.u32 %r6, %r6, %r1; st.shared.u32 [%r3], %r0;\n";
        fault(Kind.RACE, 2, 32, other + "ld.shared.u32 %r5, [%r6];");
        fine(32, other + "bar.warp.sync -1; ld.shared.u32 %r5, [%r6];");
        fine(32, other + "membar.cta; bar.warp.sync -1; ld.shared.u32 %r5, [%r6];");
    }

    /** A barrier of some lanes orders these alone. */
    @Test
    void lanesAreOrderedByBarriersOfTheirMask() {
        String begin =
                "setp.lt.u32 %p0, %r0, 16; xor.b32 %r6, %r2, DISTANCE; add.u32 %r6, %r6, %r1; st.shared.u32 [%r3], %r0;\n";
        String halves = " @%p0 bra L; bar.warp.sync -65536; bra J; L: bar.warp.sync 65535; J:\n";
        String exchange = begin + halves + "ld.shared.u32 %r5, [%r6];";
        fine(32, exchange.replace("DISTANCE", "4"));
        fault(Kind.RACE, 3, 32, exchange.replace("DISTANCE", "64"));
        // Two lanes have read what one of them then writes.
        String again = exchange.replace("DISTANCE", "4") + " ld.shared.u32 %r5, [%r3];";
        String third = halves.replace("L", "M").replace("J", "K");
        fine(32, again + third + "st.shared.u32 [%r3], 1;");
        fault(Kind.RACE, 4, 32, again + "\nst.shared.u32 [%r3], 1;");
    }

    /** What one lane of a warp learns at an mbarrier, or tells there, is not what its other lanes know, or did. */
    @Test
    void lanesLearnAtMbarriersForThemselves() {
        String init = "setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared.b64 [%r19], 32; bar.sync 0;"
                + " setp.ge.u32 %p1, %r0, 32; @!%p1 bra B;";
        String elected = init + " st.shared.u32 [%r3], 1; mbarrier.arrive.shared.b64 _, [%r19]; bra E; B: @!%p0 bra J;"
                + " W: mbarrier.try_wait.parity.shared.b64 %p2, [%r19], 0; @!%p2 bra W; J: WAIT\n"
                + "ld.shared.u32 %r5, [%r3+128]; E:";
        fine(64, elected.replace("WAIT", "bar.warp.sync -1;"));
        fault(Kind.RACE, 2, 64, elected.replace("WAIT", ""));
        String arrival = "setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared.b64 [%r19], 2; xor.b32 %r6, %r2, 4;"
                + " add.u32 %r6, %r6, %r1; st.shared.u32 [%r3], 1; @%p0 mbarrier.arrive.shared.b64 _, [%r19]; WAIT\n"
                + "ld.shared.u32 %r5, [%r6];";
        fine(32, arrival.replace("WAIT", "bar.warp.sync -1;"));
        fault(Kind.RACE, 2, 32, arrival.replace("WAIT", ""));
    }

    /** Of the threads that have read a place, those of the writer's own warp count, too, where another warp was first. */
    @Test
    void readersOfTheWritersWarpCount() {
        String body =
                "setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared.b64 [%r19], 32; @%p0 st.shared.u32 [%r1], 1; bar.sync 0;"
                        + " setp.ge.u32 %p1, %r0, 32; @%p1 bra B; ld.shared.u32 %r5, [%r1]; bar.arrive 1, 64;"
                        + " mbarrier.arrive.shared.b64 _, [%r19]; bra E; B: bar.sync 1, 64; ld.shared.u32 %r5, [%r1];"
                        + " W: mbarrier.try_wait.parity.shared.b64 %p2, [%r19], 0; @!%p2 bra W; WAIT setp.eq.u32 %p3, %r0, 37;\n"
                        + "@%p3 st.shared.u32 [%r1], 2; E:";
        fine(64, body.replace("WAIT", "bar.warp.sync -1;"));
        fault(Kind.RACE, 2, 64, body.replace("WAIT", ""));
    }

    @Test
    void smallAccessesShareNoGranule() {
        fine(32, "add.u32 %r6, %r1, %r0; st.shared.u8 [%r6], %r0; ld.shared.u8 %r5, [%r6];");
    }

    @Test
    void barriersUnderDivergence() {
        fault(Kind.DIVERGENT, 2, 32, "setp.lt.u32 %p0, %r0, 16;\n@%p0 bar.sync 0;");
        fault(Kind.DIVERGENT, 2, 32, "setp.lt.u32 %p0, %r0, 16; @%p0 bra L;\n bar.sync 0; L:");
        fine(32, "setp.lt.u32 %p0, %r0, 16; @%p0 bra L; add.u32 %r5, %r0, 1; L: bar.sync 0;");
        // Whole warps may go different ways to one barrier.
        fine(64, "setp.lt.u32 %p0, %r0, 32; @%p0 bra L; bar.sync 0; bra E; L: bar.sync 0; E:");
    }

    @Test
    void shufflesUnderDivergence() {
        fault(Kind.DIVERGENT, 2, 32, "setp.lt.u32 %p0, %r0, 16;\n@%p0 shfl.sync.bfly.b32 %r5, %r0, 1, 31, -1;");
        fault(Kind.DIVERGENT, 2, 32, "setp.lt.u32 %p0, %r0, 16;\n@%p0 shfl.sync.bfly.b32 %r5, %r0, 1, 31, 255;");
        fine(32, "setp.lt.u32 %p0, %r0, 16; @%p0 shfl.sync.bfly.b32 %r5, %r0, 1, 31, 65535;");
        // From a lane that takes no part: undefined, when it is used.
        fault(
                Kind.UNINITIALIZED_REGISTER,
                2,
                32,
                "setp.lt.u32 %p0, %r0, 16; @%p0 shfl.sync.bfly.b32 %r5, %r0, 16, 31, 65535;\n@%p0 add.u32 %r6, %r5, 1;");
    }

    @Test
    void deadlocks() {
        SimFault f = fault(Kind.DEADLOCK, 2, 64, "setp.lt.u32 %p0, %r0, 32; @%p0 bra E;\n bar.sync 1, 64; E:");
        assertTrue(f.getMessage().contains("at PTX line"), f.getMessage());
        fault(Kind.DEADLOCK, 0, 32, "L: bra L;");
        fault(
                Kind.DEADLOCK,
                0,
                32,
                "setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared.b64 [%r19], 2; bar.sync 0; @%p0 mbarrier.arrive.shared.b64 _, [%r19];"
                        + " W: mbarrier.try_wait.parity.shared.b64 %p1, [%r19], 0; @!%p1 bra W;");
        fine(64, "setp.lt.u32 %p0, %r0, 32; @%p0 bra A; bar.sync 1, 64; bra E; A: bar.arrive 1, 64; E:");
    }

    @Test
    void traps() {
        fault(Kind.TRAP, 1, 32, "trap;");
    }

    @Test
    void launches() {
        assertEquals(
                Kind.LAUNCH, assertThrows(SimFault.class, () -> run("", 2000)).kind());
    }

    @Test
    void mbarrierWithoutBarrierAfterItsInitialisation() {
        String init = "setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared.b64 [%r19], 64;\n";
        String rest =
                "mbarrier.arrive.shared.b64 %rd5, [%r19]; W: mbarrier.try_wait.shared.b64 %p1, [%r19], %rd5; @!%p1 bra W;";
        fine(64, init + "bar.sync 0;\n" + rest);
        SimFault f = assertThrows(SimFault.class, () -> run(init + rest, 64));
        assertTrue(f.kind() == Kind.RACE || f.kind() == Kind.UNINITIALIZED_MEMORY, f.getMessage());
    }

    /** Threads of one CTA that meet in global memory: of several warps, and of one. */
    @Test
    void racesInGlobalMemory() {
        String exchange = "st.global.u32 [%rd3], %r0;\nWAIT\nxor.b32 %r4, %r2, 4;\ncvt.u64.u32 %rd4, %r4;\n"
                + "add.u64 %rd4, %rd1, %rd4;\nld.global.u32 %r5, [%rd4];";
        SimFault f = fault(Kind.RACE, 6, 32, exchange.replace("WAIT", ""));
        assertTrue(f.getMessage().contains("read of global address 0x"), f.getMessage());
        fine(32, exchange.replace("WAIT", "bar.warp.sync -1;"));
        fine(128, exchange.replace("WAIT", "bar.sync 0;"));
        String all = "st.global.u32 [%rd1], %r0;";
        fault(Kind.RACE, 1, 32, all);
        fine(64, "red.global.add.u32 [%rd1], %r0;");
    }
}
