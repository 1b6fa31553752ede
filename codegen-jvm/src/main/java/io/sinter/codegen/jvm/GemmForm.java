// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.store.FormatException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;

/**
 * How a launch of a matrix product or convolution is made, where that is not left to the tables: functions of extents and strides in {@link GemmPlan},
 * {@link StencilPlan} and {@link WinogradPlan}. A form is right for every launch: what does not suit one is left to the table after all. Some choices
 * change the order of sums, and so bits of the result; each form by itself gives the same bits always.
 *
 * @param method what multiplies; null: as the table says
 * @param side which operand's rows are loaded as vectors; null: as the table says
 * @param wide whether that operand's panels are packed; null: as the table says
 * @param depth products in one pass along k; 0: as the table says
 * @param slices parts that k, or a gradient's images, are cut into, as far as there are so many; 0: as the table says
 * @param share of the memory that the table lets a task use, in hundredths
 */
record GemmForm(Method method, Side side, Wide wide, int depth, int slices, int share) {
    /** All is left to the tables. */
    static final GemmForm TABLE = new GemmForm(null, null, null, 0, 0, 100);

    private static final List<Integer> DEPTHS = List.of(128, 256, 512, 1024);
    private static final List<Integer> SHARES = List.of(25, 50, 100, 200, 400);
    private static final int MAX_SLICES = 64;

    /** What multiplies. */
    enum Method {
        /** Products: tiles that fit the registers. */
        TILES("tiles"),
        /** Products: dot products along k. */
        DOTS("dots"),
        /** Convolutions: every multiplication there is. */
        DIRECT("direct"),
        /** Convolutions: Winograd's algorithm. */
        WINOGRAD("winograd");

        private final String text;

        Method(String text) {
            this.text = text;
        }
    }

    /** Which operand is the wide one. */
    enum Side {
        /** The right one. */
        STRAIGHT("straight"),
        /** The left one: the product is the transpose of the result. */
        TURNED("turned");

        private final String text;

        Side(String text) {
            this.text = text;
        }
    }

    /** How the wide operand is read. */
    enum Wide {
        PACKED("packed"),
        /** Where it lies, if its rows are next to each other. */
        IN_PLACE("in-place");

        private final String text;

        Wide(String text) {
            this.text = text;
        }
    }

    /**
     * Reads what {@link #toString} writes.
     *
     * @throws FormatException if the text is no form
     */
    static GemmForm parse(String text) {
        GemmForm f = TABLE;
        for (String word : text.isEmpty() ? new String[0] : text.split(" ", -1)) f = f.with(word);
        if (!f.toString().equals(text)) throw new FormatException("no form of a product: " + text);
        return f;
    }

    private GemmForm with(String word) {
        for (Method m : Method.values()) if (word.equals(m.text)) return withMethod(m);
        for (Side s : Side.values()) if (word.equals(s.text)) return withSide(s);
        for (Wide w : Wide.values()) if (word.equals(w.text)) return withWide(w);
        int at = word.indexOf('=');
        int value = at < 0 ? 0 : number(word, at + 1);
        return switch (at < 0 ? word : word.substring(0, at)) {
            case "depth" -> withDepth(among(DEPTHS, value, word));
            case "share" -> withShare(among(SHARES, value, word));
            case "slices" -> {
                if (value < 1 || value > MAX_SLICES) throw new FormatException("no number of slices: " + word);
                yield withSlices(value);
            }
            default -> throw new FormatException("no part of a form: " + word);
        };
    }

    private static int number(String word, int from) {
        try {
            return Integer.parseInt(word, from, word.length(), 10);
        } catch (NumberFormatException e) {
            throw new FormatException("no part of a form: " + word, e);
        }
    }

    private static int among(List<Integer> known, int value, String word) {
        if (!known.contains(value)) throw new FormatException("no part of a form: " + word);
        return value;
    }

    private GemmForm withMethod(Method value) {
        return new GemmForm(value, side, wide, depth, slices, share);
    }

    private GemmForm withSide(Side value) {
        return new GemmForm(method, value, wide, depth, slices, share);
    }

    private GemmForm withWide(Wide value) {
        return new GemmForm(method, side, value, depth, slices, share);
    }

    private GemmForm withDepth(int value) {
        return new GemmForm(method, side, wide, value, slices, share);
    }

    private GemmForm withSlices(int value) {
        return new GemmForm(method, side, wide, depth, value, share);
    }

    private GemmForm withShare(int value) {
        return new GemmForm(method, side, wide, depth, slices, value);
    }

    /** Forms that differ from this one in one choice. */
    List<GemmForm> neighbours(boolean convolution) {
        Set<GemmForm> all = new LinkedHashSet<>();
        all.add(withMethod(null));
        if (convolution) {
            all.add(withMethod(Method.DIRECT));
            all.add(withMethod(Method.WINOGRAD));
        } else {
            all.add(withMethod(Method.TILES));
            all.add(withMethod(Method.DOTS));
            all.add(withSide(null));
            for (Side s : Side.values()) all.add(withSide(s));
            all.add(withWide(null));
            for (Wide w : Wide.values()) all.add(withWide(w));
            all.add(withDepth(0));
            for (int d : DEPTHS) all.add(withDepth(d));
        }
        all.add(withSlices(0));
        for (int s = 1; s <= 16; s *= 2) all.add(withSlices(s));
        for (int s : SHARES) all.add(withShare(s));
        all.remove(this);
        return new ArrayList<>(all);
    }

    /** So much of what the table lets a task use. */
    long ofShare(long bytes) {
        return bytes * share / 100;
    }

    /** Whether a method that only some launches suit is asked for. */
    boolean asksFor(Method m) {
        return method == m;
    }

    /** The choices; an empty text for those of the tables. */
    @Override
    public String toString() {
        StringJoiner s = new StringJoiner(" ");
        if (method != null) s.add(method.text);
        if (side != null) s.add(side.text);
        if (wide != null) s.add(wide.text);
        if (depth != 0) s.add("depth=" + depth);
        if (slices != 0) s.add("slices=" + slices);
        if (share != 100) s.add("share=" + share);
        return s.toString();
    }
}
