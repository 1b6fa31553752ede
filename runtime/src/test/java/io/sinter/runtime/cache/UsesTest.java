// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.store.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsesTest {
    @TempDir
    private Path folder;

    private static CacheKey key(int n) {
        return new CacheKey(CacheKey.Kind.PLAN, "b", "t", "strict", Sha256.hex(new byte[] {(byte) n}));
    }

    private static void put(Tier tier, int n) throws IOException {
        tier.write(new Entry(key(n), "n", "", new byte[0], new byte[5]), key(n).digest());
    }

    private long count(int n) throws IOException {
        return Uses.read(folder).getOrDefault(key(n).digest().substring(0, 16), 0L);
    }

    @Test
    void findsAreAddedUpAcrossProcesses() throws IOException {
        assertEquals(0, count(1));
        for (int process = 0; process < 3; process++) {
            Uses uses = new Uses(folder, 1 << 20);
            uses.flush();
            uses.add(key(1).digest());
            uses.add(key(1).digest());
            uses.add(key(2).digest());
            assertEquals(2L * process, count(1));
            uses.flush();
        }
        assertEquals(6, count(1));
        assertEquals(3, count(2));
        for (int i = 0; i < 256; i++) new Uses(folder, 1 << 20).add(key(3).digest());
        assertEquals(0, count(3)); // they died before they wrote
        Uses many = new Uses(folder, 1 << 20);
        for (int i = 0; i < 256; i++) many.add(key(3).digest());
        assertEquals(256, count(3));
    }

    @Test
    void whatNobodyUsesIsNotCounted() throws IOException {
        DiskCache cache = DiskCache.open(CacheOptions.NONE.withFolder(folder), new CacheStats());
        put(Tier.own(folder), 1);
        for (DiskCache view : List.of(cache, cache.uncounted(), cache.unused()))
            assertEquals("n", view.find(key(1), Entry::name));
        cache.flush();
        assertEquals(2, count(1));
        cache.unused().flush();
        assertEquals(2, count(1));
    }

    @Test
    void aLongFileIsSummedUp() throws IOException {
        Tier tier = Tier.own(folder);
        put(tier, 1);
        put(tier, 2);
        Uses uses = new Uses(folder, 1 << 20);
        long most = 0;
        for (int i = 0; i < 10_000; i++) {
            uses.add(key(i % 3).digest());
            if (i % 100 == 0) uses.flush();
            if (i == 5_000) MissLog.append(folder.resolve(Uses.FILE), "no line\n0123456789abcdef x\n\u00e9\n");
            if (i > 0) most = Math.max(most, Files.size(folder.resolve(Uses.FILE)));
        }
        uses.flush();
        assertTrue(most > 32 << 10 && most <= 64 << 10, most + " bytes");
        assertEquals(3333, count(1));
        assertEquals(3333, count(2));
        // The third one is not stored, and goes whenever the file is summed up.
        assertTrue(count(0) < 3334 && count(0) > 0, count(0) + " of what is not there");
        put(tier, 3);
        Uses larger = new Uses(folder, 1 << 30); // its file may be longer
        for (int i = 0; i < 5_000; i++) larger.add(key(3).digest());
        larger.flush();
        assertTrue(Files.size(folder.resolve(Uses.FILE)) > 64 << 10);
        assertEquals(0, tier.prune(Long.MAX_VALUE));
        assertEquals(5_000, count(3));
        assertEquals(3333, count(1));
        assertEquals(0, count(0));
        assertTrue(Files.size(folder.resolve(Uses.FILE)) < 200);
        tier.clear();
        assertEquals(0, count(1));
    }
}
