// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which entries somebody has signed: SHA-256 of each file, by kind and digest of the key, and a signature of all of that. It stands at the head of a
 * {@link Bundle}, and in a shared folder as the file {@code manifest}.
 */
final class Manifest {
    static final String FILE = "manifest";
    private static final String MAGIC = "SINTER manifest 1";
    private static final long MAX_BYTES = 64L << 20;

    /** SHA-256 of files in hexadecimal digits, by {@code kind/digest}. */
    private final TreeMap<String, String> hashes;
    /** Empty without one. */
    private final byte[] signature;

    private Manifest(TreeMap<String, String> hashes, byte[] signature) {
        this.hashes = hashes;
        this.signature = signature;
    }

    /** @param key who signs, or null */
    static Manifest of(Map<String, String> hashes, PrivateKey key) throws IOException {
        TreeMap<String, String> sorted = new TreeMap<>(hashes);
        return new Manifest(sorted, key == null ? new byte[0] : Trust.sign(signed(sorted), key));
    }

    static String name(CacheKey.Kind kind, String digest) {
        return kind.folder() + "/" + digest;
    }

    private static byte[] signed(TreeMap<String, String> hashes) {
        StringBuilder text = new StringBuilder(MAGIC).append('\n');
        hashes.forEach(
                (name, hash) -> text.append(hash).append(' ').append(name).append('\n'));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    void write(ByteWriter out) {
        out.text(MAGIC).number(hashes.size());
        hashes.forEach((name, hash) -> out.text(name).text(hash));
        out.bytes(signature);
    }

    static Manifest read(ByteReader in) {
        if (!in.text().equals(MAGIC)) throw new FormatException("no manifest");
        TreeMap<String, String> hashes = new TreeMap<>();
        for (int n = in.count(); n > 0; n--) hashes.put(in.text(), in.text());
        return new Manifest(hashes, in.bytes());
    }

    /** That of a folder, or null. */
    static Manifest load(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        try {
            if (Files.size(file) > MAX_BYTES) throw new IOException(file + " is too large");
            ByteReader in = new ByteReader(Files.readAllBytes(file));
            Manifest m = read(in);
            in.end();
            return m;
        } catch (NoSuchFileException e) {
            return null;
        } catch (FormatException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    /** @throws IOException unless a trusted key has signed */
    void demandTrusted(Trust trust, String where) throws IOException {
        if (signature.length == 0)
            throw new IOException(where + " is not signed: its entries are code and are not run");
        if (!trust.believes(signed(hashes), signature)) {
            throw new IOException(
                    where + " is signed by nobody that is trusted (sinter.cache.trusted names a file of public keys)");
        }
    }

    boolean isSigned() {
        return signature.length > 0;
    }

    /** The names in it: {@code kind/digest}. */
    Iterable<String> names() {
        return hashes.keySet();
    }

    /** @throws FormatException if this is not the file that was signed */
    void demand(CacheKey.Kind kind, String digest, byte[] file) {
        String hash = hashes.get(name(kind, digest));
        if (hash == null) throw new FormatException("not in the signed manifest");
        if (!hash.equals(Sha256.hex(file))) throw new FormatException("not what was signed");
    }
}
