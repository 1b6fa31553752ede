// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.PrivateKey;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All entries of a tier in one file, for other machines: "SINTERCB", the length of a {@link Manifest} and the manifest, then for each of its
 * names the length of the entry's file and the file.
 */
public final class Bundle {
    private static final byte[] MAGIC = "SINTERCB".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_MANIFEST = 64 << 20;

    private Bundle() {}

    /** What a bundle or a signature came to. */
    public record Summary(int entries, long bytes, boolean signed) {}

    private static Manifest manifest(List<Tier.Stored> entries, PrivateKey key) throws IOException {
        Map<String, String> hashes = new TreeMap<>();
        for (Tier.Stored s : entries) {
            hashes.put(Manifest.name(s.kind(), s.digest()), Sha256.hex(Files.readAllBytes(s.file())));
        }
        return Manifest.of(hashes, key);
    }

    /**
     * Writes a bundle.
     *
     * @param key signs it; null for no signature
     */
    public static Summary export(Tier tier, Path file, PrivateKey key) throws IOException {
        List<Tier.Stored> entries = tier.list();
        Map<String, Tier.Stored> byName = new TreeMap<>();
        for (Tier.Stored s : entries) byName.put(Manifest.name(s.kind(), s.digest()), s);
        ByteWriter head = new ByteWriter();
        manifest(entries, key).write(head);
        Path next = file.resolveSibling(file.getFileName() + ".part");
        long bytes = 0;
        try {
            try (DataOutputStream out =
                    new DataOutputStream(new java.io.BufferedOutputStream(Files.newOutputStream(next)))) {
                out.write(MAGIC);
                out.writeInt(head.size());
                out.write(head.toBytes());
                for (Tier.Stored s : byName.values()) {
                    byte[] entry = Files.readAllBytes(s.file());
                    out.writeInt(entry.length);
                    out.write(entry);
                    bytes += entry.length;
                }
            }
            Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
        return new Summary(byName.size(), bytes, key != null);
    }

    /**
     * Puts the entries of a bundle into a tier. Every entry is read and compared with the manifest before it is written.
     *
     * @param trust whose signature is demanded; null takes a bundle as it is, from whoever made it: its entries are code
     * @throws IOException if the bundle is damaged, or not signed by somebody trusted
     */
    public static Summary load(Path file, Tier tier, Trust trust) throws IOException {
        try (DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(Files.newInputStream(file)))) {
            if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) throw new IOException(file + " is no bundle");
            ByteReader head = new ByteReader(piece(in, MAX_MANIFEST));
            Manifest manifest = Manifest.read(head);
            head.end();
            if (trust != null) manifest.demandTrusted(trust, file.toString());
            int entries = 0;
            long bytes = 0;
            for (String name : manifest.names()) {
                byte[] data = piece(in, Entry.MAX_BYTES);
                Entry entry = Entry.read(data);
                String digest = entry.key().digest();
                if (!name.equals(Manifest.name(entry.key().kind(), digest))) {
                    throw new FormatException("an entry of another key");
                }
                manifest.demand(entry.key().kind(), digest, data);
                tier.write(entry.key().kind(), digest, data);
                entries++;
                bytes += data.length;
            }
            if (in.read() >= 0) throw new FormatException("bytes after the end");
            return new Summary(entries, bytes, manifest.isSigned());
        } catch (FormatException | EOFException e) {
            throw new IOException(file + " is damaged: " + e.getMessage(), e);
        }
    }

    private static byte[] piece(DataInputStream in, long max) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > max) throw new FormatException("a piece of " + length + " bytes");
        byte[] bytes = in.readNBytes(length); // allocates as it reads: a wrong length costs no memory
        if (bytes.length < length) throw new EOFException("ends too early");
        return bytes;
    }

    /** Signs the entries of a tier where they are, for a folder that others read as their shared tier. */
    public static Summary sign(Tier tier, PrivateKey key) throws IOException {
        List<Tier.Stored> entries = tier.list();
        ByteWriter out = new ByteWriter();
        manifest(entries, key).write(out);
        Path file = tier.folder().resolve(Manifest.FILE);
        Path next = tier.folder().resolve(Manifest.FILE + ".part");
        Files.write(next, out.toBytes());
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        long bytes = entries.stream().mapToLong(Tier.Stored::bytes).sum();
        return new Summary(entries.size(), bytes, true);
    }
}
