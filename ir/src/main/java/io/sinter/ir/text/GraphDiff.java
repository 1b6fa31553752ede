// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.text;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Iota;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.OpText;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.RandomBits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;

/**
 * Why two programs are two: the arguments, operators and results in which they differ by themselves. What only follows, such as the types of everything
 * that is computed from an argument of another shape, is no difference of its own.
 */
public final class GraphDiff {
    /** Longer parts are not aligned operator by operator. */
    private static final int ALIGNED = 2_000;

    /** What differs. */
    public enum Kind {
        /** An argument of another type. */
        ARGUMENT,
        /** An operator with other attributes, or a constant of another value. */
        ATTRIBUTES,
        /** An operator that reads other values. */
        OPERANDS,
        /** An argument or operator that only the second program has. */
        ADDED,
        /** An argument or operator that only the first program has. */
        REMOVED,
        /** Which values are results, or whose memory they take. */
        RESULTS
    }

    /**
     * A difference.
     *
     * @param before of the first program; null if it has none
     * @param after of the second program; null if it has none
     * @param text what differs: {@code argument 0 is f32[5,8], was f32[4,8]}
     */
    public record Change(Kind kind, Node before, Node after, String text) {}

    private final Graph first;
    private final Graph second;
    /** Nodes of the first program by the node of the second in their place. */
    private final Map<Node, Node> before = new IdentityHashMap<>();

    private final List<Change> changes = new ArrayList<>();

    private GraphDiff(Graph first, Graph second) {
        this.first = first;
        this.second = second;
    }

    /** In what {@code second} differs from {@code first}, in program order; empty if in nothing that a graph has. */
    public static List<Change> of(Graph first, Graph second) {
        GraphDiff d = new GraphDiff(first, second);
        d.compare();
        return d.changes;
    }

    /** How alike two programs are: 1 for the same operators, 0 for none in common, whatever their order and types. */
    public static double likeness(Graph a, Graph b) {
        Map<String, Integer> counts = new HashMap<>();
        for (Node n : a.nodes()) counts.merge(n.op().name(), 1, Integer::sum);
        int common = 0;
        for (Node n : b.nodes()) {
            Integer left = counts.get(n.op().name());
            if (left == null || left == 0) continue;
            counts.put(n.op().name(), left - 1);
            common++;
        }
        int most = Math.max(a.nodes().size(), b.nodes().size());
        return most == 0 ? 1 : (double) common / most;
    }

    private void compare() {
        // Where there are as many arguments they are the same ones, whatever their types.
        boolean asMany = first.inputs().size() == second.inputs().size();
        align(first.inputs(), second.inputs(), (a, b) -> asMany || same(a, b));
        align(first.nodes(), second.nodes(), (a, b) -> a.op().name().equals(b.op().name()));
        for (Node n : second.inputs()) if (before.containsKey(n) && !same(before.get(n), n)) argument(n);
        List<Node> derived = new ArrayList<>();
        for (Node n : second.nodes()) if (before.containsKey(n)) operator(before.get(n), n, derived);
        results();
        if (changes.isEmpty() && !derived.isEmpty()) attributes(before.get(derived.getFirst()), derived.getFirst());
    }

    private static boolean same(Node a, Node b) {
        return a.type().equals(b.type()) && scalar(a) == scalar(b);
    }

    private static boolean scalar(Node n) {
        return n.op() instanceof Input in && in.scalar();
    }

    private void argument(Node n) {
        Node was = before.get(n);
        String text = "argument " + number(n) + " is " + describe(n) + ", was " + describe(was);
        changes.add(new Change(Kind.ARGUMENT, was, n, text));
    }

    private static int number(Node n) {
        return ((Input) n.op()).number();
    }

    private static String describe(Node n) {
        return n.type() + (scalar(n) ? " (a number of the host)" : "");
    }

    private void operator(Node a, Node b, List<Node> derived) {
        boolean sameTypes = types(a).equals(types(b));
        if (!a.op().sameAs(b.op())) {
            // Other attributes on the same types are somebody's choice; on other types they follow.
            if (sameTypes && !follows(a.op())) attributes(a, b);
            else derived.add(b);
            return;
        }
        for (int i = 0; i < b.inputs().size(); i++) {
            Node was = before.get(b.input(i));
            if (i < a.inputs().size() && (was == null || was == a.input(i))) continue;
            changes.add(new Change(Kind.OPERANDS, a, b, b.op().name() + " reads another value as operand " + i));
            return;
        }
    }

