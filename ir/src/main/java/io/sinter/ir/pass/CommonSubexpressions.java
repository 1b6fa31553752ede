// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.OpText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Computes equal things once: nodes with one operator, one set of attributes and the same operands
 * become the first of them. Every operator is a pure function (random bits too: of key and offset),
 * so this needs no exceptions. Operands of commutative operators are compared in any order.
 */
public final class CommonSubexpressions {
    private static final Set<Op> COMMUTATIVE = Set.of(
            Binary.ADD, Binary.MUL, Binary.MAX, Binary.MIN, Binary.AND, Binary.OR, Binary.XOR, Binary.EQ, Binary.NE);

    /** Operator, attributes, operands by number. */
    private record Key(String op, List<Integer> operands) {}

    private CommonSubexpressions() {}

    public static Graph apply(Graph graph) {
        Rewriting rewriting = new Rewriting(graph);
        Map<Node, Integer> numbers = new IdentityHashMap<>();
        Map<Key, Node> first = new HashMap<>();
        Map<Op, String> texts = new HashMap<>(); // an operator that is a value is printed once
        for (Node n : graph.inputs()) numbers.put(n, numbers.size());
        for (Node n : graph.nodes()) {
            Node now = rewriting.updated(n);
            List<Integer> operands = new ArrayList<>();
            for (Node in : now.inputs()) operands.add(numbers.get(in));
            if (COMMUTATIVE.contains(now.op())) operands.sort(null);
            Node same = first.putIfAbsent(new Key(texts.computeIfAbsent(now.op(), OpText::format), operands), now);
            if (same == null) numbers.put(now, numbers.size());
            rewriting.replace(n, same == null ? now : same);
        }
        return rewriting.finish();
    }
}
