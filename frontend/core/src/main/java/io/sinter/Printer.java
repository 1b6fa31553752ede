// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Tensors as text, as NumPy prints arrays: at most 1,000 elements in full, else three at either end of each
 * axis.
 */
final class Printer {
    private static final int FULL = 1000;
    private static final int EDGE = 3;

    private Printer() {}

    /** @param values the value is there; otherwise elements are printed only if they need no run */
    static String print(Tensor x, boolean values) {
        Type type = x.type();
        String kind = type
                + (x.isLeaf()
                        ? x.requiresGrad() ? ", requiresGrad" : ""
                        : ", grad of " + x.edge().name());
        if (!values && !readable(x)) return "Tensor(" + kind + ", not computed)";
        Host.Elements e = Host.read(x);
        return "Tensor(" + body(e, type) + ", " + kind + ")";
    }

    private static boolean readable(Tensor x) {
        return x.peek() != null && x.peek().present();
    }

    private static String body(Host.Elements e, Type type) {
        boolean summarize = type.numel() > FULL;
        List<Integer> shown = new ArrayList<>();
        collect(type, summarize, 0, 0, shown);
        List<String> texts = new Format(e, shown).all();
        int width = texts.stream().mapToInt(String::length).max().orElse(0);
        StringBuilder b = new StringBuilder();
        write(b, type, summarize, 0, 0, width, new int[1], texts);
        return b.toString();
    }

    /** Positions along an axis that are printed; -1 for the dots. */
    private static List<Long> positions(long n, boolean summarize) {
        List<Long> r = new ArrayList<>();
        for (long i = 0; i < n; i++) {
            if (summarize && n > 2 * EDGE && i == EDGE) {
                r.add(-1L);
                i = n - EDGE - 1;
            } else {
                r.add(i);
            }
        }
        return r;
    }

    private static void collect(Type type, boolean summarize, int axis, long offset, List<Integer> shown) {
        if (axis == type.rank()) {
            shown.add((int) offset);
            return;
        }
        for (long i : positions(type.dim(axis), summarize)) {
            if (i >= 0) collect(type, summarize, axis + 1, offset * type.dim(axis) + i, shown);
        }
    }

    private static void write(
            StringBuilder b,
            Type type,
            boolean summarize,
            int axis,
            int indent,
            int width,
            int[] next,
            List<String> texts) {
        if (axis == type.rank()) {
            String s = texts.get(next[0]++);
            b.append(type.rank() == 0 ? s : " ".repeat(width - s.length()) + s);
            return;
        }
        b.append('[');
        boolean first = true;
        for (long i : positions(type.dim(axis), summarize)) {
            if (!first) {
                if (axis == type.rank() - 1) b.append(", ");
                else b.append(",").append("\n".repeat(type.rank() - 1 - axis)).append(" ".repeat(indent + 8));
            }
            first = false;
            if (i < 0) b.append("...");
            else write(b, type, summarize, axis + 1, indent + 1, width, next, texts);
        }
        b.append(']');
    }

    /**
     * Numbers with one number of decimals for all: at most 4, in scientific notation where magnitudes differ
     * too much.
     */
    private static final class Format {
        private final Host.Elements e;
        private final List<Integer> shown;

        Format(Host.Elements e, List<Integer> shown) {
            this.e = e;
            this.shown = shown;
        }

        List<String> all() {
            if (e.type().dtype().isBool())
                return shown.stream()
                        .map(i -> e.getBoolean(i) ? "true" : "false")
                        .toList();
            if (e.type().dtype().isInt())
                return shown.stream().map(i -> Long.toString(e.getLong(i))).toList();
            double max = 0;
            double min = Double.POSITIVE_INFINITY;
            boolean whole = true;
            for (int i : shown) {
                double v = Math.abs(e.getDouble(i));
                if (!Double.isFinite(v)) continue;
                max = Math.max(max, v);
                if (v != 0) min = Math.min(min, v);
                whole &= v == Math.rint(v);
            }
            boolean scientific = max > 0 && (max >= 1e8 || min < 1e-4 || max / min > 1e5 && !whole);
            boolean plain = whole;
            return shown.stream()
                    .map(i -> text(e.getDouble(i), scientific, plain))
                    .toList();
        }

        private static String text(double v, boolean scientific, boolean whole) {
            if (Double.isNaN(v)) return "nan";
            if (Double.isInfinite(v)) return v > 0 ? "inf" : "-inf";
            if (scientific) return String.format(Locale.ROOT, "%.4e", v);
            return whole ? String.format(Locale.ROOT, "%.0f.", v) : String.format(Locale.ROOT, "%.4f", v);
        }
    }
}
