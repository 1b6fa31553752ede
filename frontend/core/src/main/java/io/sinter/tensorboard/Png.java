// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Images as PNG (RFC 2083), 8 bits a channel. The JDK's own writer is part of java.desktop, which a library for training should not ask for. */
final class Png {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    private Png() {}

    /**
     * An image.
     *
     * @param pixels rows of {@code width · channels} bytes, channels last
     * @param channels 1 (grey), 3 (RGB) or 4 (RGBA)
     */
    static byte[] of(byte[] pixels, int width, int height, int channels) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(SIGNATURE);
        byte colour = (byte) (channels == 1 ? 0 : channels == 3 ? 2 : 6);
        ByteBuffer head = ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put((byte) 8)
                .put(colour);
        chunk(out, "IHDR", head.array());
        int row = width * channels;
        byte[] lines = new byte[(row + 1) * height]; // each with its filter before it: none
        for (int y = 0; y < height; y++) System.arraycopy(pixels, y * row, lines, y * (row + 1) + 1, row);
        chunk(out, "IDAT", deflated(lines));
        chunk(out, "IEND", new byte[0]);
        return out.toByteArray();
    }

    private static byte[] deflated(byte[] bytes) {
        try (Deflater deflater = new Deflater()) {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] part = new byte[8192];
            while (!deflater.finished()) out.write(part, 0, deflater.deflate(part));
            return out.toByteArray();
        }
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(data);
        out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
        out.writeBytes(name);
        out.writeBytes(data);
        out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
    }
}
