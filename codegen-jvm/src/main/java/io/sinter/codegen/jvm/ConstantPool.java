// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.store.FormatException;
import java.nio.charset.StandardCharsets;

/**
 * The constants of a class file, and what follows them: all that its code can name. Read in one pass over the bytes, without an object for a constant. What does not
 * fit the format throws {@link FormatException} or {@link IndexOutOfBoundsException}.
 */
final class ConstantPool {
    static final int UTF8 = 1;
    static final int CLASS = 7;
    static final int FIELD = 9;
    static final int METHOD = 10;
    static final int INTERFACE_METHOD = 11;
    static final int NAME_AND_TYPE = 12;

    private static final int MAGIC = 0xcafebabe;

    private final byte[] bytes;
    /** Where each constant's tag is; 0 for what is none: number 0, and the second number of a long or double. */
    private final int[] tags;
    /** Of the access flags, which follow the last constant. */
    private final int end;

    ConstantPool(byte[] bytes) {
        this.bytes = bytes;
        if (bytes.length < 10 || (u2(0) << 16 | u2(2)) != MAGIC) throw new FormatException("no class file");
        tags = new int[u2(8)];
        int at = 10;
        for (int i = 1; i < tags.length; i++) {
            tags[i] = at;
            switch (bytes[at]) {
                case UTF8 -> at += 3 + u2(at + 1);
                case 3, 4, FIELD, METHOD, INTERFACE_METHOD, NAME_AND_TYPE, 17, 18 -> at += 5;
                case 5, 6 -> {
                    at += 9;
                    i++;
                }
                case CLASS, 8, 16, 19, 20 -> at += 3;
                case 15 -> at += 4;
                default -> throw new FormatException("no class file: a constant of kind " + bytes[at]);
            }
        }
        end = at;
        if (bytes.length < end + 8) throw new FormatException("no class file: it ends too early");
    }

    /** One more than the number of the last constant. */
    int count() {
        return tags.length;
    }

    /** The kind of a constant; 0 for what is none. */
    int tag(int constant) {
        int at = tags[constant];
        return at == 0 ? 0 : bytes[at];
    }

    /** The first number that a constant refers to: of a class its name, of a member its class, of a name and type the name. */
    int first(int constant) {
        return u2(tags[constant] + 1);
    }

    /** The second number that a constant refers to: of a member its name and type. */
    int second(int constant) {
        return u2(tags[constant] + 3);
    }

    /** What a constant refers to first, which must be of this kind. */
    int first(int constant, int tag) {
        return demand(first(constant), tag);
    }

    /** What a constant refers to second, which must be of this kind. */
    int second(int constant, int tag) {
        return demand(second(constant), tag);
    }

    private int demand(int constant, int tag) {
        if (tag(constant) != tag) throw new FormatException("no class file: a constant of kind " + tag(constant));
        return constant;
    }

    /** Where the bytes of a text begin. */
    int textAt(int utf8) {
        return tags[utf8] + 3;
    }

    /** How many bytes a text has. */
    int textLength(int utf8) {
        return u2(tags[utf8] + 1);
    }

    /** A text of the Latin alphabet, as all names of ours are: others read as something else, and equal no name. */
    String text(int utf8) {
        return new String(bytes, textAt(utf8), textLength(utf8), StandardCharsets.ISO_8859_1);
    }

    int access() {
        return u2(end);
    }

    /** The class itself, a constant. */
    int self() {
        return demand(u2(end + 2), CLASS);
    }

    /** What it extends, a constant; 0 for nothing. */
    int superclass() {
        int c = u2(end + 4);
        return c == 0 ? 0 : demand(c, CLASS);
    }

    /** How many interfaces it implements. */
    int interfaces() {
        return u2(end + 6);
    }

    private int u2(int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }
}
