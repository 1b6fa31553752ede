// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.sim.SimFault;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The simulated driver: work is done late, in order, and not at all before somebody waits. */
class SimDriverTest {
    /** Adds 1 to the i32 at an address. */
    private static final String INCREMENT = """
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry increment(.param .u64 p, .param .u64 unused)
            {
              .reg .b64 %rd<3>;
              .reg .b32 %r<3>;
              ld.param.u64 %rd1, [p];
              cvta.to.global.u64 %rd2, %rd1;
              ld.global.u32 %r1, [%rd2];
              add.s32 %r2, %r1, 1;
              st.global.u32 [%rd2], %r2;
              ret;
            }
            """;

    private static final GpuDriver.Grid ONE = new GpuDriver.Grid(1, 1, 1, 1, 0);

    private final SimDriver driver = new SimDriver();
    private final GpuDriver.Stream stream = driver.createStream();
    private final GpuDriver.Function increment = driver.load(INCREMENT).function("increment");
    private final long cell = driver.allocate(4);
    private final MemorySegment host = driver.allocatePinned(4);

    private int read() {
        driver.copyOut(stream, cell, host);
        driver.synchronize(stream);
        return host.get(ValueLayout.JAVA_INT, 0);
    }

    @Test
    void copiesSeeHostMemoryAsItIsWhenTheyAreDone() {
        host.set(ValueLayout.JAVA_INT, 0, 1);
        driver.copyIn(stream, cell, host);
        host.set(ValueLayout.JAVA_INT, 0, 2);
        assertEquals(2, read());
    }

    @Test
    void launchesAreDoneInOrderAndLate() {
        driver.fill(stream, cell, (byte) 0, 4);
        for (int i = 0; i < 5; i++) driver.launch(stream, increment, ONE, cell, 0);
        assertEquals(0, driver.instructions());
        assertEquals(5, read());
        assertTrue(driver.instructions() > 0);
    }

    @Test
    void streamsWaitForEvents() {
        GpuDriver.Stream second = driver.createStream();
        GpuDriver.Event filled = driver.createEvent();
        assertTrue(driver.isDone(filled));
        driver.fill(stream, cell, (byte) 0, 4);
        driver.record(filled, stream);
        driver.launch(stream, increment, ONE, cell, 0);
        driver.await(second, filled);
        driver.copyOut(second, cell, host);
        driver.synchronize(second);
        assertEquals(0, host.get(ValueLayout.JAVA_INT, 0));
        assertEquals(1, read());
        driver.fill(stream, cell, (byte) 0, 4);
        driver.record(filled, stream);
        assertFalse(driver.isDone(filled));
        driver.synchronize(filled);
        assertTrue(driver.isDone(filled));
        driver.destroy(second);
    }

    @Test
    void graphsAreCapturedAndReplayed() {
        driver.fill(stream, cell, (byte) 0, 4);
        driver.beginCapture(stream);
        for (int i = 0; i < 3; i++) driver.launch(stream, increment, ONE, cell, 0);
        assertThrows(IllegalStateException.class, () -> driver.synchronize(stream));
        GpuDriver.Graph graph = driver.endCapture(stream);
        assertEquals(0, read());
        driver.launch(stream, graph);
        driver.launch(stream, graph);
        assertEquals(6, read());
    }

    /** What was queued behind a fault is dropped; what is queued after it was thrown is done. */
    @Test
    void faultsAreThrownByWhoeverWaits() {
        driver.launch(stream, increment, ONE, cell, 0);
        driver.launch(stream, increment, ONE, cell, 0);
        SimFault fault = assertThrows(SimFault.class, () -> driver.synchronize(stream));
        assertEquals(SimFault.Kind.UNINITIALIZED_MEMORY, fault.kind());
        driver.fill(stream, cell, (byte) 0, 4);
        driver.launch(stream, increment, ONE, cell, 0);
        assertEquals(1, read());
    }

    @Test
    void unknownArchitecturesAreRefused() {
        System.setProperty("sinter.ptx-sim", "sm_12");
        try {
            String message = assertThrows(IllegalArgumentException.class, SimDriver::chosen)
                    .getMessage();
            assertEquals("-Dsinter.ptx-sim: no target 'sm_12'; known: sm_80, sm_89, sm_90, sm_90a", message);
        } finally {
            System.clearProperty("sinter.ptx-sim");
        }
    }

    /** Any thread may give a graph back, a cleaner's too: a fault stays with whoever waits. */
    @Test
    void faultsDoNotGoWithAGraph() {
        driver.beginCapture(stream);
        GpuDriver.Graph graph = driver.endCapture(stream);
        try (Gpu gpu = new Gpu(driver, new Counters(), () -> null)) {
            GraphSlot slot = gpu.graphOf(this);
            slot.set(graph);
            driver.launch(gpu.stream(), increment, ONE, cell, 0);
            slot.drop();
            assertTrue(slot.isEmpty());
            assertThrows(SimFault.class, gpu::synchronize);
        }
    }

    /** A new owner of a block may not read what the last one left, nor go beyond the bytes that it asked for. */
    @Test
    void discardedMemoryIsNew() {
        long block = driver.allocate(64);
        driver.fill(stream, block, (byte) 0, 64);
        driver.launch(stream, increment, ONE, block + 32, 0);
        driver.discard(stream, block, 32);
        driver.launch(stream, increment, ONE, block, 0);
        assertEquals(
                SimFault.Kind.UNINITIALIZED_MEMORY,
                assertThrows(SimFault.class, () -> driver.synchronize(stream)).kind());
        driver.launch(stream, increment, ONE, block + 32, 0);
        assertEquals(
                SimFault.Kind.OUT_OF_BOUNDS,
                assertThrows(SimFault.class, () -> driver.synchronize(stream)).kind());
    }

    @Test
    void thereIsNotSoMuchMemory() {
        assertEquals(0, driver.allocate(Long.MAX_VALUE));
        assertEquals(0, driver.allocate(driver.properties().memoryBytes() + 1));
    }

    /** Pieces of a small ring are taken again only when the device has read them. */
    @Test
    void transfersGoThroughARing() {
        CountedDriver counted = new CountedDriver(driver);
        GpuTransfers transfers = new GpuTransfers(counted.driver, stream, 4096, 1024);
        Random random = new Random(7);
        long device = driver.allocate(1 << 16);
        byte[] expected = new byte[1 << 16];
        driver.fill(stream, device, (byte) 0, expected.length);
        for (int i = 0; i < 300; i++) {
            byte[] some = new byte[random.nextInt(1, 3000)];
            random.nextBytes(some);
            int at = random.nextInt(expected.length - some.length);
            transfers.write(device + at, MemorySegment.ofArray(some));
            System.arraycopy(some, 0, expected, at, some.length);
            java.util.Arrays.fill(some, (byte) 0); // the caller's memory is the caller's again
        }
        assertTrue(counted.calls("synchronize") > 0);
        for (int n : new int[] {0, 1, 1024, 1025, 2048, 5000, expected.length}) {
            byte[] got = new byte[n];
            transfers.read(device + expected.length - n, MemorySegment.ofArray(got));
            assertArrayEquals(java.util.Arrays.copyOfRange(expected, expected.length - n, expected.length), got);
        }
    }
}