    /** Operators whose attributes come from what is around them: an expand has the shape of what its result is added to. */
    private static boolean follows(Op op) {
        return switch (op) {
            case Project _, Expand _, Iota _, RandomBits _ -> true;
            case Constant c -> c.derived();
            default -> false;
        };
    }

    private static List<Type> types(Node n) {
        return n.inputs().stream().flatMap(x -> x.types().stream()).toList();
    }

    private void attributes(Node a, Node b) {
        String text = b.op().name() + " " + attributes(b.op()) + ", was " + attributes(a.op());
        changes.add(new Change(Kind.ATTRIBUTES, a, b, text));
    }

    private static String attributes(Op op) {
        if (op instanceof Constant c)
            return c.dtype() + " " + (c.dtype().isFloat() ? Double.toString(c.doubleValue()) : Long.toString(c.bits()));
        return OpText.attributes(op);
    }

    private void results() {
        if (first.outputs().size() != second.outputs().size()) {
            changes.add(new Change(
                    Kind.RESULTS,
                    null,
                    null,
                    "the program has " + second.outputs().size() + " results, had "
                            + first.outputs().size()));
            return;
        }
        for (int i = 0; i < second.outputs().size(); i++) {
            Node n = second.outputs().get(i);
            Node was = first.outputs().get(i);
            if (before.containsKey(n) && before.get(n) != was) {
                changes.add(new Change(Kind.RESULTS, was, n, "result " + i + " is another value"));
                return;
            }
            int now = second.donations().get(i);
            int then = first.donations().get(i);
            if ((now < 0) == (then < 0)) continue;
            String text = now < 0
                    ? "result " + i + " takes memory of its own, and took over argument " + then
                            + "'s: somebody holds what was overwritten before"
                    : "result " + i + " takes over the memory of argument " + now + ", and had its own";
            changes.add(new Change(Kind.RESULTS, was, n, text));
            return;
        }
    }

    // ---- who stands for whom

    /** The longest common subsequence, in the part between what begins and what ends alike. */
    private void align(List<Node> a, List<Node> b, BiPredicate<Node, Node> alike) {
        int start = 0;
        int least = Math.min(a.size(), b.size());
        while (start < least && alike.test(a.get(start), b.get(start))) pair(a.get(start), b.get(start++));
        int end = 0;
        while (end < least - start && alike.test(a.get(a.size() - 1 - end), b.get(b.size() - 1 - end))) end++;
        for (int i = end; i > 0; i--) pair(a.get(a.size() - i), b.get(b.size() - i));
        List<Node> x = a.subList(start, a.size() - end);
        List<Node> y = b.subList(start, b.size() - end);
        if (x.size() > ALIGNED || y.size() > ALIGNED) {
            for (Node n : x) only(Kind.REMOVED, n);
            for (Node n : y) only(Kind.ADDED, n);
            return;
        }
        int[][] common = new int[x.size() + 1][y.size() + 1];
        for (int i = x.size() - 1; i >= 0; i--) {
            for (int j = y.size() - 1; j >= 0; j--) {
                common[i][j] = alike.test(x.get(i), y.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        int i = 0;
        int j = 0;
        while (i < x.size() || j < y.size()) {
            if (i < x.size() && j < y.size() && alike.test(x.get(i), y.get(j))) pair(x.get(i++), y.get(j++));
            else if (j == y.size() || i < x.size() && common[i + 1][j] >= common[i][j + 1])
                only(Kind.REMOVED, x.get(i++));
            else only(Kind.ADDED, y.get(j++));
        }
    }

    private void pair(Node a, Node b) {
        before.put(b, a);
    }

    private void only(Kind kind, Node n) {
        if (n.op() instanceof Project) return;
        String what = n.op() instanceof Input ? "argument " + number(n) + ", " + describe(n) : n.op().name();
        boolean added = kind == Kind.ADDED;
        String text = what + (added ? " is new" : " is gone");
        changes.add(new Change(kind, added ? null : n, added ? n : null, text));
    }
}
