// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.tensorboard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Reads event files back by their specification: record by record, with checksums computed bit by bit. */
final class EventFiles {
    private EventFiles() {}

    /** The only event file of a folder, whose name TensorBoard knows. */
    static Path only(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            List<Path> files = all.filter(Files::isRegularFile).toList();
            assertEquals(1, files.size(), files.toString());
            String name = files.getFirst().getFileName().toString();
            assertTrue(name.matches("events\\.out\\.tfevents\\.\\d{10}\\..+"), name);
            return files.getFirst();
        }
    }

    static List<UnknownFieldSet> read(Path file) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<UnknownFieldSet> events = new ArrayList<>();
        while (in.hasRemaining()) {
            byte[] head = new byte[8];
            in.get(head);
            long length = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertEquals(masked(head), in.getInt(), "checksum of a length");
            byte[] data = new byte[Math.toIntExact(length)];
            in.get(data);
            assertEquals(masked(data), in.getInt(), "checksum of data");
            events.add(UnknownFieldSet.parseFrom(data));
        }
        return events;
    }

    private static int masked(byte[] bytes) {
        int crc = -1;
        for (byte b : bytes) {
            crc ^= b & 0xff;
            for (int i = 0; i < 8; i++) crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : 0x82f63b78); // Castagnoli's polynomial
        }
        crc = ~crc;
        return (crc >>> 15 | crc << 17) + 0xa282ead8;
    }

    static UnknownFieldSet message(UnknownFieldSet of, int field) throws IOException {
        return UnknownFieldSet.parseFrom(bytes(of, field));
    }

    static ByteString bytes(UnknownFieldSet of, int field) {
        List<ByteString> all = of.getField(field).getLengthDelimitedList();
        assertEquals(1, all.size(), "field " + field + " of " + of);
        return all.getFirst();
    }

    static String text(UnknownFieldSet of, int field) {
        return bytes(of, field).toStringUtf8();
    }

    static double number(UnknownFieldSet of, int field) {
        return Double.longBitsToDouble(of.getField(field).getFixed64List().getFirst());
    }

    static long integer(UnknownFieldSet of, int field) {
        List<Long> all = of.getField(field).getVarintList();
        return all.isEmpty() ? 0 : all.getFirst();
    }

    static double[] numbers(UnknownFieldSet of, int field) {
        ByteBuffer in = bytes(of, field).asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        double[] values = new double[in.remaining() / 8];
        for (int i = 0; i < values.length; i++) values[i] = in.getDouble();
        return values;
    }
}
