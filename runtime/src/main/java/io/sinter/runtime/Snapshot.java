// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A program's arguments as they were before it ran: of those that it overwrites, copies are kept. Close it. */
final class Snapshot implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Graph graph;
    private final List<? extends Arg> args;
    private final Map<Integer, MemorySegment> copies = new HashMap<>();

    Snapshot(Graph graph, List<? extends Arg> args) {
        this.graph = graph;
        this.args = args;
        for (int donated : graph.donations()) {
            // Arguments that do not fit are the program's to refuse.
            if (donated < 0 || donated >= args.size() || !(args.get(donated) instanceof Buffer b)) continue;
            MemorySegment copy =
                    arena.allocate(Math.max(1, b.bytes()), Long.BYTES).asSlice(0, b.bytes());
            b.read(0, copy);
            copies.put(donated, copy);
        }
    }

    /** The arguments. */
    List<RefArray> arrays() {
        List<RefArray> all = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            Type type = graph.inputs().get(i).type();
            MemorySegment copy = copies.get(i);
            all.add(copy != null ? Elements.load(type, copy.address()) : Elements.load(type, args.get(i)));
        }
        return all;
    }

    /** Gives overwritten arguments back what they held. */
    void restore() {
        copies.forEach((i, copy) -> ((Buffer) args.get(i)).write(0, copy));
    }

    @Override
    public void close() {
        arena.close();
    }
}
