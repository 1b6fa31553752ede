// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import io.sinter.ir.Type;
import io.sinter.runtime.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file, opened: the header read and checked, the data mapped and not copied. Header and offsets
 * are checked against the length of the file before anything of the size that they claim is allocated. {@link
 * #close} unmaps.
 *
 * <p>{@link SafeTensors} is the short way, from files to tensors and back.
 */
public final class SafeTensorsFile implements AutoCloseable {
    private static final int LENGTH_BYTES = 8;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private final SafeTensorsHeader header;
    private final Arena arena;
    private final MemorySegment data;

    private SafeTensorsFile(SafeTensorsHeader header, Arena arena, MemorySegment data) {
        this.header = header;
        this.arena = arena;
        this.data = data;
    }

    /**
     * Opens a file.
     *
     * @throws UncheckedIOException if it cannot be read
     * @throws SafeTensorsException if it is not a whole and valid safetensors file
     */
    public static SafeTensorsFile open(Path path) {
        Arena arena = Arena.ofShared();
        boolean done = false;
        try (FileChannel in = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = in.size();
            byte[] headerBytes = headerBytes(in, size);
            long start = LENGTH_BYTES + headerBytes.length;
            SafeTensorsHeader header = SafeTensorsHeader.parse(headerBytes, size - start);
            MemorySegment all = in.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            SafeTensorsFile file = new SafeTensorsFile(header, arena, all.asSlice(start));
            done = true;
            return file;
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("there is no file " + path, e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path + ": " + Reason.of(e), e);
        } catch (SafeTensorsException e) {
            throw new SafeTensorsException(path + " is not a valid safetensors file: " + e.getMessage(), e);
        } finally {
            if (!done) arena.close();
        }
    }

    private static byte[] headerBytes(FileChannel in, long size) throws IOException {
        if (size < LENGTH_BYTES) {
            throw new SafeTensorsException("it has " + size + " bytes, too few for the length of its header");
        }
        ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ORDER);
        readFully(in, length, 0);
        long n = length.getLong(0);
        if (n < 2 || n > SafeTensorsHeader.MAX_BYTES) {
            throw new SafeTensorsException("a header of " + Long.toUnsignedString(n) + " bytes is not possible");
        }
        if (n > size - LENGTH_BYTES) {
            throw new SafeTensorsException(
                    "its header should have " + n + " bytes, the file ends after " + (size - LENGTH_BYTES));
        }
        ByteBuffer header = ByteBuffer.allocate((int) n);
        readFully(in, header, LENGTH_BYTES);
        return header.array();
    }

    private static void readFully(FileChannel in, ByteBuffer to, long position) throws IOException {
        while (to.hasRemaining()) {
            int n = in.read(to, position + to.position());
            if (n < 0) throw new SafeTensorsException("it became shorter while it was read");
        }
    }

    /** The tensors' names, in the order of the header. */
    public Set<String> names() {
        return Collections.unmodifiableSet(header.entries().keySet());
    }

    /** Text beside the tensors; may be empty. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /**
     * A tensor's dtype and shape.
     *
     * @throws IllegalArgumentException if there is no tensor of that name
     */
    public Type type(String name) {
        SafeTensorsHeader.Entry e = entry(name);
        return new Type(e.dtype(), e.shape());
    }

    /**
     * A tensor's bytes in the file: little-endian, row-major, read-only, valid until {@link #close}.
     *
     * @throws IllegalArgumentException if there is no tensor of that name
     */
    public MemorySegment bytes(String name) {
        SafeTensorsHeader.Entry e = entry(name);
        return data.asSlice(e.begin(), e.end() - e.begin());
    }

    private SafeTensorsHeader.Entry entry(String name) {
        SafeTensorsHeader.Entry e = header.entries().get(name);
        if (e == null) {
            throw new IllegalArgumentException("no tensor '" + name + "' in the file; it has " + names());
        }
        return e;
    }

    @Override
    public void close() {
        arena.close();
    }

    /**
     * A tensor to be written: {@code bytes} are its values, little-endian and row-major, off-heap or over a
     * {@code byte[]}.
     */
    public record Item(String name, Type type, MemorySegment bytes) {
        public Item {
            if (bytes.byteSize() != type.bytes()) {
                throw new SafeTensorsException(
                        "tensor '" + name + "' " + type + " needs " + type.bytes() + " bytes, not " + bytes.byteSize());
            }
        }
    }

    /**
     * Writes a file, whole or not at all ({@link AtomicFile}). Tensors lie in it by falling element size,
     * then by name, so that each is aligned and the same tensors always give the same bytes.
     *
     * @throws SafeTensorsException if two tensors have one name
     * @throws UncheckedIOException if the file cannot be written
     */
    public static void write(Path path, Collection<Item> items, Map<String, String> metadata) {
        List<Item> sorted = items.stream()
                .sorted(Comparator.comparingInt((Item i) -> -i.type().dtype().bytes())
                        .thenComparing(Item::name))
                .toList();
        Map<String, SafeTensorsHeader.Entry> entries = new LinkedHashMap<>();
        Set<String> names = new HashSet<>();
        long at = 0;
        for (Item i : sorted) {
            if (!names.add(i.name())) throw new SafeTensorsException("two tensors are named '" + i.name() + "'");
            if (i.name().equals("__metadata__")) {
                throw new SafeTensorsException("a tensor cannot be named '__metadata__' in a safetensors file");
            }
            long end = at + i.type().bytes();
            entries.put(
                    i.name(),
                    new SafeTensorsHeader.Entry(i.type().dtype(), i.type().shape(), at, end));
            at = end;
        }
        byte[] headerBytes = new SafeTensorsHeader(entries, metadata, at).toBytes();
        if (headerBytes.length > SafeTensorsHeader.MAX_BYTES) {
            throw new SafeTensorsException(
                    "the header would have " + headerBytes.length + " bytes, more than the format allows");
        }
        AtomicFile.write(path, out -> {
            ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES)
                    .order(ORDER)
                    .putLong(headerBytes.length)
                    .flip();
            writeFully(out, length);
            writeFully(out, ByteBuffer.wrap(headerBytes));
            for (Item i : sorted) writeFully(out, i.bytes());
        });
    }

    private static void writeFully(FileChannel out, MemorySegment bytes) throws IOException {
        long chunk = 1 << 24; // a ByteBuffer has at most 2 GB; on-heap ones are copied by the channel
        for (long at = 0; at < bytes.byteSize(); at += chunk) {
            writeFully(
                    out,
                    bytes.asSlice(at, Math.min(chunk, bytes.byteSize() - at)).asByteBuffer());
        }
    }

    private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) out.write(bytes);
    }
}
