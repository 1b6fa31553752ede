// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Where the ways from a branch meet: its immediate post-dominator, found on the steps themselves by the iterative algorithm of Cooper,
 * Harvey and Kennedy (2001) on the reversed graph, whose root is the end of threads.
 */
final class PostDominators {
    private final Step[] steps;
    private final int end;
    /** Immediate post-dominators; −1 while unknown. */
    private final int[] dominator;
    /** Number in postorder of the reversed graph; −1 for steps from which no way leads to the end. */
    private final int[] order;

    private PostDominators(Step[] steps) {
        this.steps = steps;
        end = steps.length;
        dominator = new int[end + 1];
        order = new int[end + 1];
    }

    /** Sets {@link ControlSteps.Branch#meet} of all branches. */
    static void set(Step[] steps) {
        boolean any = false;
        for (Step s : steps) any |= s instanceof ControlSteps.Branch b && b.guard >= 0;
        if (any) new PostDominators(steps).run();
    }

    private void run() {
        int[][] before = predecessors();
        int[] postorder = postorder(before);
        Arrays.fill(dominator, -1);
        dominator[end] = end;
        for (boolean changed = true; changed; ) {
            changed = false;
            for (int i = postorder.length - 2; i >= 0; i--) {
                int v = postorder[i];
                int d = -1;
                for (int s : successors(v)) {
                    if (order[s] < 0 || dominator[s] < 0) continue;
                    d = d < 0 ? s : meet(d, s);
                }
                if (d != dominator[v]) {
                    dominator[v] = d;
                    changed = true;
                }
            }
        }
        for (int i = 0; i < end; i++) {
            if (steps[i] instanceof ControlSteps.Branch b && b.guard >= 0) {
                b.meet = dominator[i] == end || dominator[i] < 0 ? -1 : dominator[i];
            }
        }
    }

    private int meet(int a, int b) {
        while (a != b) {
            while (order[a] < order[b]) a = dominator[a];
            while (order[b] < order[a]) b = dominator[b];
        }
        return a;
    }

    private int[] successors(int i) {
        if (i == end) return Step.NONE;
        Step s = steps[i];
        boolean always = s.guard < 0;
        return switch (s) {
            case ControlSteps.Branch b -> always ? new int[] {b.target()} : new int[] {b.target(), i + 1};
            case ControlSteps.Exit _ -> always ? new int[] {end} : new int[] {end, i + 1};
            case ControlSteps.Trap _ -> always ? new int[] {end} : new int[] {end, i + 1};
            default -> new int[] {i + 1};
        };
    }

    private int[][] predecessors() {
        int[] count = new int[end + 1];
        for (int i = 0; i < end; i++) for (int s : successors(i)) count[s]++;
        int[][] before = new int[end + 1][];
        for (int i = 0; i <= end; i++) before[i] = new int[count[i]];
        for (int i = 0; i < end; i++) for (int s : successors(i)) before[s][--count[s]] = i;
        return before;
    }

    /** Steps in postorder of a walk from the end against the flow. */
    private int[] postorder(int[][] before) {
        Arrays.fill(order, -1);
        int[] result = new int[end + 1];
        int[] stack = new int[end + 1];
        int[] next = new int[end + 1];
        BitSet seen = new BitSet();
        int n = 0;
        int depth = 0;
        stack[0] = end;
        seen.set(end);
        while (depth >= 0) {
            int v = stack[depth];
            if (next[v] < before[v].length) {
                int u = before[v][next[v]++];
                if (!seen.get(u)) {
                    seen.set(u);
                    stack[++depth] = u;
                }
            } else {
                order[v] = n;
                result[n++] = v;
                depth--;
            }
        }
        return Arrays.copyOf(result, n);
    }
}
