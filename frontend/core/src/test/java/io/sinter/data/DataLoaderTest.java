// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DataLoaderTest {
    /** Samples are their own numbers; a batch is their list. */
    private static Dataset<List<Long>> numbers(long n) {
        return Dataset.of(n, i -> i, List::copyOf);
    }

    private static <B> List<B> epoch(DataLoader<B> loader) {
        List<B> out = new ArrayList<>();
        for (B b : loader) out.add(b);
        return out;
    }

    @Test
    void inOrderWithAndWithoutTheLast() {
        var loader = DataLoader.of(numbers(7), 3);
        assertEquals(List.of(List.of(0L, 1L, 2L), List.of(3L, 4L, 5L), List.of(6L)), epoch(loader));
        assertEquals(3, loader.batches());
        assertEquals(7, loader.samples());
        var full = loader.dropLast();
        assertEquals(List.of(List.of(0L, 1L, 2L), List.of(3L, 4L, 5L)), epoch(full));
        assertEquals(2, full.batches());
        assertEquals(6, full.samples());
        assertEquals(List.of(), epoch(DataLoader.of(numbers(0), 3)));
        assertEquals(List.of(), epoch(DataLoader.of(numbers(2), 3).dropLast().workers(2)));
    }

    @Test
    void shufflingIsAPermutationThatDependsOnSeedAndEpoch() {
        var loader = DataLoader.of(numbers(100), 7).shuffle(1);
        List<Long> first = epoch(loader).stream().flatMap(List::stream).toList();
        List<Long> second = epoch(loader).stream().flatMap(List::stream).toList();
        assertEquals(
                LongStream.range(0, 100).boxed().toList(),
                first.stream().sorted().toList());
        assertNotEquals(first, second);
        assertEquals(
                first, epoch(loader.shuffle(1)).stream().flatMap(List::stream).toList());
        assertNotEquals(
                first, epoch(loader.shuffle(2)).stream().flatMap(List::stream).toList());
    }

    @Property(tries = 60)
    void threadsChangeNothing(
            @ForAll @IntRange(max = 60) int size,
            @ForAll @IntRange(min = 1, max = 9) int batchSize,
            @ForAll @IntRange(max = 4) int workers,
            @ForAll @IntRange(min = 1, max = 5) int prefetch,
            @ForAll boolean dropLast,
            @ForAll long seed) {
        var plain = DataLoader.of(numbers(size), batchSize).shuffle(seed);
        if (dropLast) plain = plain.dropLast();
        var threaded = plain.workers(workers).prefetch(prefetch);
        assertEquals(epoch(plain), epoch(threaded));
        assertEquals(epoch(plain), epoch(threaded));
        assertEquals(new DataLoader.Position(2, 0), threaded.position());
    }

    @Property(tries = 60)
    void aRestoredLoaderContinuesExactly(
            @ForAll @IntRange(min = 1, max = 40) int size,
            @ForAll @IntRange(max = 100) int steps,
            @ForAll @IntRange(max = 3) int workers) {
        var loader = DataLoader.of(numbers(size), 3).shuffle(5).workers(workers);
        Iterator<List<Long>> it = loader.iterator();
        for (int i = 0; i < steps; i++) {
            if (!it.hasNext()) it = loader.iterator();
            it.next();
        }
        var other = DataLoader.of(numbers(size), 3).shuffle(5);
        other.restore(loader.position());
        List<List<Long>> rest = new ArrayList<>();
        if (it.hasNext()) it.forEachRemaining(rest::add);
        else rest.addAll(epoch(loader));
        assertEquals(rest, epoch(other));
        assertEquals(epoch(loader), epoch(other));
        assertEquals(loader.position(), other.position());
    }

    @Test
    void positionCountsWhatWasHandedOut() {
        var loader = DataLoader.of(numbers(10), 2).workers(2).prefetch(4);
        Iterator<List<Long>> it = loader.iterator();
        assertEquals(new DataLoader.Position(0, 0), loader.position());
        it.next();
        assertEquals(new DataLoader.Position(0, 1), loader.position());
        Iterator<List<Long>> second = loader.iterator();
        assertEquals(new DataLoader.Position(1, 0), loader.position());
        assertFalse(it.hasNext());
        assertThrows(NoSuchElementException.class, it::next);
        assertTrue(second.hasNext());
        assertThrows(IllegalArgumentException.class, () -> loader.restore(new DataLoader.Position(0, 6)));
        assertThrows(IllegalArgumentException.class, () -> loader.restore(new DataLoader.Position(-1, 0)));
    }

    @Test
    void workersReadAheadAndNoFurther() {
        Set<String> threads = ConcurrentHashMap.newKeySet();
        AtomicInteger read = new AtomicInteger();
        Dataset<Integer> counted = Dataset.of(100, i -> i, samples -> {
            threads.add(Thread.currentThread().getName());
            read.incrementAndGet();
            return samples.size();
        });
        Iterator<Integer> it = DataLoader.of(counted, 10).workers(1).prefetch(3).iterator();
        it.next();
        it.next();
        it.next();
        assertTrue(read.get() >= 3 && read.get() <= 5, read + " batches read for 3 handed out");
        assertEquals(Set.of("sinter-data"), threads);
    }

    @Test
    void anExceptionComesOutAtItsBatch() {
        var fault = new IllegalStateException("no such picture");
        Dataset<Long> faulty = Dataset.of(6, i -> i, samples -> {
            if (samples.contains(4L)) throw fault;
            return samples.getFirst();
        });
        for (int workers : new int[] {0, 2}) {
            Iterator<Long> it = DataLoader.of(faulty, 2).workers(workers).iterator();
            assertEquals(0, it.next());
            assertEquals(2, it.next());
            assertSame(fault, assertThrows(IllegalStateException.class, it::next));
        }
    }

    @Test
    void badSettingsAndSubsets() {
        assertThrows(IllegalArgumentException.class, () -> DataLoader.of(numbers(3), 0));
        assertThrows(IllegalArgumentException.class, () -> DataLoader.of(numbers(3), 1)
                .workers(-1));
        assertThrows(IllegalArgumentException.class, () -> DataLoader.of(numbers(3), 1)
                .prefetch(0));
        var odd = numbers(6).subset(5, 3, 1);
        assertEquals(3, odd.size());
        assertEquals(List.of(1L, 5L), odd.batch(new long[] {2, 0}));
        assertThrows(IndexOutOfBoundsException.class, () -> odd.batch(new long[] {3}));
        assertThrows(IndexOutOfBoundsException.class, () -> numbers(6).subset(6));
    }
}
