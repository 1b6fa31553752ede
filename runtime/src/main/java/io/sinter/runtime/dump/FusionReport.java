// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import java.util.HashMap;
import java.util.Map;

/** {@code fusion.txt}: what became one kernel, and why everything else did not. */
final class FusionReport {
    private FusionReport() {}

    static String text(Model model) {
        Map<String, Model.Item> items = new HashMap<>();
        for (Model.Item i : model.items) items.put(i.id(), i);
        StringBuilder b = new StringBuilder("# Kernels, in the order in which they run.\n");
        for (Model.Step s : model.steps) {
            b.append('\n').append(s.file()).append(" (").append(s.kind()).append(')');
            if (!s.loop().isEmpty()) b.append(" in the body of ").append(s.loop());
            if (s.members().size() > 1)
                b.append(", ").append(s.members().size()).append(" segments");
            b.append('\n');
            for (var part : s.members()) {
                for (String id : part)
                    b.append("  ").append(describe(items.get(id))).append('\n');
            }
        }
        b.append("\n# Refusals: a node, a kernel that reads it, and why it was not made part of that kernel.\n");
        for (Model.Refusal r : model.refusals) {
            b.append(describe(items.get(r.producer()))).append('\n');
            String into = r.into() < 0 ? "a loop" : model.steps.get(r.into()).file();
            b.append("  not into ").append(into).append(": ").append(r.reason()).append('\n');
        }
        return b.toString();
    }

    private static String describe(Model.Item i) {
        String source = i.source() == null ? "" : "  # " + i.source();
        return i.id() + " " + i.op() + " " + i.node().types() + source;
    }
}
