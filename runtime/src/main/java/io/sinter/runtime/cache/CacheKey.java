// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What an entry is stored under: everything that its contents depend on, and nothing else. In no key are a path, a time, an address, a source line,
 * or a number of threads or devices.
 *
 * @param kind what the entry holds
 * @param build the compiler that made it: see {@link BuildId}; of a cubin, the driver and its version
 * @param target what it runs on: the release of Java and the width of vectors; a GPU's architecture, or (a cubin) its compute capability; or the interpreter
 * @param numerics choices that change results' bits: {@link #STRICT} where the user has none, on GPUs how exactly products multiply; and of a program whose
 *     kernels' forms were chosen by measuring, which were chosen ({@link Tuning#numerics})
 * @param content SHA-256 of what was compiled, in hexadecimal digits: a program's canonical form, a kernel's structure (and its form on a GPU), PTX text
 */
public record CacheKey(Kind kind, String build, String target, String numerics, String content) {
    /** The version of keys and of all formats of entries: raised whenever the meaning of a byte changes. */
    public static final int SCHEMA = 5;

    /** Results as the operators' definitions give them: no approximations that they do not name, a fixed order of sums. */
    public static final String STRICT = "strict";

    private static final int MAX_TEXT = 256;

    private static final int MOST_SCOPES = 256;

    /** A process has some kinds of entries for some targets; of tuned programs one for each choice of forms, which may be many. */
    private static final ConcurrentHashMap<Scope, byte[]> SCOPES = new ConcurrentHashMap<>();

    /** What an entry holds. */
    public enum Kind {
        /** A program's plan. */
        PLAN,
        /** A kernel's class file. */
        CLASS,
        /** A kernel's PTX text and how it is launched. */
        PTX,
        /** What a driver has assembled PTX text to. */
        CUBIN,
        /** What was measured of a program's launches, and the forms that were chosen: {@link Tuning}. */
        TUNING;

        /** The name of its folder. */
        public String folder() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public CacheKey {
        if (!Sha256.isHex(content)) throw new IllegalArgumentException("no SHA-256: " + content);
        for (String s : new String[] {build, target, numerics}) {
            if (s.length() > MAX_TEXT) throw new IllegalArgumentException("longer than " + MAX_TEXT + ": " + s);
        }
    }

    /** By comparisons of its own: keys are compared before HotSpot has compiled anything, and a record's are a chain of method handles until then. */
    @Override
    public boolean equals(Object o) {
        return o instanceof CacheKey k
                && kind == k.kind
                && content.equals(k.content)
                && build.equals(k.build)
                && target.equals(k.target)
                && numerics.equals(k.numerics);
    }

    @Override
    public int hashCode() {
        return content.hashCode();
    }

    void write(ByteWriter out) {
        out.constant(kind).text(build).text(target).text(numerics).text(content);
    }

    static CacheKey read(ByteReader in) {
        try {
            return new CacheKey(in.constant(Kind.values()), in.text(), in.text(), in.text(), in.text());
        } catch (IllegalArgumentException e) {
            throw new FormatException(e.getMessage(), e);
        }
    }

    /**
     * The name of the entry's file, 64 hexadecimal digits: the {@code content} added, bit by bit without carry, to the SHA-256 of the {@link #SCHEMA} and all other components,
     * which are the same for all kernels of a process. Both are SHA-256, so names are as different as if all were hashed at once, and a program of fifty kernels
     * is looked up without hashing fifty times, which takes HotSpot's interpreter a third of a millisecond each.
     */
    public String digest() {
        if (SCOPES.size() > MOST_SCOPES) SCOPES.clear();
        return Sha256.xor(content, SCOPES.computeIfAbsent(new Scope(kind, build, target, numerics), Scope::sha256));
    }

    /** What an entry depends on besides what was compiled. */
    private record Scope(Kind kind, String build, String target, String numerics) {
        /** Of the {@link #SCHEMA} and the components: 64 numbers from 0 to 15. */
        byte[] sha256() {
            ByteWriter out = new ByteWriter().number(SCHEMA);
            out.constant(kind).text(build).text(target).text(numerics);
            return Sha256.values(Sha256.hex(out.toBytes()));
        }
    }
}
