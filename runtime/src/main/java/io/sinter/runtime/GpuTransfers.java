// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * Copies between any host memory and a GPU's, through pinned memory, in the order of one stream. Writing does not wait for the GPU: the source is
 * copied into a ring of pinned memory first, whose pieces come free as the stream goes on. For one thread at a time.
 */
final class GpuTransfers {
    private static final long RING = 32L << 20;
    /** Largest piece: host and GPU copy different ones at the same time. */
    private static final long PIECE = 4L << 20;

    private static final long ALIGNMENT = 256;
    /** Pieces in flight beyond which it is asked whether the oldest are done. */
    private static final int MANY = 64;

    /** Bytes of the ring that the stream has yet to read. */
    private record InFlight(long start, long end, GpuDriver.Event done) {}

    private final GpuDriver driver;
    private final GpuDriver.Stream stream;
    private final long ringBytes;
    private final long pieceBytes;
    private final ArrayDeque<InFlight> inFlight = new ArrayDeque<>();
    private final ArrayDeque<GpuDriver.Event> events = new ArrayDeque<>();
    private MemorySegment ring;
    private long next;
    /** Two pieces that reading takes in turn. */
    private MemorySegment[] landing;

    private final GpuDriver.Event[] landed = new GpuDriver.Event[2];

    GpuTransfers(GpuDriver driver, GpuDriver.Stream stream) {
        this(driver, stream, RING, PIECE);
    }

    /** @param pieceBytes at most half of {@code ringBytes} */
    GpuTransfers(GpuDriver driver, GpuDriver.Stream stream, long ringBytes, long pieceBytes) {
        this.driver = driver;
        this.stream = stream;
        this.ringBytes = ringBytes;
        this.pieceBytes = pieceBytes;
    }

    /** Queues a copy of all of {@code source} to the device. {@code source} may change as soon as this returns. */
    void write(long address, MemorySegment source) {
        if (ring == null) ring = driver.allocatePinned(ringBytes);
        for (long at = 0; at < source.byteSize(); at += pieceBytes) {
            long n = Math.min(pieceBytes, source.byteSize() - at);
            long start = place(n);
            MemorySegment pinned = ring.asSlice(start, n);
            pinned.copyFrom(source.asSlice(at, n));
            driver.copyIn(stream, address + at, pinned);
            GpuDriver.Event done = events.isEmpty() ? driver.createEvent() : events.removeFirst();
            driver.record(done, stream);
            inFlight.addLast(new InFlight(start, start + n, done));
            next = (start + n + ALIGNMENT - 1) & -ALIGNMENT;
        }
    }

    /** Where the next {@code n} bytes go, when the stream has read what was there. */
    private long place(long n) {
        while (inFlight.size() > MANY && driver.isDone(inFlight.getFirst().done)) release();
        long start = next;
        if (start + n > ringBytes) {
            // What lies behind is older than what lies at the beginning.
            while (!inFlight.isEmpty() && inFlight.getFirst().start >= start) waitForOldest();
            start = 0;
        }
        while (!inFlight.isEmpty() && inFlight.getFirst().start < start + n && inFlight.getFirst().end > start)
            waitForOldest();
        return start;
    }

    private void waitForOldest() {
        driver.synchronize(inFlight.getFirst().done);
        release();
    }

    private void release() {
        events.addLast(inFlight.removeFirst().done);
    }

    /** Fills {@code target} from the device, when all that was queued before is done. */
    void read(long address, MemorySegment target) {
        if (landing == null) {
            landing = new MemorySegment[] {driver.allocatePinned(pieceBytes), driver.allocatePinned(pieceBytes)};
            for (int i = 0; i < landed.length; i++) landed[i] = driver.createEvent();
        }
        long size = target.byteSize();
        long pieces = (size + pieceBytes - 1) / pieceBytes;
        for (long i = 0; i <= pieces; i++) {
            if (i < pieces) {
                driver.copyOut(stream, address + i * pieceBytes, landing[(int) (i & 1)].asSlice(0, bytes(size, i)));
                driver.record(landed[(int) (i & 1)], stream);
            }
            if (i == 0) continue;
            int before = (int) (i - 1 & 1);
            driver.synchronize(landed[before]);
            long n = bytes(size, i - 1);
            MemorySegment.copy(landing[before], 0, target, (i - 1) * pieceBytes, n);
        }
    }

    private long bytes(long size, long piece) {
        return Math.min(pieceBytes, size - piece * pieceBytes);
    }

    /** Gives the pinned memory back; nothing may be queued any more. */
    void close() {
        if (ring != null) driver.freePinned(ring);
        if (landing != null) for (MemorySegment m : landing) driver.freePinned(m);
        ring = null;
        landing = null;
    }
}
