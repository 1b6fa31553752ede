// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class Sha256Test {
    private static final String HASH = Sha256.hex(new byte[] {1, 2, 3});

    @Test
    void tellsHashesFromOtherTexts() {
        assertTrue(Sha256.isHex(HASH));
        assertFalse(Sha256.isHex(HASH.substring(1)));
        assertFalse(Sha256.isHex(HASH + "0"));
        for (String other :
                new String[] {"g", "A", " ", "/", ":", "`", "\u0000", "\u007f", "\u0080", "\u00ff", "\u0130", "\u2030"})
            assertFalse(Sha256.isHex(other + HASH.substring(1)), other);
    }

    @Test
    void addsWithoutCarry() {
        String other = Sha256.hex(new byte[] {4, 5});
        byte[] a = HexFormat.of().parseHex(HASH);
        byte[] b = HexFormat.of().parseHex(other);
        byte[] sum = new byte[a.length];
        for (int i = 0; i < sum.length; i++) sum[i] = (byte) (a[i] ^ b[i]);
        assertArrayEquals(sum, HexFormat.of().parseHex(Sha256.xor(HASH, Sha256.values(other))));
        assertEquals(HASH, Sha256.xor(Sha256.xor(HASH, Sha256.values(other)), Sha256.values(other)));
    }
}
