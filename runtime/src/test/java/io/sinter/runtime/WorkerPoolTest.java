// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void everyTaskRunsOnce(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int tasks : new int[] {0, 1, 2, 3, 100, 1_000}) {
                for (int chunk : new int[] {1, 3, 64, 10_000}) {
                    AtomicIntegerArray seen = new AtomicIntegerArray(tasks);
                    try (var team = pool.acquire()) {
                        team.run(tasks, chunk, (worker, begin, end) -> {
                            assertTrue(worker >= 0 && worker < threads);
                            for (long i = begin; i < end; i++) seen.incrementAndGet((int) i);
                        });
                    }
                    for (int i = 0; i < tasks; i++) assertEquals(1, seen.get(i));
                }
            }
        }
    }

    /** What is told of the parts adds up to the whole, and lies within it; one worker's parts follow one another. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void whoDidWhatIsTold(int threads) {
        try (WorkerPool pool = new WorkerPool(threads);
                var team = pool.acquire()) {
            long[] ended = new long[threads];
            long[] told = new long[1];
            Arrays.fill(ended, Long.MIN_VALUE);
            for (int i = 0; i < 200; i++) {
                long tasks = 1 + i % 40;
                long from = System.nanoTime();
                told[0] = 0;
                team.watch((worker, start, nanos, count) -> {
                    assertTrue(start >= from && nanos >= 0 && start + nanos <= System.nanoTime());
                    assertTrue(count > 0 && start >= ended[worker], "worker " + worker);
                    ended[worker] = start + nanos;
                    told[0] += count;
                });
                team.run(tasks, 1 + i % 3, (_, _, _) -> Thread.onSpinWait());
                assertEquals(tasks, told[0]);
            }
            team.watch(null);
            team.run(50, 1, (_, _, _) -> Thread.onSpinWait());
            assertEquals(40, told[0], "of the last one that was watched");
        }
    }

    /** A watcher goes with the team that it was given to. */
    @Test
    void anotherTeamIsNotWatched() {
        try (WorkerPool pool = new WorkerPool(2)) {
            try (var team = pool.acquire()) {
                team.watch((_, _, _, _) -> {
                    throw new AssertionError("nothing was run");
                });
            }
            try (var team = pool.acquire()) {
                team.run(1, 1, (_, _, _) -> {});
                team.run(9, 1, (_, _, _) -> {});
            }
        }
    }

    @Test
    void parkedWorkersWakeAgain() {
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int i = 0; i < 20; i++) {
                AtomicLong sum = new AtomicLong();
                try (var team = pool.acquire()) {
                    team.run(50, 1, (_, begin, end) -> {
                        for (long t = begin; t < end; t++) sum.addAndGet(t);
                    });
                }
                assertEquals(1225, sum.get());
                LockSupport.parkNanos(i * 20_000L);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void exceptionsReachTheCallerAndThePoolGoesOn(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int i = 0; i < 50; i++) {
                IllegalStateException thrown = new IllegalStateException("task 37");
                try (var team = pool.acquire()) {
                    assertSame(
                            thrown,
                            assertThrows(
                                    IllegalStateException.class,
                                    () -> team.run(100, 1, (_, begin, _) -> {
                                        if (begin <= 37) throw thrown;
                                    })));
                }
                try (var team = pool.acquire()) {
                    assertThrows(
                            StackOverflowError.class,
                            () -> team.run(9, 1, (_, _, _) -> {
                                throw new StackOverflowError();
                            }));
                }
            }
        }
    }

    @Test
    void nestingIsRefused() {
        try (WorkerPool pool = new WorkerPool(2);
                var team = pool.acquire()) {
            assertThrows(IllegalStateException.class, pool::acquire);
            assertThrows(IllegalStateException.class, () -> team.run(64, 1, (_, _, _) -> pool.acquire()));
        }
    }

    @Test
    void onlyTheHolderRuns() {
        try (WorkerPool pool = new WorkerPool(2)) {
            WorkerPool.Team team = pool.acquire();
            team.close();
            assertThrows(IllegalStateException.class, () -> team.run(1, 1, (_, _, _) -> {}));
        }
    }

    @Test
    void threadsTakeTurns() throws InterruptedException {
        try (WorkerPool pool = new WorkerPool(2)) {
            long[] counter = new long[1]; // written by holders only
            List<Thread> callers = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                callers.add(Thread.ofPlatform().start(() -> {
                    for (int i = 0; i < 200; i++) {
                        try (var team = pool.acquire()) {
                            AtomicLong sum = new AtomicLong();
                            team.run(8, 1, (_, begin, end) -> sum.addAndGet(end - begin));
                            counter[0] += sum.get();
                        }
                    }
                }));
            }
            for (Thread c : callers) c.join();
            assertEquals(4 * 200 * 8, counter[0]);
        }
    }

    @Test
    void scratchGrowsAndIsPrivate() {
        try (WorkerPool pool = new WorkerPool(3);
                var team = pool.acquire()) {
            team.reserveScratch(100);
            team.reserveScratch(1 << 20);
            for (int i = 0; i < 3; i++) {
                assertEquals(0, team.scratch(i) % 64);
                Memory.fill(team.scratch(i), 1 << 20, (byte) (i + 1));
            }
            for (int i = 0; i < 3; i++) assertEquals(i + 1, Memory.getByte(team.scratch(i) + (1 << 20) - 1));
            assertNotEquals(team.scratch(0), team.scratch(1));
        }
    }

    @Test
    void resultsDoNotDependOnTheNumberOfThreads() {
        double[][] results = new double[3][1_000];
        int[] threads = {1, 2, 5};
        for (int k = 0; k < threads.length; k++) {
            double[] out = results[k];
            try (WorkerPool pool = new WorkerPool(threads[k]);
                    var team = pool.acquire()) {
                team.run(out.length, 7, (_, begin, end) -> {
                    for (int i = (int) begin; i < end; i++) out[i] = Math.sin(i) / (i + 1);
                });
            }
        }
        assertArrayEquals(results[0], results[1]);
        assertArrayEquals(results[0], results[2]);
        assertEquals(0, Arrays.stream(results[0]).filter(Double::isNaN).count());
    }

    @Test
    void closedPoolsSaySo() {
        WorkerPool pool = new WorkerPool(2);
        try (var team = pool.acquire()) {
            team.run(4, 1, (_, _, _) -> {});
            assertThrows(IllegalStateException.class, pool::close);
        }
        pool.close();
        pool.close();
        assertThrows(IllegalStateException.class, pool::acquire);
        assertThrows(IllegalArgumentException.class, () -> new WorkerPool(0));
    }
}
