// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import io.sinter.runtime.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Files that appear whole or not at all: written beside their place under a temporary name, forced to the
 * disk, then renamed over it. A failure on the way leaves the old file, if there was one, and nothing else.
 */
public final class AtomicFile {
    private AtomicFile() {}

    /** What writes the contents. */
    @FunctionalInterface
    public interface Writer {
        void write(FileChannel out) throws IOException;
    }

    /**
     * Writes the file.
     *
     * @throws UncheckedIOException if the folder is missing or the writing fails; {@code path} is then as it
     *     was before
     */
    public static void write(Path path, Writer writer) {
        Path target = path.toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new UncheckedIOException(
                    "cannot write " + path + ": there is no folder " + folder,
                    new NoSuchFileException(String.valueOf(folder)));
        }
        Path temporary = folder.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel out =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writer.write(out);
                out.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            delete(temporary, e);
            throw new UncheckedIOException("cannot write " + path + ": " + Reason.of(e), e);
        } catch (RuntimeException | Error e) {
            delete(temporary, e);
            throw e;
        }
    }

    private static void delete(Path temporary, Throwable cause) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }
}
