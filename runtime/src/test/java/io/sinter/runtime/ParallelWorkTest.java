// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class ParallelWorkTest {
    @Test
    void everyPartIsDoneOnce() {
        for (int threads : new int[] {0, 1, 3, 100}) {
            AtomicIntegerArray done = new AtomicIntegerArray(50);
            ParallelWork.begin(50, threads, done::getAndIncrement).finish();
            int[] ones = new int[50];
            Arrays.fill(ones, 1);
            int[] counts = new int[50];
            for (int i = 0; i < 50; i++) counts[i] = done.get(i);
            assertArrayEquals(ones, counts);
        }
        ParallelWork.begin(0, 3, _ -> {
                    throw new AssertionError("there is no part");
                })
                .finish();
    }

    /** Who finishes takes part: without threads, the caller alone. */
    @Test
    void withoutThreadsTheCallerDoesIt() {
        Set<Thread> by = ConcurrentHashMap.newKeySet();
        ParallelWork.begin(5, 0, _ -> by.add(Thread.currentThread())).finish();
        assertEquals(Set.of(Thread.currentThread()), by);
    }

    @Test
    void aFailureEndsTheWorkAndReachesTheCaller() {
        IllegalStateException failure = new IllegalStateException("part 3");
        AtomicIntegerArray done = new AtomicIntegerArray(1000);
        ParallelWork work = ParallelWork.begin(1000, 0, i -> {
            if (i == 3) throw failure;
            done.incrementAndGet(i);
        });
        assertSame(failure, assertThrows(IllegalStateException.class, work::finish));
        assertEquals(0, done.get(4));
    }

    @Test
    void whatIsAbandonedHasEnded() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        AtomicIntegerArray ended = new AtomicIntegerArray(100_000);
        ParallelWork work = ParallelWork.begin(ended.length(), 1, i -> {
            begun.countDown();
            Thread.yield();
            ended.incrementAndGet(i);
        });
        if (Runtime.getRuntime().availableProcessors() > 1) begun.await();
        work.abandon();
        int first = 0;
        while (first < ended.length() && ended.get(first) == 1) first++;
        assertTrue(first < ended.length(), "some parts were never begun");
        for (int i = first; i < ended.length(); i++) assertEquals(0, ended.get(i));
    }
}
