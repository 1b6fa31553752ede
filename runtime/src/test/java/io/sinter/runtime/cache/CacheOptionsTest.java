// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CacheOptionsTest {
    private static CacheOptions of(Map<String, String> properties, Map<String, String> environment) {
        Properties p = new Properties();
        p.put("user.home", "/home/ada");
        p.put("os.name", "Linux");
        p.putAll(properties);
        return CacheOptions.of(p, environment);
    }

    @Test
    void propertiesComeBeforeTheEnvironment() {
        assertFalse(of(Map.of(), Map.of()).isOn());
        // Bounded unless somebody says otherwise.
        assertEquals(2L << 30, of(Map.of("sinter.cache", "a"), Map.of()).maxBytes());
        assertEquals(
                Path.of("a"),
                of(Map.of("sinter.cache", "a"), Map.of("SINTER_CACHE", "b")).folder());
        assertEquals(Path.of("b"), of(Map.of(), Map.of("SINTER_CACHE", "b")).folder());
        assertFalse(
                of(Map.of("sinter.cache", "off"), Map.of("SINTER_CACHE", "b")).isOn());
        Path home = Path.of("/home/ada/.cache/sinter");
        assertEquals(home, of(Map.of("sinter.cache", ""), Map.of()).folder());
        assertEquals(
                home,
                of(Map.of(), Map.of("SINTER_CACHE", "on", "XDG_CACHE_HOME", "relative"))
                        .folder());
        assertEquals(
                Path.of("/x/sinter"),
                of(Map.of(), Map.of("SINTER_CACHE", "on", "XDG_CACHE_HOME", "/x"))
                        .folder());
        CacheOptions all = of(
                Map.of("sinter.cache.max", "500M", "sinter.cache.trusted", "keys"),
                Map.of("SINTER_CACHE_SHARED", "s", "SINTER_CACHE_FOREIGN", "trust"));
        assertEquals(new CacheOptions(null, Path.of("s"), 500L << 20, Path.of("keys"), true, List.of()), all);
        assertEquals(
                List.of("sm_90a", "sm_80"),
                of(Map.of(), Map.of("SINTER_CACHE_WARM", " sm_90a, sm_80")).warm());
        assertThrows(IllegalArgumentException.class, () -> of(Map.of("sinter.cache.foreign", "yes"), Map.of()));
        assertThrows(IllegalArgumentException.class, () -> of(Map.of("sinter.cache.max", "much"), Map.of()));
    }

    @Test
    void numbersOfBytes() {
        assertEquals(2L << 30, CacheOptions.bytes("2G"));
        assertEquals(10 << 10, CacheOptions.bytes("10kb"));
        assertEquals(4096, CacheOptions.bytes(" 4096 "));
        for (String s : List.of("", "G", "-1", "1.5G", "99999999999G")) {
            assertThrows(IllegalArgumentException.class, () -> CacheOptions.bytes(s), s);
        }
    }

    @Test
    void everyComponentIsInTheDigest() {
        String content = Sha256.hex(new byte[] {1});
        CacheKey key = new CacheKey(CacheKey.Kind.PLAN, "build", "target", "strict", content);
        Set<String> digests = new HashSet<>();
        digests.add(key.digest());
        digests.add(new CacheKey(CacheKey.Kind.CLASS, "build", "target", "strict", content).digest());
        digests.add(new CacheKey(CacheKey.Kind.PLAN, "build2", "target", "strict", content).digest());
        digests.add(new CacheKey(CacheKey.Kind.PLAN, "build", "target2", "strict", content).digest());
        digests.add(new CacheKey(CacheKey.Kind.PLAN, "build", "target", "fast", content).digest());
        digests.add(new CacheKey(CacheKey.Kind.PLAN, "buildt", "arget", "strict", content).digest());
        digests.add(new CacheKey(CacheKey.Kind.PLAN, "build", "target", "strict", Sha256.hex(new byte[] {2})).digest());
        assertEquals(7, digests.size());
        assertEquals(key.digest(), new CacheKey(CacheKey.Kind.PLAN, "build", "target", "strict", content).digest());
    }

    @Test
    void entriesComeBackAsTheyWere() {
        CacheKey key = new CacheKey(CacheKey.Kind.PLAN, "b", "t", "strict", Sha256.hex(new byte[] {1}));
        String text = "%0: f32[2] = input\nreturn %0\n".repeat(1000);
        byte[] file = new Entry(key, "a name", "Model.java:7", Entry.compress(text), new byte[] {1, 2, 3}).toBytes();
        Entry back = Entry.read(file);
        assertEquals(key, back.key());
        assertEquals("a name", back.name());
        assertEquals("Model.java:7", back.line());
        assertEquals(text, back.text());
        assertEquals(3, back.payload().length);
        assertTrue(file.length < 2000, file.length + " bytes");
        for (int i = 0; i < file.length; i++) {
            byte[] damaged = file.clone();
            damaged[i] ^= 1;
            assertThrows(FormatException.class, () -> Entry.read(damaged), "byte " + i);
        }
    }

    @Test
    void theBuildIsThatOfTheClassFiles() {
        String id = BuildId.of(CacheKey.class);
        assertTrue(id.matches("[0-9a-f]{16}"), id);
        assertEquals(id, BuildId.of(Entry.class));
        assertNotEquals(id, BuildId.of(Sha256.class));
        assertEquals(33, BuildId.of(Sha256.class, CacheKey.class).length());
    }

    @Test
    void differencesAreNamed() {
        CacheKey a = new CacheKey(CacheKey.Kind.PLAN, "b1", "t1", "strict", Sha256.hex(new byte[] {1}));
        CacheKey b = new CacheKey(CacheKey.Kind.PLAN, "b2", "t1", "strict", Sha256.hex(new byte[] {1}));
        Entry stored = new Entry(a, "n", "", Entry.compress("x"), new byte[0]);
        Entry missed = new Entry(b, "n", "", Entry.compress("x"), new byte[0]);
        List<String> why = Why.explain(missed, List.of(stored));
        assertEquals(
                List.of("the same program is stored, with another key:", "  compiler build: stored b1, wanted b2"),
                why);
    }
}
