// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/** In which part of which network a trace is: kept only while modules are tracked, since networks are asked for the names of their parts. */
final class ModulePath {
    private final String net;
    /** Paths of all parts of the outermost network, by identity. */
    private final Map<?, String> names;

    private final Deque<String> path = new ArrayDeque<>();

    /**
     * An outermost call begins.
     *
     * @param parts of the network {@code outermost}, itself among them under the empty name
     */
    ModulePath(Object outermost, Map<?, String> parts) {
        net = outermost.getClass().getSimpleName();
        names = parts;
    }

    /** A call of {@code called} begins: one that the network does not hold counts as part of its caller. */
    void enter(Object called) {
        String name = names.get(called);
        String outer = path.isEmpty() ? "" : path.peek();
        path.push(
                name != null
                        ? name
                        : (outer.isEmpty() ? "" : outer + ".")
                                + called.getClass().getSimpleName());
    }

    /** The innermost call ends. */
    void leave() {
        path.pop();
    }

    /** Whether a line is in the part that is being called; of a null path, whether it is in no network. */
    static boolean isOf(ModulePath here, SourceLine line) {
        if (here == null || here.path.isEmpty()) return line.net().isEmpty();
        return here.path.peek().equals(line.module()) && here.net.equals(line.net());
    }

    /** The line, with the part that it is in. */
    SourceLine of(SourceLine line) {
        return path.isEmpty() ? line : line.in(net, path.peek());
    }
}
