// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Iota;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Decides what several kernels compute each for itself, rather than one storing it for all. */
public final class Repeats {
    /** Multiplications that any kernel may repeat for each of its elements. */
    private static final int LITTLE = 2;

    private final int most;
    private final Map<Node, List<Node>> users;
    private final Set<Node> outputs;

    /**
     * @param most cost of an element, as in {@link io.sinter.ir.Capabilities#repeats}
     * @param users of all nodes
     * @param outputs what the program stores in any case
     */
    Repeats(int most, Map<Node, List<Node>> users, Set<Node> outputs) {
        this.most = most;
        this.users = users;
        this.outputs = outputs;
    }

    /** Computing it in each reader moves no more bytes than storing it: little arithmetic on at most one full-sized operand. */
    boolean isCheap(Node n) {
        if (isCheapAlone(n)) return true;
        if (Cost.of(n.op()) > most || n.op() instanceof Take || n.op() instanceof Gather || n.op() instanceof Concat)
            return false;
        Set<Node> large = largeOperands(n, n); // a square has one
        // Where memory is near, the rest is not worth a kernel's depending on more of the shapes.
        if (most <= LITTLE) return large.size() <= 1;
        if (large.size() > 1) return hasOneOrigin(n, large);
        return large.isEmpty() || !isForThisAlone(n, large.iterator().next());
    }

    /** A single element that costs less than a launch and a load, however often it is computed. */
    private static boolean isCheapAlone(Node n) {
        return n.type().numel() == 1 && Cost.of(n.op()) <= 4 || isHostScalar(n);
    }

    /** Whether an operand (a product that gets a bias) is computed for one node alone, and would have to be stored in its place. */
    private boolean isForThisAlone(Node n, Node operand) {
        Node s = operand;
        while (s.op() instanceof Reshape && users.get(s).size() == 1) s = s.input(0);
        return Fusion.isValue(s)
                && !Fusion.isPointwise(s.op())
                && users.get(s).size() == 1
                && !outputs.contains(s)
                && n.type().bytes() <= s.type().bytes();
    }

    /** Whether a kernel would compute an element that is more than a little arithmetic for each of many others: a row's for all of its elements. */
    static boolean isMuch(Node n, Group g) {
        if (Cost.of(n.op()) <= LITTLE || isCheapAlone(n)) return false;
        long elements = 1;
        for (Var v : g.vars()) elements *= v.extent().lit();
        return elements > 2 * n.type().numel();
    }

    /** Operands of {@code m} that are not small beside {@code n}. */
    private static Set<Node> largeOperands(Node n, Node m) {
        Set<Node> large = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node in : m.inputs()) {
            Node s = in;
            while (s.op() instanceof View) s = s.input(0);
            if (s.type().numel() * 8 > n.type().numel() && !(s.op() instanceof Iota)) large.add(in);
        }
        return large;
    }

    /** Whether all operands are computed from one, element by element, and that is little arithmetic, too: a polynomial. */
    private boolean hasOneOrigin(Node n, Set<Node> operands) {
        int cost = Cost.of(n.op());
        Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Node> origins = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Node> left = new ArrayList<>(operands);
        while (!left.isEmpty()) {
            Node m = left.removeLast();
            if (!seen.add(m)) continue;
            if (m.op() instanceof Elementwise && (cost += Cost.of(m.op())) <= most) left.addAll(largeOperands(n, m));
            else origins.add(m);
        }
        return origins.size() == 1;
    }

    /** One element computed from scalar arguments and constants (a learning rate, a bias correction): uniform code, once per task. */
    public static boolean isHostScalar(Node n) {
        return isHostScalar(n, 16);
    }

    private static boolean isHostScalar(Node n, int steps) {
        if (n.types().size() != 1 || n.type().numel() != 1 || steps == 0) return false;
        if (n.op() instanceof Constant || (n.op() instanceof Input in && in.scalar())) return true;
        if (!(n.op() instanceof Elementwise || n.op() instanceof View)) return false;
        for (Node in : n.inputs()) if (!isHostScalar(in, steps - 1)) return false;
        return true;
    }
}
