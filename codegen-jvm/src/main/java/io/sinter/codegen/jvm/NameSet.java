// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.nio.charset.StandardCharsets;
import java.util.Collection;

/**
 * Names as they stand in class files. One is looked up where it stands: a process that finds its classes in a cache checks some thousands of names before HotSpot has
 * compiled anything, and to make a text of each, hash it and compare it takes several times as long.
 */
final class NameSet {
    /** Open addressing; a power of two, at most half of it taken. */
    private final byte[][] table;

    private NameSet(Collection<String> names) {
        table = new byte[Integer.highestOneBit(Math.max(1, names.size())) * 4][];
        for (String name : names) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            int i = first(bytes, 0, bytes.length);
            while (table[i] != null) i = i + 1 & table.length - 1;
            table[i] = bytes;
        }
    }

    static NameSet of(Collection<String> names) {
        return new NameSet(names);
    }

    /** Whether the name that these bytes are is in the set. */
    boolean contains(byte[] bytes, int from, int length) {
        if (length == 0) return false;
        for (int i = first(bytes, from, length); table[i] != null; i = i + 1 & table.length - 1) {
            byte[] name = table[i];
            if (name.length == length && isAt(name, bytes, from)) return true;
        }
        return false;
    }

    /**
     * Whether these bytes stand there, which has so many. Not by {@link java.util.Arrays#equals}: until HotSpot has compiled that, it reads bytes of unequal alignment one by one by calls of the
     * JVM, and takes four times as long.
     */
    static boolean isAt(byte[] name, byte[] bytes, int from) {
        // Names of one package begin alike.
        for (int i = name.length - 1; i >= 0; i--) if (name[i] != bytes[from + i]) return false;
        return true;
    }

    /** Where to look first: names of one package differ in their length, their middle and their end. */
    private int first(byte[] bytes, int from, int length) {
        int end = from + length;
        int hash = 31 * (31 * length + bytes[end - 1]) + bytes[from + (length >> 1)];
        return (hash ^ hash >>> 5) & table.length - 1;
    }
}
