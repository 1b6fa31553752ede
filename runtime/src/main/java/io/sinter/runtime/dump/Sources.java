// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import java.util.HashMap;
import java.util.Map;

/**
 * Where a program's nodes come from: the side table that {@link Node#origin} numbers. It is no part of a program's key.
 */
@FunctionalInterface
public interface Sources {
    /** Of a program of which nothing is known. */
    Sources NONE = _ -> null;

    /**
     * @param line the user's line, {@code Model.java:42 (forward)}
     * @param net class of the outermost network in whose call the node was made; empty outside of networks
     * @param module the path of the part of it, as parameters are named: {@code blocks.3.attn.qkv}; empty for the network itself
     */
    record Source(String line, String net, String module) {
        /** Line, then network and path, as dumps print them. */
        @Override
        public String toString() {
            String where = module.isEmpty() ? net : net + ": " + module;
            return where.isEmpty() ? line : line + " in " + where;
        }
    }

    /** The source of an origin; null if it is not known. */
    Source at(int origin);

    /** The source of a node; null if it is not known. */
    default Source of(Node node) {
        return node.origin() < 0 ? null : at(node.origin());
    }

    /** What is known now of a graph's inputs and nodes, for good. */
    default Sources kept(Graph graph) {
        Map<Integer, Source> known = new HashMap<>();
        for (Node n : graph.inputs()) if (of(n) != null) known.put(n.origin(), of(n));
        for (Node n : graph.nodes()) if (of(n) != null) known.put(n.origin(), of(n));
        return known::get;
    }

    /** Name of the operator of whose gradient, in a backward pass, an origin is a part; null if it is of none, or that is not known. */
    default String gradientOf(int origin) {
        return null;
    }

    /** Token of an origin whose source is most likely the one that the program's run before had for it, and would take long to look up. */
    Object AGAIN = new Object();

    /** Something that stands for the source of an origin, and costs less: equal tokens are equal sources, but for {@link #AGAIN}. Null if it is not known. */
    default Object token(int origin) {
        return at(origin);
    }
}
