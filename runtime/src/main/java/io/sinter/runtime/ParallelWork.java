// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/**
 * Independent parts of one piece of work, done by threads that are started for it, and by whoever waits for it in the end: what is done once for a program, as making its code, not what
 * is done in each run, which is the {@link WorkerPool}'s. Used by one thread.
 */
final class ParallelWork {
    private final int parts;
    private final IntConsumer part;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Thread[] threads;

    private ParallelWork(int parts, int threads, IntConsumer part) {
        this.parts = parts;
        this.part = part;
        this.threads = new Thread[threads];
    }

    /**
     * Begins.
     *
     * @param parts how many there are
     * @param most threads to start, if there are as many parts and processors besides the one that the caller runs on
     * @param part does one part; what it throws ends the work
     */
    static ParallelWork begin(int parts, int most, IntConsumer part) {
        int processors = Runtime.getRuntime().availableProcessors() - 1;
        ParallelWork work = new ParallelWork(parts, Math.clamp(Math.min(most, processors), 0, parts), part);
        for (int i = 0; i < work.threads.length; i++) {
            work.threads[i] = Thread.ofPlatform()
                    .daemon()
                    .name("sinter-compiler-" + (i + 1))
                    .start(work::run);
        }
        return work;
    }

    private void run() {
        for (int i = next.getAndIncrement(); i < parts && failure.get() == null; i = next.getAndIncrement()) {
            try {
                part.accept(i);
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            }
        }
    }

    /** Does the parts that nobody has begun, waits for the others, and throws what the first one that failed has thrown. */
    void finish() {
        run();
        join();
        if (failure.get() instanceof RuntimeException e) throw e;
        if (failure.get() instanceof Error e) throw e;
    }

    /** No further part is begun; those that are under way are waited for. Nothing after {@link #finish}. */
    void abandon() {
        next.set(parts);
        join();
    }

    private void join() {
        boolean interrupted = false;
        for (Thread t : threads) {
            for (boolean joined = false; !joined; ) {
                try {
                    t.join();
                    joined = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}
