// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;

/** The last misses of programs, one a line: when, the digest of the key, the user's line. For {@code sinter cache why LAST}. */
public final class MissLog {
    static final String FILE = "misses";
    /** A longer file begins anew with its second half. */
    private static final long MAX_BYTES = 64 << 10;

    /** A program that was not found. */
    public record Miss(Instant time, String digest, String line) {}

    private MissLog() {}

    static void add(Path folder, String digest, String line) {
        Path file = folder.resolve(FILE);
        String text = Instant.now() + " " + digest + " " + line.replaceAll("\\s+", " ") + "\n";
        try {
            if (Files.exists(file) && Files.size(file) > MAX_BYTES) {
                String all = Files.readString(file, StandardCharsets.UTF_8);
                Files.writeString(file, all.substring(all.indexOf('\n', all.length() / 2) + 1), StandardCharsets.UTF_8);
            }
            // One write of a short line: lines of several processes do not mix.
            append(file, text);
        } catch (IOException e) {
            Tier.LOG.log(System.Logger.Level.DEBUG, "cannot note a miss", e);
        }
    }

    /** Adds to a text file of a tier in one write. */
    static void append(Path file, String text) throws IOException {
        try (FileChannel out = Owner.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            out.write(StandardCharsets.UTF_8.encode(text));
        }
    }

    /** The misses of a tier, the oldest first. */
    public static List<Miss> read(Path folder) throws IOException {
        List<Miss> misses = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(folder.resolve(FILE), StandardCharsets.UTF_8)) {
                String[] parts = line.split(" ", 3);
                if (parts.length < 3) continue;
                try {
                    misses.add(new Miss(Instant.parse(parts[0]), parts[1], parts[2]));
                } catch (DateTimeParseException e) {
                    Tier.LOG.log(System.Logger.Level.DEBUG, "a damaged line", e);
                }
            }
        } catch (NoSuchFileException e) {
            return misses;
        }
        return misses;
    }
}
