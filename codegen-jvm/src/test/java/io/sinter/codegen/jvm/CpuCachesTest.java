// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuCachesTest {
    @TempDir
    Path folder;

    private void cache(int index, String level, String type, String size) throws IOException {
        Path p = Files.createDirectory(folder.resolve("index" + index));
        Files.writeString(p.resolve("level"), level + "\n");
        Files.writeString(p.resolve("type"), type + "\n");
        Files.writeString(p.resolve("size"), size + "\n");
    }

    @Test
    void readsWhatLinuxWrites() throws IOException {
        cache(0, "1", "Data", "48K");
        cache(1, "1", "Instruction", "32K");
        cache(2, "2", "Unified", "2M");
        cache(3, "3", "Unified", "33554432");
        assertEquals(48 << 10, CpuCaches.size(folder, 1, 5));
        assertEquals(2 << 20, CpuCaches.size(folder, 2, 5));
        assertEquals(32 << 20, CpuCaches.size(folder, 3, 5));
        assertEquals(5, CpuCaches.size(folder, 4, 5));
    }

    @Test
    void instructionCachesAndNonsenseCountForNothing() throws IOException {
        cache(0, "1", "Instruction", "32K");
        cache(1, "1", "Data", "64K");
        cache(2, "2", "Unified", "unknown");
        assertEquals(64 << 10, CpuCaches.size(folder, 1, 5));
        assertEquals(5, CpuCaches.size(folder, 2, 5));
        assertEquals(5, CpuCaches.size(folder.resolve("nowhere"), 1, 5));
    }

    @Test
    void thisMachineHasASecondLevel() {
        assertTrue(CpuCaches.L2 >= 256 << 10 && CpuCaches.L2 <= 4 << 20);
    }
}
