// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Sizes of this machine's data caches in bytes, for what is cut to fit them. Linux tells; elsewhere, and
 * where it does not, sizes that any current processor has are assumed. Nothing that decides about a
 * result's bits may depend on them.
 */
final class CpuCaches {
    private static final Path FOLDER = Path.of("/sys/devices/system/cpu/cpu0/cache");

    /** The second level's size: one core's, or what a cluster of cores shares. */
    static final long L2 = Math.clamp(size(FOLDER, 2, 1 << 20), 256 << 10, 4 << 20);

    private CpuCaches() {}

    /** Size of the data cache of a level as Linux describes it in a folder, or {@code otherwise}. */
    static long size(Path folder, int level, long otherwise) {
        for (int i = 0; Files.isDirectory(folder.resolve("index" + i)); i++) {
            Path cache = folder.resolve("index" + i);
            try {
                if (!read(cache, "level").equals(Integer.toString(level))
                        || read(cache, "type").equals("Instruction")) continue;
                String size = read(cache, "size").toUpperCase(Locale.ROOT);
                long unit = size.endsWith("K") ? 1 << 10 : size.endsWith("M") ? 1 << 20 : 1;
                return unit * Long.parseLong(unit == 1 ? size : size.substring(0, size.length() - 1));
            } catch (IOException | NumberFormatException _) {
                return otherwise;
            }
        }
        return otherwise;
    }

    private static String read(Path folder, String file) throws IOException {
        return Files.readString(folder.resolve(file)).strip();
    }
}
