// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.lower.Params.BufferKey;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Which computed values are to take over the memory of an argument.
 *
 * @param argumentOf by value
 * @param valueOf by argument
 */
record Donations(Map<BufferKey, BufferKey> argumentOf, Map<BufferKey, BufferKey> valueOf) {
    static Donations of(Graph graph, Function<Node, BufferKey> key) {
        Map<BufferKey, BufferKey> map = new HashMap<>();
        for (int k = 0; k < graph.outputs().size(); k++) {
            int d = graph.donations().get(k);
            if (d < 0) continue;
            BufferKey value = key.apply(graph.outputs().get(k));
            if (!Lowering.isArgument(value))
                map.putIfAbsent(value, new BufferKey(graph.inputs().get(d), 0));
        }
        Map<BufferKey, BufferKey> inverse = new HashMap<>();
        map.forEach((value, argument) -> inverse.put(argument, value));
        return new Donations(map, inverse);
    }
}
