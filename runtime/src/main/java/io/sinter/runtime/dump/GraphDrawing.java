// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Provenance;
import io.sinter.ir.text.GraphPrinter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Graphs as pictures and for Graphviz; the steps of a plan as a picture ({@code graph.svg}). Boxes stand below those whose values they read. */
public final class GraphDrawing {
    private static final int CHAR = 8;
    private static final int LINE = 16;
    private static final int GAP = 24;
    private static final int ROW = 3 * LINE + 2 * GAP;
    private static final int MAX_CHARS = 40;

    /** A box; {@code from} are those whose values it reads. */
    private static final class Box {
        final List<String> text = new ArrayList<>();
        final Set<Box> from = new LinkedHashSet<>();
        int level;
        int x;
        int width;
    }

    private GraphDrawing() {}

    /** The steps of a plan; of a program without a plan, nothing but a note. */
    static String kernels(Model model) {
        return draw(model.dump.plan() == null ? List.of() : boxes(model));
    }

    /** The graph as a picture: a box for each node. */
    public static String svg(Graph graph) {
        Map<Node, String> names = GraphPrinter.names(graph);
        Map<Node, Box> boxOf = new IdentityHashMap<>();
        List<Node> all = new ArrayList<>(graph.inputs());
        all.addAll(graph.nodes());
        List<Box> boxes = new ArrayList<>();
        for (Node n : all) {
            Box b = new Box();
            b.text.add(names.get(n) + " " + n.op().name());
            b.text.add(n.types().getFirst().toString());
            b.text.add(shortened(Model.attributes(n)));
            for (Node in : n.inputs()) b.from.add(boxOf.get(in));
            boxOf.put(n, b);
            boxes.add(b);
        }
        return draw(boxes);
    }

    /** The graph in Graphviz's language. */
    public static String dot(Graph graph) {
        Map<Node, String> names = GraphPrinter.names(graph);
        StringBuilder b = new StringBuilder("digraph program {\n  node [shape=box, fontname=\"monospace\"];\n");
        List<Node> all = new ArrayList<>(graph.inputs());
        all.addAll(graph.nodes());
        for (Node n : all) {
            String label =
                    names.get(n) + " " + n.op().name() + "\\n" + n.types().getFirst();
            b.append("  \"")
                    .append(names.get(n))
                    .append("\" [label=\"")
                    .append(label)
                    .append("\"];\n");
            for (Node in : n.inputs())
                b.append("  \"")
                        .append(names.get(in))
                        .append("\" -> \"")
                        .append(names.get(n))
                        .append("\";\n");
        }
        for (int i = 0; i < graph.outputs().size(); i++) {
            b.append("  result").append(i).append(" [shape=plaintext];\n  \"");
            b.append(names.get(graph.outputs().get(i)))
                    .append("\" -> result")
                    .append(i)
                    .append(";\n");
        }
        return b.append("}\n").toString();
    }

    private static String draw(List<Box> boxes) {
        List<List<Box>> levels = new ArrayList<>();
        int width = 400;
        for (Box b : boxes) {
            for (Box f : b.from) b.level = Math.max(b.level, f.level + 1);
            while (levels.size() <= b.level) levels.add(new ArrayList<>());
            List<Box> level = levels.get(b.level);
            for (String line : b.text) b.width = Math.max(b.width, CHAR * line.length() + 2 * CHAR);
            b.x = level.isEmpty() ? GAP : level.getLast().x + level.getLast().width + GAP;
            level.add(b);
            width = Math.max(width, b.x + b.width + GAP);
        }
        return svg(boxes, width, GAP + Math.max(1, levels.size()) * ROW);
    }

    private static String shortened(String t) {
        return t.length() <= MAX_CHARS ? t : t.substring(0, MAX_CHARS - 1) + "…";
    }

    private static List<Box> boxes(Model model) {
        List<Box> boxes = new ArrayList<>();
        Map<String, Box> writer = new HashMap<>();
        Map<Plan.Step, Model.Step> kernels = new IdentityHashMap<>();
        for (Model.Step s : model.steps) kernels.put(s.step(), s);
        for (Plan.Step s : model.dump.plan().steps()) {
            Provenance p = model.dump.provenance(s);
            if (p == null) continue;
            Box b = new Box();
            Model.Step k = kernels.get(s);
            if (k != null) {
                b.text.add(k.file());
                b.text.add(k.sources().isEmpty() ? "" : k.sources().getFirst().line());
                b.text.add(String.format(Locale.ROOT, "%,d bytes, %,d flops", k.bytes(), k.flops()));
            } else if (s instanceof Plan.Repeat r) {
                Node n = p.parts().getFirst().members().getFirst();
                b.text.add("loop " + model.ids.get(n));
                b.text.add(r.steps() + " times");
            }
            b.text.replaceAll(GraphDrawing::shortened);
            List<String> written = new ArrayList<>();
            for (Provenance.Part part : p.parts()) {
                for (Provenance.Access a : part.accesses()) {
                    String value = model.ids.get(a.node()) + "." + a.result();
                    if (writer.containsKey(value)) b.from.add(writer.get(value));
                    if (a.written()) written.add(value);
                }
            }
            for (String value : written) writer.put(value, b);
            boxes.add(b);
        }
        return boxes;
    }

    private static String svg(List<Box> boxes, int width, int height) {
        StringBuilder b = new StringBuilder();
        b.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                width,
                height,
                width,
                height));
        b.append(
                "<style>rect{fill:#f4f6f8;stroke:#48535e}text{font:13px monospace;fill:#1b2228}path{fill:none;stroke:#7a8691}\n");
        b.append(
                        "svg{background:#fff}@media(prefers-color-scheme:dark){svg{background:#14181c}rect{fill:#232a31;stroke:#8b98a5}")
                .append("text{fill:#e6ebf0}}</style>\n");
        for (Box box : boxes) {
            for (Box f : box.from) {
                int x1 = f.x + f.width / 2;
                int y1 = GAP + f.level * ROW + 3 * LINE + 8;
                int x2 = box.x + box.width / 2;
                int y2 = GAP + box.level * ROW;
                b.append(String.format(
                        Locale.ROOT,
                        "<path d=\"M%d %dC%d %d %d %d %d %d\"/>\n",
                        x1,
                        y1,
                        x1,
                        y1 + GAP,
                        x2,
                        y2 - GAP,
                        x2,
                        y2));
            }
        }
        for (Box box : boxes) {
            int y = GAP + box.level * ROW;
            b.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n",
                    box.x,
                    y,
                    box.width,
                    3 * LINE + 8));
            for (int i = 0; i < box.text.size(); i++) {
                b.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\">", box.x + CHAR, y + LINE * (i + 1)));
                b.append(escape(box.text.get(i))).append("</text>\n");
            }
        }
        if (boxes.isEmpty()) b.append("<text x=\"24\" y=\"32\">There are no kernels.</text>\n");
        return b.append("</svg>\n").toString();
    }

    private static String escape(String s) {
        return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
