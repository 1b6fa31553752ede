// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * One file of a cache. Data only, in a fixed order; every length is checked before it is used:
 *
 * <pre>
 * 8 bytes  "SINTERCE"
 * int32    schema
 * int32    length of the file
 *          key: kind, build, target, numerics, content
 *          name: what it is, for listings
 *          line: where the program was when it was compiled, for listings; in no key
 *          source: the program's text, compressed, for "why was this a miss?"; may be empty
 *          payload: the plan, class file, PTX or cubin
 * int32    CRC-32C of everything before
 * </pre>
 *
 * @param name what it is: a kernel's name, a program's size
 * @param line the user's line, or empty
 * @param source the text of the program in the form of {@code io.sinter.ir.text}, {@linkplain #compress compressed}; empty for kernels
 */
public record Entry(CacheKey key, String name, String line, byte[] source, byte[] payload) {
    /** Larger files are none of ours. */
    static final long MAX_BYTES = 256L << 20;

    private static final byte[] MAGIC = "SINTERCE".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_NAME = 500;
    private static final int MAX_SOURCE = 64 << 20;

    public Entry {
        name = cut(name);
        line = cut(line);
    }

    private static String cut(String s) {
        return s.length() <= MAX_NAME ? s : s.substring(0, MAX_NAME);
    }

    byte[] toBytes() {
        ByteWriter body = new ByteWriter();
        key.write(body);
        body.text(name).text(line).bytes(source).bytes(payload);
        ByteWriter out = new ByteWriter();
        out.raw(MAGIC).int32(CacheKey.SCHEMA).int32(MAGIC.length + 12 + body.size());
        out.raw(body.toBytes());
        byte[] bytes = out.int32(0).toBytes();
        seal(bytes);
        return bytes;
    }

    /** Writes the checksum of the bytes before it to the last four bytes. */
    static void seal(byte[] file) {
        int sum = checksum(file);
        for (int i = 0; i < 4; i++) file[file.length - 4 + i] = (byte) (sum >>> 8 * i);
    }

    /** A copy with a checksum that is right for its other bytes, if it has any: for tests of what a checksum does not find. */
    public static byte[] sealed(byte[] file) {
        byte[] bytes = file.clone();
        if (bytes.length >= 4) seal(bytes);
        return bytes;
    }

    /** Where the payload of a sound entry begins; it ends before the last four bytes. For tests. */
    public static int payloadStart(byte[] file) {
        return file.length - 4 - read(file).payload().length;
    }

    private static int checksum(byte[] file) {
        CRC32C crc = new CRC32C();
        crc.update(file, 0, file.length - 4);
        return (int) crc.getValue();
    }

    /**
     * An entry from its file.
     *
     * @throws OtherVersionException if another version of Sinter has written it
     * @throws FormatException if the bytes are no entry, or a damaged one
     */
    static Entry read(byte[] file) {
        ByteReader in = new ByteReader(file);
        if (!Arrays.equals(in.raw(Math.min(MAGIC.length, in.left())), MAGIC)) throw new FormatException("no entry");
        int schema = in.int32();
        if (schema != CacheKey.SCHEMA) throw new OtherVersionException(schema);
        int length = in.int32();
        if (length != file.length) throw new FormatException("of " + file.length + " bytes instead of " + length);
        if (in.left() < 4) throw new FormatException("ends too early");
        if (new ByteReader(file, file.length - 4, 4).int32() != checksum(file)) throw new FormatException("checksum");
        int start = file.length - in.left();
        ByteReader body = new ByteReader(file, start, in.left() - 4);
        Entry entry = new Entry(CacheKey.read(body), body.text(), body.text(), body.bytes(), body.bytes());
        body.end();
        return entry;
    }

    /** What {@link #text} gives back. */
    public static byte[] compress(String text) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            deflater.setInput(text.getBytes(StandardCharsets.UTF_8));
            deflater.finish();
            ByteWriter out = new ByteWriter();
            byte[] chunk = new byte[8192];
            while (!deflater.finished()) out.raw(Arrays.copyOf(chunk, deflater.deflate(chunk)));
            return out.toBytes();
        } finally {
            deflater.end();
        }
    }

    /** The program's text, or an empty one. */
    public String text() {
        if (source.length == 0) return "";
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(source);
            ByteWriter out = new ByteWriter();
            byte[] chunk = new byte[8192];
            while (!inflater.finished()) {
                int n = inflater.inflate(chunk);
                if (n == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new FormatException("the program's text is damaged");
                }
                out.raw(Arrays.copyOf(chunk, n));
                if (out.size() > MAX_SOURCE) throw new FormatException("the program's text is too long");
            }
            return new String(out.toBytes(), StandardCharsets.UTF_8);
        } catch (DataFormatException e) {
            throw new FormatException("the program's text is damaged", e);
        } finally {
            inflater.end();
        }
    }
}
