// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import io.sinter.random.Generator;
import io.sinter.runtime.Session;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Batches of a dataset, an epoch at a time: {@code for (Batch b : loader)} is one epoch.
 *
 * <ul>
 *   <li>The order of epoch {@code e} is a function of the shuffle's seed and of {@code e} alone: neither the
 *       number of threads nor the program's other random draws change it.
 *   <li>With {@link #workers}, threads read ahead by at most {@link #prefetch} batches; batches still come in
 *       order, and what a dataset throws comes out of {@code next()} at that batch.
 *   <li>{@link #position()} counts the batches handed out, not those read ahead; {@link #restore} continues
 *       exactly there.
 * </ul>
 *
 * <p>A loader is immutable but for its position, and belongs to one thread; so does its one running epoch:
 * beginning another abandons it.
 *
 * @param <B> a batch
 */
public final class DataLoader<B> implements Iterable<B> {
    private final Dataset<B> dataset;
    private final int batchSize;
    private final OptionalLong shuffleSeed;
    private final boolean dropLast;
    private final int workers;
    private final int prefetch;

    private Position position = new Position(0, 0);
    private boolean begun;
    private Epoch running;

    private DataLoader(
            Dataset<B> dataset, int batchSize, OptionalLong shuffleSeed, boolean dropLast, int workers, int prefetch) {
        this.dataset = dataset;
        this.batchSize = batchSize;
        this.shuffleSeed = shuffleSeed;
        this.dropLast = dropLast;
        this.workers = workers;
        this.prefetch = prefetch;
    }

    /**
     * Batches of {@code batchSize} samples in the dataset's own order, the last one perhaps smaller, read
     * when asked for.
     *
     * @throws IllegalArgumentException if {@code batchSize < 1}
     */
    public static <B> DataLoader<B> of(Dataset<B> dataset, int batchSize) {
        if (batchSize < 1) throw new IllegalArgumentException("batch size " + batchSize + " is not positive");
        return new DataLoader<>(dataset, batchSize, OptionalLong.empty(), false, 0, 2);
    }

    /** The same, in a new random order each epoch. */
    public DataLoader<B> shuffle(long seed) {
        return new DataLoader<>(dataset, batchSize, OptionalLong.of(seed), dropLast, workers, prefetch);
    }

    /** The same without a last batch of fewer samples. */
    public DataLoader<B> dropLast() {
        return new DataLoader<>(dataset, batchSize, shuffleSeed, true, workers, prefetch);
    }

    /**
     * The same with {@code threads} threads that read ahead; 0 reads in the caller's thread.
     *
     * @throws IllegalArgumentException if {@code threads} is negative
     */
    public DataLoader<B> workers(int threads) {
        if (threads < 0) throw new IllegalArgumentException(threads + " worker threads");
        return new DataLoader<>(dataset, batchSize, shuffleSeed, dropLast, threads, Math.max(prefetch, 2 * threads));
    }

    /**
     * The same with at most {@code batches} batches read ahead.
     *
     * @throws IllegalArgumentException if {@code batches < 1}
     */
    public DataLoader<B> prefetch(int batches) {
        if (batches < 1) throw new IllegalArgumentException("cannot read " + batches + " batches ahead");
        return new DataLoader<>(dataset, batchSize, shuffleSeed, dropLast, workers, batches);
    }

    /** Batches in an epoch. */
    public long batches() {
        long n = dataset.size();
        return dropLast ? n / batchSize : (n + batchSize - 1) / batchSize;
    }

    /** Samples in an epoch. */
    public long samples() {
        return dropLast ? batches() * batchSize : dataset.size();
    }

    /**
     * A place in the sequence of batches.
     *
     * @param epoch epochs completed or abandoned
     * @param batch batches handed out in the epoch that runs
     */
    public record Position(long epoch, long batch) {}

    /** Where this loader is; a saved position and the loader's settings determine every batch to come. */
    public Position position() {
        return position;
    }

    /**
     * Makes the next {@link #iterator()} continue from a position, in the middle of an epoch too.
     *
     * @throws IllegalArgumentException if an epoch of this loader has no such place
     */
    public void restore(Position p) {
        if (p.epoch() < 0 || p.batch() < 0 || p.batch() > batches()) {
            throw new IllegalArgumentException(p + " in a loader with " + batches() + " batches an epoch");
        }
        stop();
        position = p;
        begun = false;
    }

    /**
     * Begins an epoch: the next one, or the rest of the one that {@link #restore} gave. An epoch that was
     * left before its end is given up, and counted.
     */
    @Override
    public Iterator<B> iterator() {
        stop();
        if (begun) position = new Position(position.epoch() + 1, 0);
        begun = true;
        running = new Epoch(order(position.epoch()), position.batch());
        return running;
    }

    private void stop() {
        if (running != null) running.close();
        running = null;
    }

    /** The order of an epoch; null stands for the dataset's own. */
    private long[] order(long epoch) {
        if (shuffleSeed.isEmpty()) return null;
        long n = dataset.size();
        if (n > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("cannot shuffle " + n + " samples; split the dataset");
        }
        return new Generator(mix(shuffleSeed.getAsLong(), epoch)).permutation((int) n);
    }

    /** SplitMix64's finalizer over both: neighbouring seeds and epochs get unrelated orders. */
    private static long mix(long seed, long epoch) {
        long z = seed + 0x9e3779b97f4a7c15L * (epoch + 1);
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    private final class Epoch implements Iterator<B> {
        private final long[] order;
        private final long end = batches();
        private final Deque<Future<B>> ahead = new ArrayDeque<>();
        private final ThreadPoolExecutor pool;
        /** Tensors that the workers make belong to the session of the thread that began the epoch. */
        private final Session session = Session.current();

        private long next;
        private long asked;
        private boolean closed;

        Epoch(long[] order, long first) {
            this.order = order;
            next = first;
            asked = first;
            pool = workers == 0 || first == end ? null : newPool();
            if (first == end) finish();
        }

        private ThreadPoolExecutor newPool() {
            ThreadPoolExecutor p =
                    new ThreadPoolExecutor(workers, workers, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                        Thread t = new Thread(task, "sinter-data");
                        t.setDaemon(true);
                        return t;
                    });
            p.allowCoreThreadTimeOut(true); // an epoch that is dropped without its end leaves no thread behind
            return p;
        }

        @Override
        public boolean hasNext() {
            return !closed && next < end;
        }

        @Override
        public B next() {
            if (!hasNext()) throw new NoSuchElementException(closed ? "this epoch was given up" : "end of the epoch");
            B batch = pool == null ? read(next) : await();
            next++;
            position = new Position(position.epoch(), next);
            if (next == end) finish();
            return batch;
        }

        private B await() {
            while (asked < end && ahead.size() < prefetch) {
                long number = asked++;
                ahead.add(pool.submit(() -> {
                    try (var _ = session.use()) {
                        return read(number);
                    }
                }));
            }
            try {
                return ahead.remove().get();
            } catch (ExecutionException e) {
                close();
                throw rethrown(e.getCause());
            } catch (InterruptedException e) {
                close();
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for batch " + next, e);
            }
        }

        /** The worker's exception, with the caller's stack added so that both threads' places are seen. */
        private RuntimeException rethrown(Throwable cause) {
            cause.addSuppressed(new IllegalStateException("asked for here, as batch " + next));
            if (cause instanceof Error e) throw e;
            if (cause instanceof RuntimeException e) return e;
            return new IllegalStateException("batch " + next + " could not be read: " + cause.getMessage(), cause);
        }

        private B read(long number) {
            long first = number * batchSize;
            int n = (int) Math.min(batchSize, dataset.size() - first);
            long[] indices = new long[n];
            for (int i = 0; i < n; i++) indices[i] = order == null ? first + i : order[(int) first + i];
            return dataset.batch(indices);
        }

        private void finish() {
            position = new Position(position.epoch() + 1, 0);
            begun = false;
            close();
        }

        void close() {
            closed = true;
            ahead.clear();
            if (pool != null) pool.shutdownNow();
        }
    }
}
