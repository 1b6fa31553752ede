// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.fuse.Fusion;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Which entries of the trace each step of a plan computes: {@linkplain Node#origin() origins} of its nodes, each once, producers first. They number places in
 * the canonical form, so they are the same for every trace that is this program, whatever lines it was traced from.
 */
public final class Origins implements CompilerWatch {
    private static final int[] NONE = {};

    private final CompilerWatch next;
    private final Map<Plan.Step, int[]> origins = new IdentityHashMap<>();

    /** @param next also sees what the compiler does */
    public Origins(CompilerWatch next) {
        this.next = next;
    }

    /** What is known of steps by identity. */
    public Map<Plan.Step, int[]> bySteps() {
        return origins;
    }

    @Override
    public void pass(String name, Graph after) {
        next.pass(name, after);
    }

    @Override
    public void fused(Graph graph, Fusion.Result result) {
        next.fused(graph, result);
    }

    @Override
    public void step(Provenance p) {
        int[] own = p.parts().stream()
                .flatMap(part -> part.members().stream())
                .mapToInt(Node::origin)
                .filter(o -> o >= 0)
                .distinct()
                .toArray();
        origins.put(p.step(), own);
        // What a loop's body says nothing of comes from the loop.
        if (p.step() instanceof Plan.Repeat r) fill(r.body(), own);
        next.step(p);
    }

    private void fill(Plan body, int[] outer) {
        for (Plan.Step s : body.steps()) {
            if (s instanceof Plan.Repeat r) fill(r.body(), outer);
            int[] own = origins.getOrDefault(s, NONE);
            if (own.length == 0 && !(s instanceof Plan.Copy)) origins.put(s, outer);
        }
    }
}
