// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The tape that a function given to {@link Sinter#compile} has left behind its results: from them to its arguments and to leaves.
 *
 * @param outputs numbers of the results that are still to be differentiated
 * @param ends where the tape leaves the function: leaves, and histories of arguments
 * @param inputs for each end the argument whose history it is; -1 for a leaf
 * @param saved values that gradient rules will ask for
 */
record CompiledTape(List<Integer> outputs, List<Engine.Edge> ends, List<Integer> inputs, List<Value> saved) {
    /**
     * The tape of a function, or null if it cannot be gone through by a program: code of the user's is on it (a custom function, a checkpoint, a hook), it
     * leads to tensors outside that have a history of their own, part of it has been consumed, what it saved has been changed in place (whoever goes backward is told
     * so by the tape), a result is a view of an argument, or a tensor from outside has got a history by an in-place operation.
     *
     * @param start the tape's sequence number when the function began
     */
    static CompiledTape of(Recording recording, Tensor[] inputs, Tensor[] out, long start) {
        if (recording.historyEscapes) return null;
        CompiledTape tape =
                new CompiledTape(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        Set<TapeNode> seen = new HashSet<>();
        Set<Engine.Edge> ends = new LinkedHashSet<>();
        ArrayDeque<TapeNode> queue = new ArrayDeque<>();
        for (int i = 0; i < out.length; i++) {
            Tensor x = out[i];
            if (!x.requiresGrad() || x.edge().isSpent() || Arrays.asList(inputs).contains(x)) continue;
            TapeNode n = x.edge();
            // What was there before keeps the history that it has.
            if (isOutside(n, start)) {
                if (x.value().recorded == recording) return null;
                continue;
            }
            tape.outputs.add(i);
            if (seen.add(n)) queue.add(n);
        }
        while (!queue.isEmpty()) {
            TapeNode n = queue.poll();
            if (!(n instanceof OpNode op) || n.isSpent() || n.hasHooks() || !op.isIntact()) return null;
            op.addSaved(tape.saved);
            for (int i = 0; i < n.next.length; i++) {
                TapeNode m = n.next[i];
                if (m == null) continue;
                if (isOutside(m, start)) ends.add(new Engine.Edge(m, n.nextResult[i]));
                else if (seen.add(m)) queue.add(m);
            }
        }
        for (Engine.Edge e : ends) {
            int input = input(inputs, e);
            boolean leaf = e.node() instanceof AccumulateNode a && a.leaf.value().recorded != recording;
            if (input < 0 && !leaf) return null;
            tape.ends.add(e);
            tape.inputs.add(input);
        }
        return tape;
    }

    /** For each end, which of the outputs lead to it. */
    List<BitSet> reached(Tensor[] out, long start) {
        List<BitSet> reached = new ArrayList<>();
        for (int i = 0; i < ends.size(); i++) reached.add(new BitSet());
        for (int k = 0; k < outputs.size(); k++) {
            Set<TapeNode> seen = new HashSet<>();
            ArrayDeque<TapeNode> queue = new ArrayDeque<>(List.of(out[outputs.get(k)].edge()));
            while (!queue.isEmpty()) {
                TapeNode n = queue.poll();
                for (int i = 0; i < n.next.length; i++) {
                    TapeNode m = n.next[i];
                    if (m == null) continue;
                    if (isOutside(m, start))
                        reached.get(ends.indexOf(new Engine.Edge(m, n.nextResult[i])))
                                .set(k);
                    else if (seen.add(m)) queue.add(m);
                }
            }
        }
        return reached;
    }

    private static boolean isOutside(TapeNode n, long start) {
        return n instanceof AccumulateNode || n.sequence <= start;
    }

    private static int input(Tensor[] inputs, Engine.Edge e) {
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i].requiresGrad() && inputs[i].edge() == e.node() && inputs[i].resultNumber() == e.result())
                return i;
        }
        return -1;
    }
}
