// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.FormatException;
import io.sinter.runtime.Reason;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;

/**
 * Compiled programs and kernels on disk: the user's own tier, then a shared one that is only read. What cannot be read, verified or written is a
 * logged miss, never a failure. Safe for use by many threads and processes.
 */
public final class DiskCache {
    /** Name of the Flight Recorder's event for a look into the cache. */
    public static final String LOOKUP_EVENT = "io.sinter.CacheLookup";

    /** After so many bytes written, the size of the tier is looked at: a sixteenth of what it may take. */
    private static final int PARTS = 16;

    private final Tier own;
    private final Tier shared;
    private final long maxBytes;
    private final CacheStats stats;
    /** Null without an own tier, and where nobody uses what is found. */
    private final Uses uses;

    private final AtomicLong written;
    /** What has gone wrong with files is said once: a full disk fails at every entry. */
    private final AtomicBoolean told;

    private DiskCache(Tier own, Tier shared, long maxBytes, CacheStats stats) {
        this.own = own;
        this.shared = shared;
        this.maxBytes = maxBytes;
        this.stats = stats;
        uses = own == null ? null : new Uses(own.folder(), maxBytes);
        written = new AtomicLong();
        told = new AtomicBoolean();
    }

    private DiskCache(DiskCache of, CacheStats stats, Uses uses) {
        own = of.own;
        shared = of.shared;
        maxBytes = of.maxBytes;
        this.stats = stats;
        this.uses = uses;
        written = of.written;
        told = of.told;
    }

    /**
     * The cache that the options ask for, or null if there is none. A folder that cannot be used is a warning, and is not used.
     *
     * @param stats what is counted, by whoever opens it
     */
    public static DiskCache open(CacheOptions options, CacheStats stats) {
        if (!options.isOn()) return null;
        Tier own = null;
        Tier shared = null;
        if (options.folder() != null) {
            try {
                own = Tier.own(options.folder());
            } catch (IOException | UnsupportedOperationException e) {
                Tier.LOG.log(System.Logger.Level.WARNING, "no cache of compiled programs: {0}", message(e));
            }
        }
        if (options.shared() != null) {
            try {
                Trust trust = new Trust(
                        options.trusted() == null ? java.util.List.of() : Trust.keys(options.trusted()),
                        options.foreign());
                shared = Tier.shared(options.shared(), trust);
            } catch (IOException | UnsupportedOperationException e) {
                Tier.LOG.log(System.Logger.Level.WARNING, "the shared cache is not used: {0}", message(e));
            }
        }
        return own == null && shared == null ? null : new DiskCache(own, shared, options.maxBytes(), stats);
    }

    /** The same folders, for what no program asks for: what is looked up and stored counts in other statistics, which nobody reads. */
    public DiskCache uncounted() {
        return new DiskCache(this, new CacheStats(), uses);
    }

    /** As {@link #uncounted}, for look-ups whose results nobody uses: they do not make an entry any younger. */
    public DiskCache unused() {
        return new DiskCache(this, new CacheStats(), null);
    }

    /** Writes down how often entries were found so far. */
    public void flush() {
        if (uses != null) uses.flush();
    }

    private static String message(Exception e) {
        return e instanceof IOException io ? Reason.of(io) : e.toString();
    }

    /** Something just compiled, and the entry that keeps it; no entry if it cannot be stored. */
    public record Made<T>(T value, Entry entry) {}

    /**
     * What is stored under a key, or else what {@code make} makes, which is stored then. Of several processes that want one key at the same time, one
     * makes it and the others wait.
     *
     * @param line the user's line, for the log of misses; null for kernels
     * @param decode from an entry; throws {@link FormatException} if it is not usable, which is a miss
     * @param make compiles; what it throws is thrown here
     */
    public <T> T get(CacheKey key, String line, Function<? super Entry, ? extends T> decode, Supplier<Made<T>> make) {
        try {
            return found(key, line, decode, make);
        } finally {
            // Kernels are found while their program is read or made.
            if (key.kind() == CacheKey.Kind.PLAN) flush();
        }
    }

    /**
     * What is stored under a key, or null: for who can do without for now. Nobody is waited for, and a miss is not counted.
     *
     * @param decode as of {@link #get}
     */
    public <T> T find(CacheKey key, Function<? super Entry, ? extends T> decode) {
        return find(key, key.digest(), decode);
    }

    private <T> T found(
            CacheKey key, String line, Function<? super Entry, ? extends T> decode, Supplier<Made<T>> make) {
        String digest = key.digest();
        T found = find(key, digest, decode);
        if (found != null) return found;
        if (own == null) {
            stats.misses.increment();
            return make.get().value();
        }
        try (Locks.Held _ = own.lock(key, digest)) {
            // Another process may have stored it while we looked or waited.
            if (own.has(key.kind(), digest)) {
                found = find(key, digest, decode);
                if (found != null) return found;
            }
            stats.misses.increment();
            if (line != null) MissLog.add(own.folder(), digest, line);
            Made<T> made = make.get();
            if (made.entry() != null) store(made.entry(), digest);
            return made.value();
        }
    }

    private <T> T find(CacheKey key, String digest, Function<? super Entry, ? extends T> decode) {
        CacheEvents.Lookup event = FlightRecorder.isInitialized() ? new CacheEvents.Lookup() : null;
        if (event != null) event.begin();
        T found = own == null ? null : find(own, key, digest, decode);
        boolean fromShared = false;
        if (found == null && shared != null) {
            found = find(shared, key, digest, decode);
            fromShared = found != null;
        }
        if (event != null && event.shouldCommit()) {
            event.kind = key.kind().folder();
            event.key = Tier.shorten(digest);
            event.hit = found != null;
            event.shared = fromShared;
            event.commit();
        }
        if (found != null) {
            stats.hits.increment();
            if (!fromShared && uses != null) uses.add(digest);
        }
        return found;
    }

    private <T> T find(Tier tier, CacheKey key, String digest, Function<? super Entry, ? extends T> decode) {
        try {
            Entry entry = tier.read(key, digest);
            return entry == null ? null : decode.apply(entry);
        } catch (FormatException e) {
            stats.corrupt.increment();
            tier.setAside(key.kind(), digest, e.getMessage());
        } catch (IOException e) {
            failed("cannot read from the cache at " + tier.folder(), e);
        }
        return null;
    }

    private void failed(String what, IOException e) {
        boolean first = told.compareAndSet(false, true);
        Tier.LOG.log(
                first ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG,
                "{0}: {1}; what is not there is compiled, and what is not written the next process compiles again",
                what,
                Reason.of(e));
    }

    private void store(Entry entry, String digest) {
        try {
            own.write(entry, digest);
            stats.stored.increment();
            long bytes = entry.payload().length + entry.source().length;
            long before = written.getAndAdd(bytes);
            long part = Math.max(1, maxBytes / PARTS);
            // At the first entry of a process, and then from time to time.
            if (before == 0 || before / part != (before + bytes) / part) own.prune(maxBytes);
        } catch (IOException e) {
            failed("cannot write to the cache at " + own.folder(), e);
        }
    }
}
