// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import io.sinter.runtime.Reason;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/**
 * A file of events: TFRecords, each the length of its data (u64), a checksum of that, the data and a checksum of it; little-endian. Checksums are CRC-32C,
 * masked (turned by 15 bits, plus a constant), since a CRC of data that holds its own CRC says little.
 */
final class EventFile implements AutoCloseable {
    private static final AtomicInteger FILES = new AtomicInteger();

    private final Path file;
    private final OutputStream out;
    private final long flushNanos;
    private long flushed = System.nanoTime();

    /** A new file in {@code folder}, which is made if it is not there. Its name is one that TensorBoard looks for, and no other file's. */
    EventFile(Path folder, WriterOptions options) {
        flushNanos = options.flushSeconds() * 1_000_000_000L;
        String name = String.format(
                Locale.ROOT,
                "events.out.tfevents.%010d.%s.%d.%d%s",
                System.currentTimeMillis() / 1000,
                host(),
                ProcessHandle.current().pid(),
                FILES.getAndIncrement(),
                options.filenameSuffix());
        file = folder.resolve(name);
        try {
            Files.createDirectories(folder);
            out = new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW));
        } catch (IOException e) {
            throw failed(e);
        }
        write(event(0).text(3, "brain.Event:2"));
        if (options.purgeStep() != null) {
            Message start = new Message()
                    .integer(1, 1); // SessionLog.START: what an earlier run wrote from this step on is void
            write(event(options.purgeStep()).message(7, start));
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException _) {
            return "localhost";
        }
    }

    private UncheckedIOException failed(IOException e) {
        return new UncheckedIOException("cannot write TensorBoard's events to " + file + ": " + Reason.of(e), e);
    }

    /** An event of now, without content. */
    static Message event(long step) {
        Message m = new Message().number(1, System.currentTimeMillis() / 1e3);
        return step == 0 ? m : m.integer(2, step);
    }

    void write(Message event) {
        byte[] data = event.toBytes().toByteArray();
        ByteBuffer record = ByteBuffer.allocate(16 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(data.length);
        record.putInt(masked(record.array(), 0, 8));
        record.put(data);
        record.putInt(masked(data, 0, data.length));
        try {
            out.write(record.array());
        } catch (IOException e) {
            throw failed(e);
        }
        if (System.nanoTime() - flushed > flushNanos) flush();
    }

    private static int masked(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
    }

    void flush() {
        flushed = System.nanoTime();
        try {
            out.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }
}
