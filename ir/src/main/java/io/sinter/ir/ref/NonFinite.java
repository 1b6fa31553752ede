// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Leaf;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the first NaN or infinity of a program came from: runs it on the reference evaluator in small steps (loops unrolled, composites taken
 * apart), and goes back from the elements of the results that are not finite to the nodes that made them. What is thrown away on the way, by a
 * {@code where} for instance, is never met.
 *
 * <p>Infinities that the program is given, as arguments or constants, are legal: nothing is found where they only travel. A NaN made of
 * infinities alone ({@code inf - inf}) is found if nobody made these; a NaN that the program is given is found if it reaches a result and nothing
 * else does.
 */
public final class NonFinite {
    /** How something came to be not finite. */
    public enum Kind {
        /** Out of finite operands: {@code log(0)}, {@code 1/0}, {@code exp(100)}. */
        MADE,
        /** A NaN of infinities that the program was given: {@code inf - inf}, {@code 0 * inf}. */
        CLASHED,
        /** A NaN that was an argument or a constant of the program. */
        GIVEN
    }

    /**
     * What was found.
     *
     * @param node of the program; for an operator in the body of a loop, the loop
     * @param op what made it: the node's operator, or one of its parts
     * @param type of the operator's result
     * @param steps of the loops that the operator is in, the outermost first
     * @param element row-major number of the first element concerned
     * @param value of the element
     * @param operands what the element was made of, a line each
     * @param output number of a result that it reached
     * @param outputElement row-major number of an element of that result that is not finite
     * @param outputValue its value
     */
    public record Finding(
            Kind kind,
            Node node,
            Op op,
            Type type,
            List<Long> steps,
            int element,
            double value,
            List<String> operands,
            int output,
            int outputElement,
            double outputValue) {
        /** The element as people count: {@code [2, 5]}. */
        public String index() {
            return RefArray.index(type.shape(), element);
        }
    }

    private final Flattened flat;
    private final Map<Node, List<RefArray>> values = new IdentityHashMap<>();
    /** Of each node and result, the elements that made a result not finite. */
    private final Map<Node, BitSet[]> marks = new IdentityHashMap<>();
    /** Who marked a node: the way to a result. */
    private final Map<Node, Node> readers = new IdentityHashMap<>();

    private final Map<Flattened.Whole, Boolean> excused = new IdentityHashMap<>();

    private Node found;
    private Kind kind;
    private int result;
    private int element;

    private NonFinite(Graph graph, List<RefArray> arguments) {
        flat = new Flattened(graph);
        RefEvaluator.run(flat.graph(), arguments, (_, all) -> values.putAll(all));
    }

    /** Whether element {@code i} is a NaN or an infinity. */
    static boolean at(RefArray a, int i) {
        return a.dtype().isFloat() && !Double.isFinite(a.getDouble(i));
    }

    /** The elements that are not finite. */
    static BitSet of(RefArray a) {
        BitSet b = new BitSet();
        if (a.dtype().isFloat()) for (int i = 0; i < a.size(); i++) if (at(a, i)) b.set(i);
        return b;
    }

    /**
     * The first node, in the order of the program, that made a NaN or an infinity which reached one of the results; null if there is none.
     *
     * @param results which results count
     */
    public static Finding find(Graph graph, List<RefArray> arguments, BitSet results) {
        NonFinite search = new NonFinite(graph, arguments);
        return search.find(results);
    }

    private Finding find(BitSet results) {
        List<Node> outputs = flat.graph().outputs();
        for (int i = results.nextSetBit(0); i >= 0; i = results.nextSetBit(i + 1)) {
            Node o = outputs.get(i);
            mark(o, 0, of(values.get(o).getFirst()), null);
        }
        for (Node n : flat.graph().nodes().reversed()) if (marks.containsKey(n)) back(n);
        for (Node n : flat.graph().inputs().reversed()) if (marks.containsKey(n)) given(n, marks.get(n)[0]);
        return found == null ? null : finding(results);
    }

