// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** SHA-256, which every JDK has. */
public final class Sha256 {
    /** Hexadecimal digits of a hash. */
    public static final int DIGITS = 64;

    private static final byte[] SYMBOLS = "0123456789abcdef".getBytes(StandardCharsets.ISO_8859_1);
    /** Of each symbol, by its code; -1 of what is none. */
    private static final byte[] VALUES = new byte[128];

    static {
        Arrays.fill(VALUES, (byte) -1);
        for (byte i = 0; i < SYMBOLS.length; i++) VALUES[SYMBOLS[i]] = i;
    }

    private Sha256() {}

    public static MessageDigest begin() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }

    public static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(begin().digest(bytes));
    }

    /** Of 64-bit words, the lowest byte of each first. */
    public static String hex(long[] words) {
        byte[] bytes = new byte[Math.multiplyExact(words.length, Long.BYTES)];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(words);
        return hex(bytes);
    }

    /** Whether a text is what {@link #hex} gives. */
    public static boolean isHex(String text) {
        if (text.length() != DIGITS) return false;
        // Not character by character: a cache's names are read before HotSpot has compiled anything, and there a
        // character of a text is five calls.
        for (byte digit : text.getBytes(StandardCharsets.ISO_8859_1)) {
            if (digit < 0 || VALUES[digit] < 0) return false;
        }
        return true;
    }

    /**
     * What a hash and 64 further digits give, added bit by bit without carry.
     *
     * @param hex what {@link #hex} gives
     * @param other numbers from 0 to 15, the first digit's first
     */
    public static String xor(String hex, byte[] other) {
        byte[] digits = hex.getBytes(StandardCharsets.ISO_8859_1);
        for (int i = 0; i < digits.length; i++) digits[i] = SYMBOLS[VALUES[digits[i]] ^ other[i]];
        return new String(digits, StandardCharsets.ISO_8859_1);
    }

    /** The digits of what {@link #hex} gives as numbers from 0 to 15. */
    public static byte[] values(String hex) {
        byte[] digits = hex.getBytes(StandardCharsets.ISO_8859_1);
        for (int i = 0; i < digits.length; i++) digits[i] = VALUES[digits[i]];
        return digits;
    }
}
