// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class OnceCacheTest {
    @Test
    void whatIsNotFoundIsNotKept() {
        OnceCache<String> cache = new OnceCache<>(10);
        assertNull(cache.getOrNull("a", () -> null).value());
        assertEquals(0, cache.size());
        assertEquals("1", cache.getOrNull("a", () -> "1").value());
        OnceCache.Found<String> again = cache.get("a", () -> "2");
        assertEquals("1", again.value());
        assertTrue(again.hit());
    }

    /** Who waits for a thread that looks for a value in vain makes the value itself. */
    @Test
    void whoWaitsForASearchInVainMakesIt() throws InterruptedException, ExecutionException, TimeoutException {
        OnceCache<String> cache = new OnceCache<>(10);
        CountDownLatch searching = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> searched = CompletableFuture.supplyAsync(() -> cache.getOrNull("a", () -> {
                    searching.countDown();
                    await(goOn);
                    return null;
                })
                .value());
        await(searching);
        CompletableFuture<String> made = new CompletableFuture<>();
        Thread maker = Thread.ofPlatform()
                .start(() -> made.complete(cache.get("a", () -> "made").value()));
        while (maker.getState() != Thread.State.WAITING) Thread.onSpinWait();
        goOn.countDown();
        assertNull(searched.get(1, TimeUnit.MINUTES));
        assertEquals("made", made.get(1, TimeUnit.MINUTES));
        assertEquals("made", cache.find("a"));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