    private void back(Node n) {
        BitSet[] bad = marks.get(n);
        List<RefArray> out = values.get(n);
        List<RefArray> in = RefEvaluator.operands(n, values);
        Culprits culprits = Culprits.of(n, in, out, bad);
        for (int k = 0; k < culprits.of().length; k++) {
            if (n.op() instanceof Project) mark(n.input(0), k, culprits.of()[k], n);
            else mark(n.input(k), 0, culprits.of()[k], n);
        }
        if (n.op() instanceof Leaf) {
            given(n, bad[0]);
            return;
        }
        for (int r = 0; r < bad.length; r++) {
            int made = culprits.made()[r].nextSetBit(0);
            int clashed = culprits.clashed()[r].nextSetBit(0);
            // Nodes come latest first: what is earlier takes over.
            if (made >= 0 && !hasItFromOperands(flat.whole(n))) found(Kind.MADE, n, r, made);
            else if (clashed >= 0 && kind != Kind.MADE) found(Kind.CLASHED, n, r, clashed);
        }
    }

    /**
     * Whether a composite is finite once its operands are. Its parts may well make an infinity then, of which that of an operand is the reason: the
     * logarithm of a sum of exponentials subtracts no maximum that is infinite.
     */
    private boolean hasItFromOperands(Flattened.Whole whole) {
        if (whole == null) return false;
        return excused.computeIfAbsent(whole, w -> {
            List<RefArray> in =
                    w.operands.stream().map(x -> values.get(x).getFirst()).toList();
            if (in.stream().allMatch(a -> of(a).isEmpty())) return false;
            List<RefArray> finite = in.stream()
                    .map(a -> of(a).isEmpty() ? a : RefArray.of(a.type(), i -> at(a, i) ? 1 : a.getDouble(i)))
                    .toList();
            return w.op.evaluate(finite).stream().allMatch(a -> of(a).isEmpty());
        });
    }

    /** Leaves are legal sources of infinities. */
    private void given(Node n, BitSet bad) {
        if (found != null && kind != Kind.GIVEN) return;
        RefArray a = values.get(n).getFirst();
        for (int i = bad.nextSetBit(0); i >= 0; i = bad.nextSetBit(i + 1)) {
            if (!Double.isNaN(a.getDouble(i))) continue;
            found(Kind.GIVEN, n, 0, i);
            return;
        }
    }

    private void found(Kind what, Node n, int r, int i) {
        // Of one node, the first result.
        if (found == n && kind == what && result < r) return;
        found = n;
        kind = what;
        result = r;
        element = i;
    }

    private void mark(Node n, int r, BitSet elements, Node reader) {
        if (elements.isEmpty()) return;
        BitSet[] all = marks.computeIfAbsent(n, _ -> {
            BitSet[] none = new BitSet[n.types().size()];
            for (int i = 0; i < none.length; i++) none[i] = new BitSet();
            return none;
        });
        all[r].or(elements);
        // The last to mark it is the first to read it.
        readers.put(n, reader == null ? n : reader);
    }

    private Finding finding(BitSet results) {
        RefArray value = values.get(found).get(result);
        Node end = found;
        while (readers.get(end) != end) end = readers.get(end);
        int output = results.nextSetBit(0);
        while (flat.graph().outputs().get(output) != end) output = results.nextSetBit(output + 1);
        RefArray reached = values.get(end).getFirst();
        int at = of(reached).nextSetBit(0);
        Flattened.Place place = flat.place(found);
        boolean leaf = found.op() instanceof Input;
        List<String> operands =
                leaf ? List.of() : Culprits.describe(found, RefEvaluator.operands(found, values), element);
        return new Finding(
                kind,
                place.node(),
                found.op(),
                value.type(),
                place.steps(),
                element,
                value.getDouble(element),
                operands,
                output,
                at,
                reached.getDouble(at));
    }
}
