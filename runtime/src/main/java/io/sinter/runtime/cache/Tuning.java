// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What was measured of a program's launches in several forms, and which were chosen. Forms may differ in the bits of their results, so the choice is a
 * part of the program: its plan is stored under a key that names it, and who finds it stored measures nothing.
 *
 * @param unit what costs are counted in: {@link #NANOSECONDS}, or a simulator's instructions
 * @param launches of the plan, in all
 * @param groups of launches that do the same work; launches in none of them have one form only, or were not measured
 */
public record Tuning(String unit, int launches, List<Group> groups) {
    /** The unit of measured times. */
    public static final String NANOSECONDS = "ns";

    /** The form of a product that a library does. */
    public static final String LIBRARY = "library";

    private static final int DIGITS = 16;
    private static final int MAX_LAUNCHES = 1 << 20;

    /**
     * Launches that do the same work.
     *
     * @param numbers of the launches, in the order of the plan
     * @param kernel its name, and what its numbers say of its size
     * @param chosen the form that was chosen; an empty text for the one that a launch takes anyway
     * @param timings of all forms in the order in which they were measured
     */
    public record Group(List<Integer> numbers, String kernel, String chosen, List<Timing> timings) {
        public Group {
            numbers = List.copyOf(numbers);
            timings = List.copyOf(timings);
        }
    }

    /** What one form cost, in the middle of several runs that took turns with the others'. */
    public record Timing(String form, long cost) {}

    public Tuning {
        groups = List.copyOf(groups);
    }

    /** The form of each launch of the plan; an empty text where it is not chosen here. */
    public List<String> forms() {
        String[] forms = new String[launches];
        Arrays.fill(forms, "");
        for (Group g : groups) for (int n : g.numbers) forms[n] = g.chosen;
        return List.of(forms);
    }

    /** Whether every launch takes the form that it would take anyway. */
    public boolean isTable() {
        return groups.stream().allMatch(g -> g.chosen.isEmpty());
    }

    /** What the key of a program that is made of these choices says of rounding; {@code otherwise} as it would be without them. */
    public String numerics(String otherwise) {
        if (isTable()) return otherwise;
        ByteWriter out = new ByteWriter();
        for (String f : forms()) out.text(f);
        return otherwise + ", tuned " + Sha256.hex(out.toBytes()).substring(0, DIGITS);
    }

    /** In a few words. */
    public String summary() {
        long changed = groups.stream()
                .filter(g -> !g.chosen.isEmpty())
                .mapToLong(g -> g.numbers.size())
                .sum();
        long measured = groups.stream().mapToLong(g -> g.numbers.size()).sum();
        return launches + " launches, " + measured + " measured, " + changed + " not as the tables say";
    }

    /** All that is known, a line each: for every group its forms with their costs, the chosen one marked. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Group g : groups) {
            String times = g.numbers.size() == 1 ? "" : " (" + g.numbers.size() + " launches)";
            lines.add(g.kernel + times + ":");
            for (Timing t : g.timings) {
                String form = t.form.isEmpty() ? "as the tables say" : t.form;
                String mark = t.form.equals(g.chosen) ? "*" : " ";
                lines.add(String.format(Locale.ROOT, "  %s %14s  %s", mark, cost(t.cost), form));
            }
        }
        return lines;
    }

    private String cost(long cost) {
        if (!unit.equals(NANOSECONDS)) return cost + " " + unit;
        return String.format(Locale.ROOT, "%.1f us", cost / 1e3);
    }

    public byte[] toBytes() {
        ByteWriter out = new ByteWriter().text(unit).number(launches).number(groups.size());
        for (Group g : groups) {
            out.number(g.numbers.size());
            for (int n : g.numbers) out.number(n);
            out.text(g.kernel).text(g.chosen).number(g.timings.size());
            for (Timing t : g.timings) out.text(t.form).number(t.cost);
        }
        return out.toBytes();
    }

    /** @throws FormatException if the bytes are not what {@link #toBytes} wrote */
    public static Tuning read(byte[] bytes) {
        ByteReader in = new ByteReader(bytes);
        String unit = in.text();
        int launches = in.integer();
        if (launches < 0 || launches > MAX_LAUNCHES) throw new FormatException("no number of launches: " + launches);
        List<Group> groups = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            List<Integer> numbers = new ArrayList<>();
            for (int i = in.count(); i > 0; i--) numbers.add(in.index(launches));
            String kernel = in.text();
            String chosen = in.text();
            List<Timing> timings = new ArrayList<>();
            for (int i = in.count(); i > 0; i--) timings.add(new Timing(in.text(), in.number()));
            groups.add(new Group(numbers, kernel, chosen, timings));
        }
        in.end();
        return new Tuning(unit, launches, groups);
    }
}
