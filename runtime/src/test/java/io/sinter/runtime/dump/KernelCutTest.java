// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Capabilities;
import io.sinter.ir.Compiler;
import io.sinter.ir.Graph;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.text.GraphParser;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelCutTest {
    private static List<String> loops(Graph graph, int weight) {
        return Compiler.plan(graph, weight, Capabilities.ALL).steps().stream()
                .map(s -> KernelText.print(((Plan.Launch) s).kernel()))
                .toList();
    }

    /** A program whose code was too large, and was made of smaller kernels therefore, is found again, whatever their size. */
    @Test
    void kernelsOfEveryWeightAreFound() {
        StringBuilder text = new StringBuilder("%0: f32[8] = input\n");
        for (int i = 1; i <= 60; i++)
            text.append("%" + i + ": f32[8] = " + (i % 2 == 0 ? "tanh" : "exp") + "(%" + (i - 1) + ")\n");
        Graph graph = GraphParser.parse(text + "return %60\n");
        int last = 0;
        for (int weight = Fusion.MAX_WEIGHT; weight > 0; weight = Fusion.less(weight)) {
            List<String> loops = loops(graph, weight);
            assertTrue(loops.size() > last, "weight " + weight + ": " + loops.size() + " kernels");
            last = loops.size();
            KernelCut cut = KernelCut.of(graph, Capabilities.ALL, loops, last - 1);
            assertTrue(loops.getLast().startsWith(cut.name().substring(3) + ":"), cut.name());
            assertEquals(1, cut.plan().steps().size());
        }
        List<String> other = loops(GraphParser.parse("%0: f32[8] = input\n%1: f32[8] = neg(%0)\nreturn %1\n"), 220);
        assertThrows(IllegalArgumentException.class, () -> KernelCut.of(graph, Capabilities.ALL, other, 0));
    }
}
