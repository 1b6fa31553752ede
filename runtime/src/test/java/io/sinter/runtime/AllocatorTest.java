// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AllocatorTest {
    /** Addresses that nobody touches, counted. */
    private static final class Counting implements MemorySource {
        final Set<Long> mapped = new HashSet<>();
        long next = 1 << 20;
        int maps;

        @Override
        public long map(long bytes) {
            long address = next;
            next += bytes;
            maps++;
            mapped.add(address);
            return address;
        }

        @Override
        public void unmap(long address, long bytes) {
            assertTrue(mapped.remove(address), "unmapped twice");
        }
    }

    private final Counting source = new Counting();

    private Allocator allocator(long limit) {
        return new Allocator(Device.JVM, source, limit);
    }

    @Test
    void sizeClassesHoldWhatTheyAreAskedFor() {
        for (long bytes = 0; bytes < 70_000; bytes++) check(bytes);
        for (int e = 10; e < 47; e++) for (long d = -65; d <= 65; d += 13) check((1L << e) + d);
        for (int c = 1; c < SizeClasses.COUNT; c++) {
            assertTrue(SizeClasses.bytes(c) > SizeClasses.bytes(c - 1));
            assertEquals(c, SizeClasses.of(SizeClasses.bytes(c)));
        }
        assertThrows(IllegalArgumentException.class, () -> SizeClasses.of(1L << 60));
    }

    private static void check(long bytes) {
        int c = SizeClasses.of(bytes);
        long size = SizeClasses.bytes(c);
        assertTrue(size >= bytes, () -> size + " for " + bytes);
        assertEquals(0, size % 64);
        assertTrue(size - bytes <= Math.max(64, bytes / 8), () -> size + " for " + bytes);
        if (c > 0) assertTrue(SizeClasses.bytes(c - 1) < bytes, () -> "a smaller class holds " + bytes);
    }

    @Test
    void releasedBlocksAreReusedLastFirst() {
        Allocator a = allocator(1 << 30);
        Buffer x = a.allocate(1000);
        Buffer y = a.allocate(1000);
        long ax = x.address();
        long ay = y.address();
        assertNotEquals(ax, ay);
        x.release();
        y.release();
        assertEquals(ay, a.allocate(990).address());
        assertEquals(ax, a.allocate(1010).address());
        assertEquals(2, source.maps);
    }

    @Test
    void statisticsCountBlocks() {
        Allocator a = allocator(1 << 30);
        Buffer x = a.allocate(64);
        Buffer y = a.allocate(128);
        y.release();
        assertEquals(new Allocator.Stats(64, 128, 192, 192, 1, 0), a.stats());
        a.resetPeak();
        assertEquals(64, a.stats().peakBytes());
        a.trim();
        assertEquals(0, a.stats().cachedBytes());
        assertEquals(192, a.stats().heldBytes());
        assertEquals(1, source.mapped.size());
        x.release();
        assertEquals(0, a.stats().liveBytes());
        assertEquals(0, a.stats().liveBuffers());
    }

    @Test
    void releaseTwiceIsOnce() {
        Allocator a = allocator(1 << 30);
        Buffer x = a.allocate(64);
        x.release();
        x.release();
        assertEquals(64, a.stats().cachedBytes());
        Buffer y = a.allocate(64);
        x.release();
        assertFalse(y.isReleased());
        assertEquals(64, a.stats().liveBytes());
    }

    @Test
    void useAfterReleaseSaysWhose() {
        Buffer x = allocator(1 << 30).allocate(64, "Model.java:42");
        x.release();
        IllegalStateException e = assertThrows(IllegalStateException.class, x::address);
        assertTrue(e.getMessage().contains("Model.java:42") && e.getMessage().contains("release()"), e.getMessage());
        assertThrows(IllegalStateException.class, x::pin);
        assertThrows(IllegalStateException.class, () -> x.read(0, MemorySegment.ofArray(new byte[1])));
    }

    @Test
    void pinnedMemoryIsNotHandedOut() {
        Allocator a = allocator(1 << 30);
        Buffer x = a.allocate(64);
        long address = x.address();
        x.pin();
        x.pin();
        x.release();
        assertNotEquals(address, a.allocate(64).address());
        x.unpin();
        assertEquals(64, a.stats().liveBytes() - 64);
        x.unpin();
        assertEquals(address, a.allocate(64).address());
        assertThrows(IllegalStateException.class, x::unpin);
    }

    @Test
    void unreachableBuffersAreFreed() {
        Allocator a = allocator(1 << 30);
        for (int i = 0; i < 100; i++) a.allocate(1 << 10);
        Buffer kept = a.allocate(1 << 10);
        a.collect();
        assertEquals(1 << 10, a.stats().liveBytes());
        assertFalse(kept.isReleased());
    }

    @Test
    void garbageAboveTheBudgetIsCollectedInTheBackground() throws InterruptedException {
        Allocator a = allocator(Long.MAX_VALUE);
        // 4 GB of garbage in pieces of 16 MB: the budget of 256 MB asks for collections.
        long deadline = System.nanoTime() + 60_000_000_000L;
        for (int i = 0; i < 256; i++) {
            a.allocate(16 << 20);
            while (a.stats().liveBytes() > (512L << 20) && System.nanoTime() < deadline) {
                a.allocate(64);
                Thread.sleep(1);
            }
        }
        assertTrue(a.stats().collections() > 0);
        assertTrue(a.stats().peakBytes() <= (512L << 20) + (17 << 20), () -> a.stats()
                .toString());
    }

    /** A training step's activations end with the step: no collection would find anything of them. */
    @Test
    void temporariesAreNoReasonToCollect() {
        Allocator a = allocator(Long.MAX_VALUE);
        for (int i = 0; i < 10; i++)
            a.allocateTemporary(1L << 30, "temporaries").release();
        assertEquals(0, a.stats().collections());
        for (int i = 0; i < 10; i++) a.allocate(1L << 30, "results").release();
        assertTrue(a.stats().collections() > 0);
    }

    /** A GPU is given its work before all threads pause. */
    @Test
    void aCollectionCanBePostponed() {
        Allocator a = allocator(Long.MAX_VALUE);
        a.postpone();
        a.postpone();
        for (int i = 0; i < 10; i++) a.allocate(1L << 30, "results").release();
        a.collectIfDue();
        assertEquals(0, a.stats().collections());
        a.collectIfDue();
        assertEquals(1, a.stats().collections());
        a.postpone();
        a.collectIfDue();
        assertEquals(1, a.stats().collections());
    }

    @Test
    void exhaustionCollectsFirst() {
        Allocator a = allocator(10 << 20);
        for (int i = 0; i < 20; i++) a.allocate(4 << 20);
        assertTrue(a.stats().liveBytes() <= 10 << 20);
    }

    @Test
    void exhaustionNamesTheHolders() {
        Allocator a = allocator(10 << 20);
        List<Buffer> held = new ArrayList<>();
        Object line = new Object() {
            @Override
            public String toString() {
                return "Train.java:7";
            }
        };
        for (int i = 0; i < 3; i++) held.add(a.allocate(1 << 20, line));
        held.add(a.allocate(4 << 20, "Data.java:3"));
        OutOfDeviceMemoryException e =
                assertThrows(OutOfDeviceMemoryException.class, () -> a.allocate(8 << 20, "Model.java:1"));
        String text = e.getMessage();
        assertTrue(text.contains("8.0 MB wanted") && text.contains("7.0 MB live in 4 buffers"), text);
        assertTrue(text.contains("3.0 MB in 3 buffers: Train.java:7"), text);
        assertTrue(text.indexOf("Data.java:3") < text.indexOf("Train.java:7"), text);
        assertEquals(7 << 20, a.stats().liveBytes());
        held.forEach(Buffer::release);
        assertEquals(8 << 20, a.allocate(8 << 20).bytes());
    }

    @Test
    void theCacheGivesWayToTheLimit() {
        Allocator a = allocator(10 << 20);
        Buffer x = a.allocate(8 << 20);
        x.release();
        Buffer y = a.allocate(5 << 20);
        assertEquals(0, a.stats().cachedBytes());
        assertEquals(5 << 20, a.stats().liveBytes());
        assertFalse(y.isReleased());
    }

    @Test
    void closingEndsAllLeases() {
        Allocator a = allocator(1 << 20);
        Buffer x = a.allocate(64);
        Buffer pinned = a.allocate(64);
        pinned.pin();
        a.close();
        IllegalStateException e = assertThrows(IllegalStateException.class, x::address);
        assertTrue(e.getMessage().contains("session was closed"), e.getMessage());
        assertEquals(1, source.mapped.size());
        pinned.unpin();
        assertEquals(0, source.mapped.size());
        assertThrows(IllegalStateException.class, () -> a.allocate(64));
    }

    @Test
    void hostMemoryIsAlignedAndWritable() {
        HostMemory host = new HostMemory();
        for (long bytes : new long[] {1, 64, 100, 4096, 1 << 20, 9 << 20}) {
            long address = host.map(bytes);
            assertEquals(0, address % 64);
            Memory.fill(address, bytes, (byte) 7);
            assertEquals(7, Memory.getByte(address + bytes - 1));
            host.unmap(address, bytes);
        }
    }

    @Test
    void readAndWriteStayInside() {
        try (Session s = Session.open(Options.fromProperties())) {
            Buffer b = s.allocator().allocate(16);
            b.write(4, MemorySegment.ofArray(new int[] {1, 2}));
            int[] got = new int[1];
            b.read(8, MemorySegment.ofArray(got));
            assertEquals(2, got[0]);
            assertThrows(IndexOutOfBoundsException.class, () -> b.read(13, MemorySegment.ofArray(got)));
            assertThrows(IndexOutOfBoundsException.class, () -> b.write(-1, MemorySegment.ofArray(got)));
        }
    }
}
