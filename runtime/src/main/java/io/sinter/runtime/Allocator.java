// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.BlockCache.Block;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import jdk.jfr.FlightRecorder;

/**
 * Caching allocator of one device's memory. Freed blocks are kept by size class and handed out again, last freed first: their pages are mapped
 * already, and perhaps still in a cache, which is worth 2–3× on large tensors.
 *
 * <p>Buffers are freed when they become unreachable, so memory depends on the garbage collector, which does not see it. Hence a soft budget
 * ({@link GarbageBudget}), above which a collection is asked for in the background. When a block cannot be had at all: drain the reference queue,
 * drop the cache, collect once and wait, try again, and only then fail.
 */
public final class Allocator {
    /** Places that an out-of-memory message names. */
    private static final int LISTED = 12;

    /**
     * @param liveBytes bytes of blocks in use
     * @param cachedBytes bytes of freed blocks that are kept
     * @param peakBytes largest value of liveBytes since the last {@link #resetPeak}
     * @param heldBytes largest number of bytes, in use and cached, that were ever taken from the system at once
     * @param liveBuffers number of blocks in use
     * @param collections garbage collections that this allocator asked for
     */
    public record Stats(
            long liveBytes, long cachedBytes, long peakBytes, long heldBytes, long liveBuffers, long collections) {}

    private final Device device;
    private final MemorySource source;
    private final long limit;
    private final ReferenceQueue<Object> queue = new ReferenceQueue<>();
    private final AtomicBoolean collecting = new AtomicBoolean();

    // Everything below is guarded by this.
    private final BlockCache cache;

    /** Sentinel of the circular list of leases in use. */
    private final Lease leases = new Lease(this, null, null);

    private long live;
    private long peak;
    private long held;
    private long liveBuffers;
    private long collections;
    private final GarbageBudget budget = new GarbageBudget();
    /** How many wait with collections, and whether one is due meanwhile. */
    private int postponed;

    private boolean due;
    private boolean closed;
    /** Hears of what is live after each change; or null. */
    private LongConsumer watcher;

    /** @param limit most bytes that this allocator ever holds, in use and cached */
    Allocator(Device device, MemorySource source, long limit) {
        this.device = device;
        this.source = source;
        cache = new BlockCache(source);
        this.limit = limit;
        leases.previous = leases;
        leases.next = leases;
    }

    /** As {@link #allocate(long, Object)}, for memory without a story. */
    public Buffer allocate(long bytes) {
        return allocate(bytes, "(unnamed)");
    }

    /**
     * A buffer of {@code bytes} bytes, 64-byte aligned, not cleared.
     *
     * @param tag who holds it: its {@code toString} is asked for when memory runs out, and should be the user's source line. It must not refer to the
     *     buffer or to anything that does, or the buffer is never freed
     * @throws OutOfDeviceMemoryException if there is not enough memory even after a collection
     */
    public Buffer allocate(long bytes, Object tag) {
        return allocate(bytes, tag, false);
    }

    /**
     * As {@link #allocate(long, Object)}, of memory that the caller releases before it returns, whatever happens. It is no reason to collect garbage.
     */
    Buffer allocateTemporary(long bytes, Object tag) {
        return allocate(bytes, tag, true);
    }

    private Buffer allocate(long bytes, Object tag, boolean temporary) {
        if (bytes < 0) throw new IllegalArgumentException("buffer of " + bytes + " bytes");
        drain();
        Buffer buffer = tryAllocate(bytes, tag, temporary);
        if (buffer == null) {
            collectAndWait();
            buffer = tryAllocate(bytes, tag, temporary);
        }
        if (buffer == null) throw exhausted(bytes);
        return buffer;
    }

    private Buffer tryAllocate(long bytes, Object tag, boolean temporary) {
        Buffer buffer;
        boolean overBudget;
        Events.Allocation event = FlightRecorder.isInitialized() ? new Events.Allocation() : null;
        synchronized (this) {
            long cachedBefore = cache.bytes();
            Block block = obtain(SizeClasses.of(bytes));
            if (block == null) return null;
            Lease lease = new Lease(this, block, tag);
            buffer = new Buffer(block.address(), bytes, lease);
            lease.watch = new Watch(buffer, queue, lease);
            link(lease);
            lease.born = temporary ? Lease.TEMPORARY : budget.born(block.bytes());
            live += block.bytes();
            liveBuffers++;
            peak = Math.max(peak, live);
            if (watcher != null) watcher.accept(live);
            held = Math.max(held, live + cache.bytes());
            overBudget = budget.isExceeded();
            if (event != null) {
                event.liveBytes = live;
                event.cached = cache.bytes() < cachedBefore;
            }
            source.handOut(block.address(), bytes);
        }
        if (event != null && event.shouldCommit()) {
            event.device = device.toString();
            event.bytes = bytes;
            event.commit();
        }
        if (overBudget) collectSoon();
        return buffer;
    }

