// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
    @TempDir
    Path folder;

    private static byte[] idx(int magic, int[] shape, byte... data) {
        ByteBuffer b = ByteBuffer.allocate(4 + 4 * shape.length + data.length).putInt(magic);
        for (int d : shape) b.putInt(d);
        return b.put(data).array();
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("some-idx"), bytes);
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(out)) {
            zip.write(bytes);
        }
        return out.toByteArray();
    }

    @Test
    void plainAndCompressed() throws IOException {
        byte[] bytes = idx(0x0802, new int[] {2, 3}, (byte) 1, (byte) 2, (byte) 3, (byte) 4, (byte) 5, (byte) 255);
        for (byte[] b : new byte[][] {bytes, gzip(bytes)}) {
            Idx a = Idx.read(file(b));
            assertArrayEquals(new int[] {2, 3}, a.shape());
            assertArrayEquals(new byte[] {1, 2, 3, 4, 5, -1}, a.bytes());
        }
        byte[] large = new byte[3_000_001];
        Arrays.fill(large, (byte) 7);
        assertArrayEquals(
                large,
                Idx.read(file(idx(0x0801, new int[] {large.length}, large))).bytes());
    }

    @Test
    void refusals() throws IOException {
        assertThrows(UncheckedIOException.class, () -> Idx.read(folder.resolve("none")));
        refused("begins with", idx(0x1234_0801, new int[] {1}, (byte) 0));
        refused("element type", idx(0x0d01, new int[] {1}, (byte) 0));
        refused("no axis", idx(0x0800, new int[] {}));
        refused("extent", idx(0x0801, new int[] {-1}));
        refused("too many", idx(0x0803, new int[] {60000, 60000, 60000}));
        refused("truncated", idx(0x0801, new int[] {2_000_000_000}, (byte) 0)); // not allocated before it is there
        refused("goes on", idx(0x0801, new int[] {1}, (byte) 0, (byte) 0));
        refused("truncated", new byte[0]);
        byte[] whole = gzip(idx(0x0801, new int[] {3}, (byte) 0, (byte) 1, (byte) 2));
        for (int n = 2; n < whole.length; n++) refused("", Arrays.copyOf(whole, n));
    }

    private void refused(String message, byte[] bytes) throws IOException {
        Path path = file(bytes);
        var e = assertThrows(RuntimeException.class, () -> Idx.read(path));
        assertTrue(e instanceof IllegalArgumentException || e instanceof UncheckedIOException, e::toString);
        assertTrue(e.getMessage().contains("some-idx") && e.getMessage().contains(message), e.getMessage());
    }
}
