// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Whose entries are believed: Ed25519 keys (RFC 8032).
 *
 * @param keys trusted public keys
 * @param foreign believe entries in folders that other users may write to, without a signature: whoever can write there can then run any code
 *     as this user
 */
public record Trust(List<PublicKey> keys, boolean foreign) {
    /** Nobody's signature, and no foreign folder. */
    public static final Trust NOBODY = new Trust(List.of(), false);

    private static final String ALGORITHM = "Ed25519";

    public Trust {
        keys = List.copyOf(keys);
    }

    /**
     * The keys in a file: PEM blocks {@code PUBLIC KEY}, as {@code openssl pkey -pubout} writes them; other lines are comments.
     *
     * @throws IOException if the file cannot be read or holds something else
     */
    public static List<PublicKey> keys(Path file) throws IOException {
        List<PublicKey> keys = new ArrayList<>();
        for (byte[] der : pem(file, "PUBLIC KEY")) {
            try {
                keys.add(KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(der)));
            } catch (GeneralSecurityException e) {
                throw new IOException(file + " holds a key that is not " + ALGORITHM, e);
            }
        }
        if (keys.isEmpty()) throw new IOException(file + " holds no public key in PEM form");
        return keys;
    }

    /** The private key in a file: one PEM block, as {@code openssl genpkey -algorithm ed25519} writes it. */
    public static PrivateKey privateKey(Path file) throws IOException {
        List<byte[]> blocks = pem(file, "PRIVATE KEY");
        if (blocks.size() != 1) throw new IOException(file + " holds no private key in PEM form");
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(blocks.getFirst()));
        } catch (GeneralSecurityException e) {
            throw new IOException(file + " holds a key that is not " + ALGORITHM, e);
        }
    }

    private static List<byte[]> pem(Path file, String what) throws IOException {
        List<byte[]> blocks = new ArrayList<>();
        StringBuilder block = null;
        for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
            String text = line.strip();
            if (text.equals("-----BEGIN " + what + "-----")) {
                block = new StringBuilder();
            } else if (text.equals("-----END " + what + "-----") && block != null) {
                try {
                    blocks.add(Base64.getDecoder().decode(block.toString()));
                } catch (IllegalArgumentException e) {
                    throw new IOException(file + ": not base 64", e);
                }
                block = null;
            } else if (block != null) {
                block.append(text);
            }
        }
        return blocks;
    }

    static byte[] sign(byte[] data, PrivateKey key) throws IOException {
        try {
            Signature s = Signature.getInstance(ALGORITHM);
            s.initSign(key);
            s.update(data);
            return s.sign();
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot sign", e);
        }
    }

    /** Whether one of the trusted keys has signed this. */
    boolean believes(byte[] data, byte[] signature) throws IOException {
        for (PublicKey key : keys) {
            try {
                Signature s = Signature.getInstance(ALGORITHM);
                s.initVerify(key);
                s.update(data);
                if (s.verify(signature)) return true;
            } catch (GeneralSecurityException e) {
                Tier.LOG.log(System.Logger.Level.DEBUG, "a signature that is none", e);
            }
        }
        return false;
    }
}
