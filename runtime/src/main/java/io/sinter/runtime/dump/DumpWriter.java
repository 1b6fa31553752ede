// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Writes dumps one after the other, in the order of the compilations, on a thread that is there while there is something to write, and pauses while
 * something is compiled: the machine may have no core to spare. A process that ends waits for it.
 */
final class DumpWriter {
    /** Programs that wait, with the graphs of all their passes; whoever compiles one more waits for the first of them. */
    static final int MOST = 64;

    private final ThreadPoolExecutor thread =
            new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> Thread.ofPlatform()
                    .daemon()
                    .name("sinter-dump")
                    .unstarted(work));
    /** Unwritten, or not known to be written. Guarded by this. */
    private final Deque<Future<?>> pending = new ArrayDeque<>();
    /** Waits for the thread when the process ends; null while nothing is pending. Guarded by this. */
    private Thread atExit;

    private final Object turns = new Object();
    /** Compilations under way, and threads that wait for something to be written. Guarded by {@link #turns}. */
    private int compiling;

    private int waiting;

    DumpWriter() {
        thread.allowCoreThreadTimeOut(true);
    }

    /**
     * Does {@code write} soon.
     *
     * @throws RuntimeException what one before has thrown; {@code write} is done all the same
     */
    synchronized void add(Runnable write) {
        pending.add(thread.submit(write));
        if (atExit == null) beginWaiting();
        while (pending.size() > MOST || pending.getFirst().isDone()) {
            finishFirst();
            if (pending.isEmpty()) return;
        }
    }

    /**
     * Waits until all is done.
     *
     * @throws RuntimeException what the first to fail has thrown
     */
    synchronized void await() {
        while (!pending.isEmpty()) finishFirst();
        endWaiting();
    }

    /** A compilation begins. Somebody waits for that, and for a dump nobody does: until {@link #compiled} nothing more is written. */
    void compiling() {
        synchronized (turns) {
            compiling++;
        }
    }

    /** A compilation has ended. */
    void compiled() {
        synchronized (turns) {
            compiling--;
            turns.notifyAll();
        }
    }

    /** Lets compilations go first, unless somebody waits for what is being written; called by that before each file. */
    void awaitTurn() {
        synchronized (turns) {
            try {
                while (compiling > 0 && waiting == 0) turns.wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // then it writes on: half of it is of no use to anybody
            }
        }
    }

    private void isWaitedFor(int more) {
        synchronized (turns) {
            waiting += more;
            turns.notifyAll();
        }
    }

    private void finishFirst() {
        isWaitedFor(1);
        try {
            awaitFirst();
        } finally {
            isWaitedFor(-1);
        }
    }

    private void awaitFirst() {
        Future<?> first = pending.removeFirst();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    first.get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true; // what is half written is of no use to anybody
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case Throwable failure -> throw new IllegalStateException(failure);
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
    }

    private void beginWaiting() {
        Thread wait = new Thread(this::await, "sinter-dump-exit");
        try {
            Runtime.getRuntime().addShutdownHook(wait);
            atExit = wait;
        } catch (IllegalStateException e) {
            // The process ends already.
        }
    }

    private void endWaiting() {
        if (atExit == null) return;
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // As above: it may be that this is the one who waits.
        }
        atExit = null;
    }
}
