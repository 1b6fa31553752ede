// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Locks that let each key be compiled once, across threads and processes. The operating system drops a process's locks when it dies. There are 256 lock
 * files for each kind of entry, which are never removed (removing one while another process opens it would give two owners): two keys may share
 * one, and then wait for each other. Who holds a program's lock may take kernels' locks, never the other way about.
 */
final class Locks {
    /** Who has waited this long compiles for himself: the other process may be stopped. */
    private static final long PATIENCE = TimeUnit.MINUTES.toNanos(2);

    private static final ConcurrentHashMap<Path, Semaphore> HERE = new ConcurrentHashMap<>();

    private final Path folder;

    Locks(Path folder) {
        this.folder = folder;
    }

    /** A lock that was taken, or that could not be: then there is nothing to release. */
    static final class Held implements AutoCloseable {
        private final Semaphore here;
        private final FileChannel channel;

        private Held(Semaphore here, FileChannel channel) {
            this.here = here;
            this.channel = channel;
        }

        @Override
        public void close() {
            try {
                if (channel != null) channel.close(); // releases the lock
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            } finally {
                if (here != null) here.release();
            }
        }
    }

    private static final Held NONE = new Held(null, null);

    /** Waits for the lock of this key. A file system without locks costs double work, not failure. */
    Held take(CacheKey.Kind kind, String digest) {
        Path file = folder.resolve(kind.folder() + "-" + digest.substring(0, 2));
        Semaphore here = HERE.computeIfAbsent(file.toAbsolutePath().normalize(), _ -> new Semaphore(1));
        long start = System.nanoTime();
        FileChannel channel = null;
        boolean mine = false;
        try {
            if (!here.tryAcquire(PATIENCE, TimeUnit.NANOSECONDS)) return NONE;
            mine = true;
            Owner.createFolders(folder);
            channel = Owner.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            long pause = 1;
            while (true) {
                FileLock lock = channel.tryLock();
                if (lock != null) {
                    Held held = new Held(here, channel);
                    channel = null;
                    mine = false;
                    return held;
                }
                if (System.nanoTime() - start > PATIENCE) return NONE;
                Thread.sleep(pause);
                pause = Math.min(20, 2 * pause);
            }
        } catch (IOException e) {
            Tier.LOG.log(System.Logger.Level.DEBUG, "no lock for " + file, e);
            return NONE;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return NONE;
        } finally {
            try {
                if (channel != null) channel.close();
            } catch (IOException e) {
                Tier.LOG.log(System.Logger.Level.DEBUG, "closing " + file, e);
            }
            if (mine) here.release();
        }
    }
}