    /** A collection is due: now, or when nobody {@linkplain #postpone has something better to do first}. */
    private void collectSoon() {
        synchronized (this) {
            if (postponed > 0) {
                due = true;
                return;
            }
        }
        collectInBackground();
    }

    /**
     * Keeps collections that are due, all threads' pauses, waiting until {@link #collectIfDue}: a device that works by itself is to be given its work first.
     * Allocating still collects where it has to. Nests.
     */
    synchronized void postpone() {
        postponed++;
    }

    /** Ends a {@link #postpone}. */
    void collectIfDue() {
        synchronized (this) {
            if (--postponed > 0 || !due) return;
            due = false;
        }
        collectInBackground();
    }

    /** {@code watcher} hears, while this allocator is locked, how many bytes are live after each change; null ends it. */
    synchronized void watch(LongConsumer watcher) {
        this.watcher = watcher;
    }

    public synchronized Stats stats() {
        drain();
        return new Stats(live, cache.bytes(), peak, held, liveBuffers, collections);
    }

    /** Lets the peak start again from what is live now. */
    public synchronized void resetPeak() {
        drain();
        peak = live;
    }

    /** Gives all cached blocks back to the system. */
    public synchronized void trim() {
        drain();
        cache.evict(Long.MAX_VALUE, Long.MAX_VALUE);
    }

    /** Frees what is unreachable: a garbage collection, waited for. For tests, and before measuring memory. */
    public void collect() {
        collectAndWait();
    }

    /** The device whose memory this is. */
    public Device device() {
        return device;
    }

