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
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.PrivateKey;
import java.util.Arrays;
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

    /**
     * What a bundle or a signature came to.
     *
     * @param leftOut entries that are damaged, or that another version of Sinter has written
     */
    public record Summary(int entries, int leftOut, long bytes, boolean signed) {}

    /** The entries of a tier that can be used, by their names, with the SHA-256 of their files. */
    private record Sound(Map<String, Tier.Stored> entries, Map<String, String> hashes, int leftOut) {
        static Sound of(Tier tier) throws IOException {
            Map<String, Tier.Stored> entries = new TreeMap<>();
            Map<String, String> hashes = new TreeMap<>();
            int leftOut = 0;
            for (Tier.Stored s : tier.list()) {
                byte[] bytes;
                try {
                    bytes = Files.readAllBytes(s.file());
                } catch (NoSuchFileException e) {
                    Tier.LOG.log(System.Logger.Level.TRACE, "evicted meanwhile", e);
                    continue;
                }
                try {
                    s.entry(bytes);
                } catch (FormatException e) {
                    Tier.LOG.log(System.Logger.Level.DEBUG, "left out: " + s.file(), e);
                    leftOut++;
                    continue;
                }
                String name = Manifest.name(s.kind(), s.digest());
                entries.put(name, s);
                hashes.put(name, Sha256.hex(bytes));
            }
            return new Sound(entries, hashes, leftOut);
        }

        Manifest manifest(PrivateKey key) throws IOException {
            return Manifest.of(hashes, key);
        }
    }

    /**
     * Writes a bundle of all entries that can be used.
     *
     * @param key signs it; null for no signature
     */
    public static Summary export(Tier tier, Path file, PrivateKey key) throws IOException {
        Sound sound = Sound.of(tier);
        ByteWriter head = new ByteWriter();
        sound.manifest(key).write(head);
        Path next = file.resolveSibling(file.getFileName() + ".part");
        long bytes = 0;
        try {
            try (DataOutputStream out =
                    new DataOutputStream(new java.io.BufferedOutputStream(Files.newOutputStream(next)))) {
                out.write(MAGIC);
                out.writeInt(head.size());
                out.write(head.toBytes());
                for (Map.Entry<String, Tier.Stored> s : sound.entries.entrySet()) {
                    byte[] entry = Files.readAllBytes(s.getValue().file());
                    if (!Sha256.hex(entry).equals(sound.hashes.get(s.getKey())))
                        throw new IOException(s.getValue().file() + " was written anew meanwhile: export again");
                    out.writeInt(entry.length);
                    out.write(entry);
                    bytes += entry.length;
                }
            }
            Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
        return new Summary(sound.entries.size(), sound.leftOut, bytes, key != null);
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
            return new Summary(entries, 0, bytes, manifest.isSigned());
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
        Sound sound = Sound.of(tier);
        ByteWriter out = new ByteWriter();
        sound.manifest(key).write(out);
        Path file = tier.folder().resolve(Manifest.FILE);
        Path next = tier.folder().resolve(Manifest.FILE + ".part");
        Files.write(next, out.toBytes());
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        long bytes =
                sound.entries.values().stream().mapToLong(Tier.Stored::bytes).sum();
        return new Summary(sound.entries.size(), sound.leftOut, bytes, true);
    }
}
