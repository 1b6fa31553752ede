// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.ir.Type;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class ExecutableCacheTest {
    private record Named(String name) implements Executable {
        @Override
        public Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
            return new Run(List.of());
        }

        @Override
        public int kernels() {
            return 0;
        }

        @Override
        public List<Type> argTypes() {
            return List.of();
        }

        @Override
        public List<Type> resultTypes() {
            return List.of();
        }
    }

    /** Keys of one hash. */
    private record Key(int number) {
        @Override
        public int hashCode() {
            return 7;
        }
    }

    private final Counters counters = new Counters();

    @Test
    void equalHashesAreToldApart() {
        ExecutableCache cache = new ExecutableCache(10, counters);
        Executable a = cache.get(new Key(1), () -> new Named("a"));
        Executable b = cache.get(new Key(2), () -> new Named("b"));
        assertNotSame(a, b);
        assertSame(a, cache.find(new Key(1)));
        assertSame(b, cache.get(new Key(2), () -> new Named("c")));
        assertNull(cache.find(new Key(3)));
        assertEquals(2, counters.cacheHits());
        assertEquals(2, counters.cacheMisses());
    }

    @Test
    void theLeastRecentlyUsedGoes() {
        ExecutableCache cache = new ExecutableCache(2, counters);
        Executable a = cache.get("a", () -> new Named("a"));
        cache.get("b", () -> new Named("b"));
        cache.get("a", () -> new Named("again"));
        cache.get("c", () -> new Named("c"));
        assertSame(a, cache.find("a"));
        assertNull(cache.find("b"));
        assertEquals(2, cache.size());
        cache.clear();
        assertNull(cache.find("a"));
    }

    @Test
    void aFailedCompilationIsNotKept() {
        ExecutableCache cache = new ExecutableCache(2, counters);
        assertThrows(
                IllegalArgumentException.class,
                () -> cache.get("a", () -> {
                    throw new IllegalArgumentException("no");
                }));
        assertNull(cache.find("a"));
        assertEquals(0, cache.size());
        cache.get("a", () -> new Named("a"));
        assertEquals(2, counters.cacheMisses());
    }

    @Test
    void threadsCompileOnce() throws InterruptedException {
        ExecutableCache cache = new ExecutableCache(2, counters);
        AtomicInteger compilations = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Executable> got = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        Runnable ask = () -> got.add(cache.get("a", () -> {
            compilations.incrementAndGet();
            begun.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return new Named("a");
        }));
        threads.add(Thread.ofPlatform().start(ask));
        begun.await();
        for (int i = 0; i < 4; i++) threads.add(Thread.ofPlatform().start(ask));
        go.countDown();
        for (Thread t : threads) t.join();
        assertEquals(1, compilations.get());
        assertEquals(5, got.size());
        for (Executable e : got) assertSame(got.getFirst(), e);
        assertEquals(4, counters.cacheHits());
        assertEquals(1, counters.cacheMisses());
    }
}
