// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.lower.Lowering.Draft;
import io.sinter.ir.lower.Lowering.LaunchDraft;
import io.sinter.ir.lower.Params.BufferKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Joins launches of the same code that do not need each other into one launch with several parameter blocks. All parameters of an optimizer step
 * become one: an update may move down past whatever does not touch what it reads and writes.
 */
final class LaunchGrouping {
    private record Code(String structure, boolean update) {}

    private LaunchGrouping() {}

    static List<Draft> join(List<Draft> drafts, Donations donations) {
        List<Draft> out = new ArrayList<>(drafts);
        Map<Code, Integer> last = new HashMap<>();
        Map<Kernel, String> structures = new IdentityHashMap<>(); // groups that are alike share a kernel
        for (int i = 0; i < out.size(); i++) {
            if (!(out.get(i) instanceof LaunchDraft d)) continue;
            String structure = structures.computeIfAbsent(d.kernel(), KernelText::structure);
            Integer before = last.put(new Code(structure, d.update()), i);
            if (before == null || !(d.update() || adjacent(out, before, i))) continue;
            LaunchDraft first = (LaunchDraft) out.get(before);
            if (!mayMove(first, before, i, out, donations)) continue;
            first.join(d);
            out.set(i, first);
            out.set(before, null);
        }
        out.removeIf(java.util.Objects::isNull);
        return out;
    }

    private static boolean adjacent(List<Draft> all, int from, int to) {
        for (int i = from + 1; i < to; i++) if (all.get(i) != null) return false;
        return true;
    }

    /** Nothing from {@code from} + 1 to {@code to} reads what the launch writes, writes what it reads, or writes the same. */
    private static boolean mayMove(LaunchDraft d, int from, int to, List<Draft> all, Donations donations) {
        Set<BufferKey> reads = d.reads();
        for (int i = from + 1; i <= to; i++) {
            Draft x = all.get(i);
            if (x == null) continue;
            for (BufferKey k : x.reads()) if (writes(d, k, donations)) return false;
            for (BufferKey k : x.writes()) {
                if (reads.contains(k) || writes(d, k, donations)) return false;
                BufferKey argument = donations.argumentOf().get(k);
                if (argument != null && (reads.contains(argument) || writes(d, argument, donations))) return false;
            }
        }
        return true;
    }

    /** The launch writes that value, or into that argument. */
    private static boolean writes(LaunchDraft d, BufferKey k, Donations donations) {
        if (d.writes().contains(k)) return true;
        BufferKey value = donations.valueOf().get(k);
        return value != null && d.writes().contains(value);
    }
}
