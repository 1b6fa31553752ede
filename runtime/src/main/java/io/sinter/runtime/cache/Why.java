// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.text.GraphDiff;
import io.sinter.ir.text.GraphParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Why a program or a kernel was not found: the stored one that is most like it, and what differs. */
public final class Why {
    private static final int MAX_DIFFERENCES = 5;

    private Why() {}

    /** All programs of a tier that can be read. */
    public static List<Entry> programs(Tier tier) throws IOException {
        List<Entry> programs = new ArrayList<>();
        for (Tier.Stored s : tier.list()) {
            if (s.kind() != CacheKey.Kind.PLAN) continue;
            try {
                programs.add(Tier.read(s));
            } catch (FormatException | IOException e) {
                Tier.LOG.log(System.Logger.Level.DEBUG, "not read: " + s.file(), e);
            }
        }
        return programs;
    }

    /**
     * Lines that say why {@code missed} was compiled when others were there: in which component of the key it differs from the nearest of them, and
     * if that is the program itself, in which of its lines.
     */
    public static List<String> explain(Entry missed, List<Entry> others) {
        Entry nearest = null;
        int best = -1;
        for (Entry other : others) {
            if (other.key().equals(missed.key())) continue;
            int likeness = likeness(missed, other);
            if (likeness > best) {
                best = likeness;
                nearest = other;
            }
        }
        if (nearest == null) return List.of("no other program is stored: this one was the first");
        List<String> lines = new ArrayList<>();
        CacheKey a = nearest.key();
        CacheKey b = missed.key();
        differs(lines, a, b);
        if (a.content().equals(b.content())) {
            lines.addFirst("the same program is stored, with another key:");
        } else {
            String where = nearest.line().isEmpty() ? "an unknown line" : nearest.line();
            lines.addFirst("the nearest stored program (" + nearest.name() + ", from " + where + ") differs:");
            lines.addAll(compare(nearest.text(), missed.text()));
        }
        return lines;
    }

    /**
     * The same of the code of a kernel, which is found by the kernel's structure.
     *
     * @param missed an entry of kind class, PTX or cubin
     */
    public static List<String> explainKernel(Entry missed, Tier tier) throws IOException {
        CacheKey wanted = missed.key();
        Entry sameStructure = null;
        int sameName = 0;
        for (Tier.Stored s : tier.list()) {
            if (s.kind() != wanted.kind()) continue;
            Entry other;
            try {
                other = Tier.read(s);
            } catch (FormatException | IOException e) {
                Tier.LOG.log(System.Logger.Level.DEBUG, "not read: " + s.file(), e);
                continue;
            }
            if (other.key().equals(wanted)) continue;
            if (other.key().content().equals(wanted.content())) sameStructure = other;
            else if (other.name().equals(missed.name())) sameName++;
        }
        List<String> lines = new ArrayList<>();
        if (sameStructure != null) {
            lines.add("a kernel of the same structure is stored, with another key:");
            differs(lines, sameStructure.key(), wanted);
        } else if (sameName > 0) {
            lines.add("no other kernel of this structure is stored; of this name, but other structures: " + sameName);
        } else {
            lines.add("no other kernel of this structure or name is stored: this one was the first");
        }
        return lines;
    }

    private static void differs(List<String> lines, CacheKey stored, CacheKey wanted) {
        differs(lines, "compiler build", stored.build(), wanted.build());
        differs(lines, "target", stored.target(), wanted.target());
        differs(lines, "numerics", stored.numerics(), wanted.numerics());
    }

    private static void differs(List<String> lines, String what, String stored, String wanted) {
        if (!stored.equals(wanted)) lines.add("  " + what + ": stored " + stored + ", wanted " + wanted);
    }

    /** The same program counts most, then the user's line, then the other components, then the length of the program. */
    private static int likeness(Entry a, Entry b) {
        int n = 0;
        if (a.key().content().equals(b.key().content())) n += 1 << 20;
        if (!a.line().isEmpty() && a.line().equals(b.line())) n += 1 << 18;
        if (a.key().target().equals(b.key().target())) n += 1 << 17;
        if (a.key().build().equals(b.key().build())) n += 1 << 16;
        int la = a.source().length;
        int lb = b.source().length;
        return n + (la + lb == 0 ? 0 : (int) (1000L * Math.min(la, lb) / Math.max(la, lb)));
    }

    /** The lines in which two programs differ by themselves; of texts that this version does not read, the first lines that differ. */
    static List<String> compare(String stored, String wanted) {
        List<GraphDiff.Change> changes;
        Map<Node, String> one;
        Map<Node, String> two;
        try {
            Graph a = GraphParser.parse(stored);
            Graph b = GraphParser.parse(wanted);
            changes = GraphDiff.of(a, b);
            one = lines(a, stored);
            two = lines(b, wanted);
        } catch (IllegalArgumentException e) {
            return compareLines(stored, wanted);
        }
        if (changes.isEmpty()) return compareLines(stored, wanted);
        List<String> lines = new ArrayList<>();
        for (GraphDiff.Change c : changes.subList(0, Math.min(MAX_DIFFERENCES, changes.size()))) {
            lines.add("  " + c.text());
            if (c.before() != null) lines.add("  - " + one.get(c.before()));
            if (c.after() != null) lines.add("  + " + two.get(c.after()));
        }
        if (changes.size() > MAX_DIFFERENCES)
            lines.add("  … and " + (changes.size() - MAX_DIFFERENCES) + " more differences");
        return lines;
    }

    /** The line of each node in the text of a graph: arguments first, then nodes, one a line. */
    private static Map<Node, String> lines(Graph g, String text) {
        Map<Node, String> lines = new IdentityHashMap<>();
        List<String> all = text.lines().toList();
        int i = 0;
        for (Node n : g.inputs()) lines.put(n, all.get(i++));
        for (Node n : g.nodes()) lines.put(n, all.get(i++));
        return lines;
    }

    private static List<String> compareLines(String stored, String wanted) {
        List<String> a = stored.lines().toList();
        List<String> b = wanted.lines().toList();
        List<String> lines = new ArrayList<>();
        int shown = 0;
        int different = 0;
        for (int i = 0; i < Math.max(a.size(), b.size()); i++) {
            String x = i < a.size() ? a.get(i) : "(ends)";
            String y = i < b.size() ? b.get(i) : "(ends)";
            if (x.equals(y)) continue;
            different++;
            if (shown++ < MAX_DIFFERENCES) {
                lines.add("  - " + x);
                lines.add("  + " + y);
            }
        }
        if (different > MAX_DIFFERENCES) lines.add("  … and " + (different - MAX_DIFFERENCES) + " more lines");
        return lines;
    }
}
