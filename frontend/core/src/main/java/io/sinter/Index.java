// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.List;

/** What {@link Indexing#get} takes besides numbers and tensors. Meant for a static import. */
public final class Index {
    /** The end of an axis, in {@link #slice}. */
    public static final long END = Long.MAX_VALUE;

    /** A new axis of extent 1. */
    public static final Object NEW = new Marker("NEW");

    /** As many whole axes as are not named. */
    public static final Object ELLIPSIS = new Marker("ELLIPSIS");

    /** A whole axis. */
    public static final Slice ALL = new Slice(null, null, 1);

    private Index() {}

    private record Marker(String name) {
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * Part of an axis, as Python's {@code start:stop:step}: negative positions count from the end,
     * out-of-range ones are clamped.
     *
     * @param start null for the beginning (the end if step is negative)
     * @param stop null for the end (the beginning if step is negative); excluded
     * @param step not 0
     */
    public record Slice(Long start, Long stop, long step) {
        public Slice {
            if (step == 0) throw new IllegalArgumentException("a slice's step cannot be 0");
        }
    }

    /** Positions {@code start} to {@code stop} (excluded). */
    public static Slice slice(long start, long stop) {
        return slice(start, stop, 1);
    }

    /**
     * Every {@code step}-th position from {@code start} to {@code stop} (excluded); {@link #END} reaches the
     * end.
     */
    public static Slice slice(long start, long stop, long step) {
        return new Slice(start, stop == END ? null : Long.valueOf(stop), step);
    }

    /** Indices in Python's notation. */
    static Object[] parse(String text) {
        List<Object> r = new ArrayList<>();
        if (text.isBlank()) throw Errors.argument("get(\"" + text + "\"): no index");
        for (String part : text.split(",", -1)) {
            String p = part.strip();
            if (p.equals("...")) r.add(ELLIPSIS);
            else if (p.equals("None")) r.add(NEW);
            else if (p.indexOf(':') >= 0) r.add(parseSlice(text, p));
            else r.add(number(text, p));
        }
        return r.toArray();
    }

    private static Slice parseSlice(String text, String part) {
        String[] f = part.split(":", -1);
        if (f.length > 3) throw Errors.argument("get(\"" + text + "\"): '" + part + "' is not start:stop:step");
        Long start = f[0].isBlank() ? null : number(text, f[0].strip());
        Long stop = f[1].isBlank() ? null : number(text, f[1].strip());
        long step = f.length < 3 || f[2].isBlank() ? 1 : number(text, f[2].strip());
        if (step == 0) throw Errors.argument("get(\"" + text + "\"): a slice's step cannot be 0");
        return new Slice(start, stop, step);
    }

    private static Long number(String text, String part) {
        try {
            return Long.valueOf(part);
        } catch (NumberFormatException _) {
            throw Errors.argument("get(\"" + text + "\"): '" + part
                    + "' is not a whole number, a slice like 1:-1:2, '...' or 'None'");
        }
    }
}
