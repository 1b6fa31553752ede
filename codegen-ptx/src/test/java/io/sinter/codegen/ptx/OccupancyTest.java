// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import org.junit.jupiter.api.Test;

/** How many CTAs of a kernel are to fit a multiprocessor: what waits for memory asks for several. */
class OccupancyTest {
    private static int ctas(Graph g) {
        Plan plan = Compiler.plan(g, Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
        Plan.Launch l = (Plan.Launch) plan.steps().getLast();
        return PtxCodegen.generate(l.kernel(), "kernel", 1).code().limits().minCtas();
    }

    /** A chain over four tensors has as many slots as an optimizer's update, but one result. */
    @Test
    void elementwiseChains() {
        GraphBuilder g = new GraphBuilder();
        Node[] in = new Node[4];
        for (int i = 0; i < in.length; i++) in[i] = g.input(Type.of(DType.F32, 1 << 16));
        Node x = g.unary(Unary.TANH, g.add(g.mul(in[0], in[1]), in[2]));
        assertEquals(3, ctas(g.build(g.mul(x, g.unary(Unary.SIGMOID, in[3])))));
    }
}