    /** Ends all leases: later accesses to their buffers say that the session was closed. */
    void close() {
        List<Lease> open;
        synchronized (this) {
            if (closed) return;
            closed = true;
            open = openLeases();
        }
        open.forEach(Lease::release);
        trim();
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    // ---- blocks

    /** A block from the cache or, within the limit, a fresh one; else null. */
    private Block obtain(int sizeClass) {
        if (closed) throw new IllegalStateException("the session of this allocator was closed");
        Block block = cache.take(sizeClass);
        if (block != null) return block;
        long bytes = SizeClasses.bytes(sizeClass);
        // A program whose sizes keep changing must not pile up blocks that never fit again: above the budget a fresh
        // block replaces old ones of comparable size. (Much larger ones stay: they are some program's arena, wanted
        // again
        // in the next step.)
        if (live + cache.bytes() + bytes > budget.limit()) cache.evict(bytes, 4 * bytes);
        if (live + cache.bytes() + bytes > limit) cache.evict(live + cache.bytes() + bytes - limit, Long.MAX_VALUE);
        if (live + cache.bytes() + bytes > limit) return null;
        long address = source.map(bytes);
        if (address == 0) {
            cache.evict(Long.MAX_VALUE, Long.MAX_VALUE);
            address = source.map(bytes);
        }
        return address == 0 ? null : new Block(address, sizeClass, 0);
    }

    private synchronized void free(Lease lease) {
        Block block = lease.block;
        live -= block.bytes();
        liveBuffers--;
        if (watcher != null) watcher.accept(live);
        if (lease.born != Lease.TEMPORARY) budget.died(block.bytes(), lease.born, lease.collected);
        unlink(lease);
        if (closed) {
            source.unmap(block.address(), block.bytes());
            return;
        }
        cache.add(block);
    }

    private void link(Lease lease) {
        lease.next = leases.next;
        lease.previous = leases;
        leases.next.previous = lease;
        leases.next = lease;
    }

    private static void unlink(Lease lease) {
        lease.previous.next = lease.next;
        lease.next.previous = lease.previous;
    }

    // ---- garbage

    /** Frees the buffers that a garbage collection has found unreachable. */
    private void drain() {
        for (Reference<?> r = queue.poll(); r != null; r = queue.poll()) {
            if (r instanceof Watch watch) watch.lease.reclaim();
        }
    }

    private void collectInBackground() {
        if (!collecting.compareAndSet(false, true)) return;
        synchronized (this) {
            collections++;
        }
        Thread.ofPlatform().daemon().name("sinter-collector").start(() -> {
            try {
                runCollector();
            } finally {
                collecting.set(false);
            }
        });
    }

    private void collectAndWait() {
        synchronized (this) {
            collections++;
        }
        runCollector();
    }

    /** Collects, and waits until the references that it cleared have arrived. */
    private void runCollector() {
        synchronized (this) {
            budget.collectionBegins();
        }
        WeakReference<Object> sentinel = new WeakReference<>(new Object(), queue);
        System.gc();
        // The sentinel arrives among the others, not necessarily last: then take what comes within a little while.
        boolean arrived = false;
        boolean interrupted = false;
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (System.nanoTime() < deadline) {
            try {
                Reference<?> r = queue.remove(arrived ? 2 : 50);
                if (r instanceof Watch watch) watch.lease.reclaim();
                // Another thread may have taken the sentinel from the queue: it is cleared all the same.
                arrived |= r == sentinel || sentinel.refersTo(null);
                if (r == null && arrived) break;
            } catch (InterruptedException e) {
                interrupted = true;
                break;
            }
        }
        drain();
        if (interrupted) Thread.currentThread().interrupt();
        synchronized (this) {
            budget.collectionEnds();
        }
    }

    private OutOfDeviceMemoryException exhausted(long bytes) {
        List<Lease> open;
        Stats stats;
        synchronized (this) {
            open = openLeases();
            stats = new Stats(live, cache.bytes(), peak, held, liveBuffers, collections);
        }
        // Outside the lock, as toString of a tag is somebody else's code.
        Map<String, long[]> byLine = new HashMap<>();
        for (Lease lease : open) {
            long[] sum = byLine.computeIfAbsent(String.valueOf(lease.tag), _ -> new long[2]);
            sum[0] += lease.block.bytes();
            sum[1]++;
        }
        StringBuilder text = new StringBuilder(
                "out of memory on " + device + ": " + megabytes(bytes) + " wanted, "
                        + megabytes(stats.liveBytes) + " live in " + stats.liveBuffers + " buffers, limit "
                        + megabytes(limit)
                        + ". Use smaller batches, release() what is no longer needed, or raise -Dsinter.memory=BYTES. Live memory:");
        byLine.entrySet().stream()
                .sorted(Map.Entry.<String, long[]>comparingByValue((a, b) -> Long.compare(b[0], a[0]))
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(LISTED)
                .forEach(e -> text.append("\n  ")
                        .append(megabytes(e.getValue()[0]))
                        .append(" in ")
                        .append(e.getValue()[1])
                        .append(e.getValue()[1] == 1 ? " buffer: " : " buffers: ")
                        .append(e.getKey()));
        if (byLine.size() > LISTED)
            text.append("\n  … and ").append(byLine.size() - LISTED).append(" more places");
        return new OutOfDeviceMemoryException(text.toString());
    }

    private List<Lease> openLeases() {
        List<Lease> open = new ArrayList<>();
        for (Lease l = leases.next; l != leases; l = l.next) open.add(l);
        return open;
    }

    private static String megabytes(long bytes) {
        long tenths = (bytes * 10 + (1 << 19)) >> 20;
        return tenths / 10 + "." + tenths % 10 + " MB";
    }

    /** The use of one block by one {@link Buffer}, which it does not refer to. */
    static final class Lease {
        private static final int RELEASED = 1 << 31;
        /** {@link #born} of memory that the budget knows nothing of. */
        private static final long TEMPORARY = -1;

        private final Allocator allocator;
        private final Block block;
        private final Object tag;
        /** Number of pins, and {@link #RELEASED}. The block is free when RELEASED is all that is left. */
        private final AtomicInteger state = new AtomicInteger();

        private long born;
        /** The garbage collector has found the buffer. */
        private boolean collected;

        private Watch watch;
        private Lease previous;
        private Lease next;

        private Lease(Allocator allocator, Block block, Object tag) {
            this.allocator = allocator;
            this.block = block;
            this.tag = tag;
        }

        Device device() {
            return allocator.device;
        }

        MemorySource source() {
            return allocator.source;
        }

        Allocator allocator() {
            return allocator;
        }

        Object tag() {
            return tag;
        }

        boolean isReleased() {
            return state.get() < 0;
        }

        void release() {
            int s = state.get();
            while (!state.compareAndSet(s, s | RELEASED)) s = state.get();
            if (s == 0) free();
        }

        private void reclaim() {
            collected = true;
            release();
        }

        void pin() {
            int s;
            do {
                s = state.get();
                if (s < 0) throw usedAfterRelease();
            } while (!state.compareAndSet(s, s + 1));
        }

        void unpin() {
            int s;
            do {
                s = state.get();
                if ((s & ~RELEASED) == 0) throw new IllegalStateException("unpin without pin");
            } while (!state.compareAndSet(s, s - 1));
            if (s - 1 == RELEASED) free();
        }

        private void free() {
            watch.clear();
            allocator.free(this);
        }

        IllegalStateException usedAfterRelease() {
            String why = allocator.isClosed() ? "its session was closed" : "it was released";
            return new IllegalStateException("memory of " + block.bytes() + " bytes from " + tag + " is gone: " + why
                    + "; release() only what is not used again, or take a clone() first");
        }
    }

    /** The collector's message that a buffer is unreachable. */
    private static final class Watch extends PhantomReference<Buffer> {
        private final Lease lease;

        Watch(Buffer buffer, ReferenceQueue<Object> queue, Lease lease) {
            super(buffer, queue);
            this.lease = lease;
        }
    }
}
