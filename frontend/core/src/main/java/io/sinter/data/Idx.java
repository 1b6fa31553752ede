// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import io.sinter.runtime.Reason;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/**
 * An array of unsigned bytes from a file in MNIST's IDX format, plain or compressed with gzip.
 *
 * @param shape extents, outermost first
 * @param bytes the values, row-major
 */
public record Idx(int[] shape, byte[] bytes) {
    private static final int GZIP_MAGIC = 0x1f8b;
    private static final int UNSIGNED_BYTE = 8;
    /**
     * What is allocated at once: a header that lies about its extents runs into the end of the file first.
     */
    private static final int CHUNK = 1 << 20;

    /**
     * Reads a file.
     *
     * @throws UncheckedIOException if it is missing or cannot be read
     * @throws IllegalArgumentException if it is not a whole IDX file of unsigned bytes
     */
    public static Idx read(Path path) {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(path))) {
            raw.mark(2);
            int magic = raw.read() << 8 | raw.read();
            raw.reset();
            return read(new DataInputStream(magic == GZIP_MAGIC ? new GZIPInputStream(raw, 1 << 16) : raw));
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("there is no file " + path, e);
        } catch (EOFException e) {
            throw new IllegalArgumentException(path + " is truncated", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path + ": " + Reason.of(e), e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(path + " is not an IDX file of unsigned bytes: " + e.getMessage(), e);
        }
    }

    private static Idx read(DataInputStream in) throws IOException {
        int magic = in.readInt();
        int rank = magic & 0xff;
        if (magic >>> 16 != 0) throw new IllegalArgumentException("it begins with " + Integer.toHexString(magic));
        if (magic >>> 8 != UNSIGNED_BYTE) throw new IllegalArgumentException("its element type is " + (magic >>> 8));
        if (rank == 0) throw new IllegalArgumentException("it has no axis");
        int[] shape = new int[rank];
        long n = 1;
        for (int i = 0; i < rank; i++) {
            shape[i] = in.readInt();
            if (shape[i] < 0) throw new IllegalArgumentException("extent " + Integer.toUnsignedString(shape[i]));
            n *= shape[i];
            if (n > Integer.MAX_VALUE - 8)
                throw new IllegalArgumentException("too many elements: " + Arrays.toString(shape));
        }
        byte[] bytes = new byte[(int) Math.min(n, CHUNK)];
        int have = 0;
        while (have < n) {
            if (have == bytes.length) bytes = Arrays.copyOf(bytes, (int) Math.min(n, 2L * bytes.length));
            in.readFully(bytes, have, bytes.length - have);
            have = bytes.length;
        }
        if (in.read() >= 0) throw new IllegalArgumentException("it goes on after its " + n + " elements");
        return new Idx(shape, bytes);
    }
}
