// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The threads that kernels run on. A program launches kernels of some microseconds, one after the other: idle workers spin for the next one
 * before they park (dispatch to a spinning worker takes under a microsecond, to a parked one 100 and more), and the caller works too instead of
 * waiting for them to wake.
 *
 * <p>A program {@linkplain #acquire acquires} the pool for all of its kernels; others wait. Tasks must not use the pool themselves.
 */
public final class WorkerPool implements AutoCloseable {
    /** Work in numbered tasks. */
    @FunctionalInterface
    public interface Tasks {
        /**
         * Runs tasks {@code begin} (inclusive) to {@code end} (exclusive).
         *
         * @param worker who runs it: 0 is the thread that called {@link Team#run}, others are up to {@link #threads}
         */
        void run(int worker, long begin, long end);
    }

    /** Is told who did what of the work, by the thread that holds the pool. */
    @FunctionalInterface
    public interface Parts {
        /**
         * All that one worker did in one {@link Team#run}; not called for workers that had nothing of it.
         *
         * @param start of its first task, by {@link System#nanoTime}
         * @param nanos until the end of its last one
         * @param tasks how many
         */
        void worked(int worker, long start, long nanos, long tasks);
    }

    /** The pool, held by one thread. */
    public interface Team extends AutoCloseable {
        /**
         * Runs tasks 0 to {@code tasks}, each once; returns when all are done. Every worker has a share of neighbouring tasks, the same one in every
         * launch of as many, so that what they touch stays in its cache; chunks of {@code chunk} of it go to others that are done with theirs.
         *
         * @throws RuntimeException the first that a task threw; tasks that had not begun by then are left out
         */
        void run(long tasks, long chunk, Tasks work);

        /** From now on, until the team is closed, tells {@code parts} of every {@link #run} when its tasks are done; null: nobody. */
        void watch(Parts parts);

        /** Sees to it that every worker has at least {@code bytes} of scratch memory from now on. */
        void reserveScratch(long bytes);

        /** Address of a worker's scratch memory, 64-byte aligned; 0 if none was ever reserved. */
        long scratch(int worker);

        @Override
        void close();
    }

    /** Between two steps of a loop the caller traces for some 60 µs, its caches cold from the last kernel: not to be parked for that. */
    private static final long SPIN_NANOS = 200_000;

    private static final Job IDLE = new Job(0, 1, 1, (_, _, _) -> {}, false);

    private final int threads;
    private final ReentrantLock lock = new ReentrantLock();
    private final MemorySource memory = new HostMemory();
    private final Held held = new Held();
    private final long[] scratch;
    private long scratchBytes;
    private Worker[] workers;
    private volatile Job current = IDLE;
    private volatile boolean closed;

    /** @param threads number of threads that work, the caller of {@link Team#run} among them */
    WorkerPool(int threads) {
        if (threads < 1) throw new IllegalArgumentException("a pool of " + threads + " threads");
        this.threads = threads;
        scratch = new long[threads];
    }

    /** Number of threads that work, the caller among them. */
    public int threads() {
        return threads;
    }

    /**
     * The pool for this thread alone, until the team is closed.
     *
     * @throws IllegalStateException within a task, where waiting for the pool would never end
     */
    public Team acquire() {
        if (Thread.currentThread() instanceof Worker || lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("a kernel's task must not run another program");
        }
        lock.lock();
        if (closed) {
            lock.unlock();
            throw new IllegalStateException("this session was closed");
        }
        return held;
    }

    /** Waits for the run in progress, then ends the threads. */
    @Override
    public void close() {
        if (lock.isHeldByCurrentThread()) throw new IllegalStateException("a program is running on this thread");
        lock.lock();
        try {
            if (closed) return;
            closed = true;
            if (workers != null) for (Worker w : workers) LockSupport.unpark(w);
            releaseScratch();
        } finally {
            lock.unlock();
        }
    }

    private void releaseScratch() {
        for (int i = 0; i < threads; i++) {
            if (scratch[i] != 0) memory.unmap(scratch[i], scratchBytes);
            scratch[i] = 0;
        }
    }

    private final class Held implements Team {
        private Parts watcher;

        @Override
        public void watch(Parts parts) {
            watcher = parts;
        }

        @Override
        public void run(long tasks, long chunk, Tasks work) {
            if (!lock.isHeldByCurrentThread()) throw new IllegalStateException("this thread does not hold the pool");
            if (chunk < 1) throw new IllegalArgumentException("chunks of " + chunk + " tasks");
            if (tasks <= 0) return;
            if (threads == 1 || tasks <= chunk) {
                long start = watcher == null ? 0 : System.nanoTime();
                work.run(0, 0, tasks);
                if (watcher != null) watcher.worked(0, start, System.nanoTime() - start, tasks);
                return;
            }
            if (workers == null) start();
            Job job = new Job(tasks, chunk, threads, work, watcher != null);
            current = job;
            // No more helpers than there are chunks besides the caller's.
            long helpers = Math.min(workers.length, (tasks - 1) / chunk);
            for (int i = 0; i < helpers; i++) if (workers[i].parked) LockSupport.unpark(workers[i]);
            job.work(0);
            job.await();
            if (watcher != null) job.tell(watcher);
        }

        @Override
        public void reserveScratch(long bytes) {
            if (bytes <= scratchBytes) return;
            releaseScratch();
            scratchBytes = Math.max(bytes, 2 * scratchBytes);
            for (int i = 0; i < threads; i++) {
                scratch[i] = memory.map(scratchBytes);
                if (scratch[i] == 0) {
                    String text = "no " + scratchBytes + " bytes of scratch memory for each of " + threads + " threads";
                    releaseScratch();
                    scratchBytes = 0;
                    throw new OutOfDeviceMemoryException(text);
                }
            }
        }

        @Override
        public long scratch(int worker) {
            return scratch[worker];
        }

        @Override
        public void close() {
            watcher = null;
            current = IDLE; // forget the last job and what it refers to
            lock.unlock();
        }
    }

    private void start() {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) workers[i] = new Worker(i + 1);
        for (Worker w : workers) w.start();
    }

    /** One call of {@link Team#run}. A worker that wakes too late for it finds nothing left to claim. */
    private static final class Job {
        private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
        /** Counters are on cache lines of their own: tasks done, then for each share the next task. */
        private static final int LINE = 8;

        private static final int DONE = LINE;

        private final long tasks;
        private final long chunk;
        private final int shares;
        private final Tasks work;
        private final long[] words;
        /** For each worker, on a cache line of its own: start, end, tasks. Null if nobody wants to know. */
        private final long[] parts;

        private volatile Throwable failure;
        private volatile Thread waiting;

        Job(long tasks, long chunk, int shares, Tasks work, boolean watched) {
            this.tasks = tasks;
            this.chunk = chunk;
            this.shares = shares;
            this.work = work;
            words = new long[(shares + 2) * LINE];
            for (int s = 0; s < shares; s++) words[next(s)] = first(s);
            parts = watched ? new long[shares * LINE] : null;
        }

        /** The first task of a share; of the one after the last, the number of tasks. */
        private long first(int share) {
            // No product of the two, which might be more than a long.
            return tasks / shares * share + Math.min(tasks % shares, share);
        }

        private static int next(int share) {
            return (share + 2) * LINE;
        }

        void work(int worker) {
            long start = parts == null ? 0 : System.nanoTime();
            long count = 0;
            for (int i = 0; i < shares; i++) {
                int share = worker + i < shares ? worker + i : worker + i - shares;
                count += work(worker, next(share), first(share + 1));
            }
            if (count == 0) return;
            if (parts != null) {
                // Before the tasks count as done: who reads it has seen that they are.
                parts[worker * LINE] = start;
                parts[worker * LINE + 1] = System.nanoTime();
                parts[worker * LINE + 2] = count;
            }
            long done = (long) WORDS.getAndAdd(words, DONE, count) + count;
            if (done == tasks) {
                Thread waiter = waiting;
                if (waiter != null) LockSupport.unpark(waiter);
            }
        }

        /** Runs what is left of a share that ends at task {@code last}; how many tasks that was. */
        private long work(int worker, int next, long last) {
            long count = 0;
            while ((long) WORDS.getVolatile(words, next) < last) {
                long begin = (long) WORDS.getAndAdd(words, next, chunk);
                if (begin >= last) break;
                long end = Math.min(begin + chunk, last);
                if (failure == null) {
                    try {
                        work.run(worker, begin, end);
                    } catch (Throwable e) {
                        fail(e);
                    }
                }
                count += end - begin;
            }
            return count;
        }

        /** When all tasks are done. */
        void tell(Parts watcher) {
            for (int at = 0; at < parts.length; at += LINE) {
                if (parts[at + 2] > 0) watcher.worked(at / LINE, parts[at], parts[at + 1] - parts[at], parts[at + 2]);
            }
        }

        private synchronized void fail(Throwable e) {
            if (failure == null) failure = e;
        }

        /** Until all tasks are done. */
        void await() {
            long start = 0;
            int spins = 0;
            boolean interrupted = false;
            while ((long) WORDS.getVolatile(words, DONE) != tasks) {
                if (waiting == null) {
                    Thread.onSpinWait();
                    if ((++spins & 63) != 0) continue;
                    long now = System.nanoTime();
                    if (start == 0) start = now;
                    if (now - start > SPIN_NANOS) waiting = Thread.currentThread();
                } else {
                    LockSupport.park(this);
                    interrupted |= Thread.interrupted();
                }
            }
            if (interrupted) Thread.currentThread().interrupt();
            Throwable e = failure;
            if (e instanceof RuntimeException r) throw r;
            if (e instanceof Error r) throw r;
            if (e != null) throw new IllegalStateException("a task failed", e);
        }
    }

    private final class Worker extends Thread {
        private final int number;
        private volatile boolean parked;

        Worker(int number) {
            super("sinter-worker-" + number);
            this.number = number;
            setDaemon(true);
        }

        @Override
        public void run() {
            Job job = IDLE;
            while (!closed) {
                job = next(job);
                job.work(number);
            }
        }

        /** The job after {@code last}: spins, then parks. */
        private Job next(Job last) {
            long start = 0;
            int spins = 0;
            while (true) {
                Job job = current;
                if (job == IDLE) last = IDLE; // which lets go of what the last job referred to
                else if (job != last) return job;
                if (closed) return IDLE;
                Thread.onSpinWait();
                if ((++spins & 63) != 0) continue;
                long now = System.nanoTime();
                if (start == 0) start = now;
                if (now - start <= SPIN_NANOS) continue;
                parked = true;
                job = current;
                if ((job == last || job == IDLE) && !closed) LockSupport.park(WorkerPool.this);
                parked = false;
                Thread.interrupted(); // an interrupt would turn parking into spinning
                start = 0;
            }
        }
    }
}
