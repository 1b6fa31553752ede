// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How often each entry of a tier was found, for listings: a file to which every process adds, a line for each find, with the first digits of the
 * entry's digest. When the file has grown long it is summed up: a line then ends with a number. What a process that dies has not added yet, and what one adds
 * while another sums up, may be lost: nothing but listings depends on it.
 */
public final class Uses {
    static final String FILE = "uses";

    /** Digits of a digest that are kept: enough to tell entries of one tier apart. */
    private static final int DIGITS = 16;
    /** Finds are added at the latest when there are so many of them. */
    private static final int MAX_PENDING = 256;
    /** A file that is shorter than this is not summed up. */
    private static final long LONG = 64 << 10;
    /** The file may take this part of what entries may take. */
    private static final int PART = 128;

    private final Path folder;
    private final long maxBytes;
    private final ConcurrentLinkedQueue<String> pending = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();

    /** @param maxBytes most bytes of the tier's entries */
    Uses(Path folder, long maxBytes) {
        this.folder = folder;
        this.maxBytes = maxBytes;
    }

    /** An entry was found. */
    void add(String digest) {
        pending.add(digest);
        if (size.incrementAndGet() >= MAX_PENDING) flush();
    }

    /** Writes what was found since. A tier that cannot be written is read all the same. */
    void flush() {
        StringBuilder text = new StringBuilder();
        for (String digest = pending.poll(); digest != null; digest = pending.poll()) {
            size.decrementAndGet();
            text.append(digest, 0, DIGITS).append('\n');
        }
        if (text.isEmpty()) return;
        Path file = folder.resolve(FILE);
        try {
            MissLog.append(file, text.toString());
            if (Files.size(file) > Math.max(LONG, maxBytes / PART)) shorten(folder);
        } catch (IOException e) {
            Tier.LOG.log(System.Logger.Level.DEBUG, "cannot note what was found", e);
        }
    }

    /** How often entries were found. */
    public static Map<String, Long> read(Path folder) throws IOException {
        Map<String, Long> counts = new TreeMap<>();
        List<String> lines;
        try {
            // Byte for byte: whatever a damaged file holds is text of this sort.
            lines = Files.readAllLines(folder.resolve(FILE), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return counts;
        }
        for (String line : lines) {
            String[] parts = line.split(" ", 2);
            if (parts[0].length() != DIGITS) continue;
            try {
                counts.merge(parts[0], parts.length == 1 ? 1 : Long.parseLong(parts[1]), Long::sum);
            } catch (NumberFormatException e) {
                Tier.LOG.log(System.Logger.Level.DEBUG, "a damaged line", e);
            }
        }
        return counts;
    }

    /** How often an entry was found, by what {@link #read} gave. */
    public static long of(Tier.Stored entry, Map<String, Long> counts) {
        return counts.getOrDefault(entry.digest().substring(0, DIGITS), 0L);
    }

    /** Sums up a long file; what is no longer there is left out. */
    static void shorten(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file) || Files.size(file) <= LONG) return;
        Path locks = folder.resolve("locks");
        Owner.createFolders(locks);
        try (FileChannel one = Owner.open(locks.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = one.tryLock()) {
            if (lock == null) return; // somebody else is at it
            Map<String, Long> counts = read(folder);
            List<String> lines = new ArrayList<>();
            for (Tier.Stored s : Tier.list(folder)) {
                long n = of(s, counts);
                if (n > 0) lines.add(s.digest().substring(0, DIGITS) + " " + n + "\n");
            }
            Path next = folder.resolve(FILE + ".part");
            Files.deleteIfExists(next);
            MissLog.append(next, String.join("", lines));
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (OverlappingFileLockException e) {
            Tier.LOG.log(System.Logger.Level.TRACE, "another thread is at it", e);
        }
    }
}
