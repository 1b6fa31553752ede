// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The modifiers of an opcode, taken off one after the other as they are understood; what is left over is an error. */
final class Modifiers {
    private final int line;
    private final String opcode;
    private final String base;
    private final List<String> left;

    Modifiers(int line, String opcode) {
        this.line = line;
        this.opcode = opcode;
        String[] parts = opcode.split("\\.");
        base = parts[0];
        left = new ArrayList<>(Arrays.asList(parts).subList(1, parts.length));
    }

    /** The opcode up to its first dot. */
    String base() {
        return base;
    }

    String opcode() {
        return opcode;
    }

    int line() {
        return line;
    }

    PtxException unsupported(String what) {
        return new PtxException(line, what + " of " + opcode + " is not supported", true);
    }

    /** Takes a modifier if it is there. */
    boolean take(String modifier) {
        return left.remove(modifier);
    }

    /** Takes one of some modifiers; null if none is there. */
    String takeAny(String... modifiers) {
        for (String m : modifiers) if (left.remove(m)) return m;
        return null;
    }

    /** Takes a constant of an enum whose names are the modifiers in capitals; {@code otherwise} if none is there. */
    <E extends Enum<E>> E take(Class<E> type, E otherwise) {
        for (String m : left) {
            for (E e : type.getEnumConstants()) {
                if (e != otherwise && e.name().toLowerCase(Locale.ROOT).equals(m)) {
                    left.remove(m);
                    return e;
                }
            }
        }
        return otherwise;
    }

    <E extends Enum<E>> E require(Class<E> type) {
        E e = take(type, null);
        if (e == null)
            throw new PtxException(line, opcode + " lacks one of " + Arrays.toString(type.getEnumConstants()), false);
        return e;
    }

    /** Takes the first type among the modifiers. */
    PtxType type() {
        PtxType t = typeOrNull();
        if (t == null) throw new PtxException(line, opcode + " names no type", false);
        return t;
    }

    PtxType typeOrNull() {
        for (String m : left) {
            PtxType t = PtxType.find(m);
            if (t != null) {
                left.remove(m);
                return t;
            }
        }
        return null;
    }

    /** Takes a state space; GENERIC if there is none. */
    Space space() {
        for (String m : left) {
            Space s = Space.find(m);
            if (s != null) {
                left.remove(m);
                return s;
            }
        }
        return Space.GENERIC;
    }

    FloatMode floatMode() {
        FloatMode.Rounding r = take(FloatMode.Rounding.class, FloatMode.Rounding.NONE);
        boolean xorSignAbs = take("xorsign");
        if (xorSignAbs && !take("abs")) throw unsupported("xorsign without abs");
        return new FloatMode(r, take("ftz"), take("NaN"), xorSignAbs, take("relu"), take("sat"), take("satfinite"));
    }

    /** Takes all modifiers that begin so. */
    List<String> takeAll(String... beginnings) {
        List<String> found = new ArrayList<>();
        for (String b : beginnings) {
            for (String m : List.copyOf(left)) {
                if (m.startsWith(b)) {
                    found.add(m);
                    left.remove(m);
                }
            }
        }
        return found;
    }

    /** Checks that nothing is left. */
    void end() {
        if (!left.isEmpty()) throw unsupported("." + left.getFirst());
    }
}
