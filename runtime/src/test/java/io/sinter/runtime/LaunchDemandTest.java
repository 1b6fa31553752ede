// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.Site;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a launch asks for is the same asked for at once or piece by piece; and it has its name when its program has gone. */
class LaunchDemandTest {
    private static Graph graph(Sample s) {
        GraphBuilder b = new GraphBuilder();
        List<Node> in = new ArrayList<>();
        for (RefArray a : s.inputs()) in.add(b.input(a.type()));
        return b.build(b.emit(s.op(), in).toArray(Node[]::new));
    }

    @Test
    void demandsAreWhatKernelsSayOneByOne() {
        Set<String> kinds = new HashSet<>();
        try (Session session = Session.open(Options.fromProperties().withThreads(1))) {
            CompileContext context = CompileContext.of(session);
            for (Op op : Operators.all()) {
                for (Sample s : op.samples()) {
                    StoredPlan stored =
                            Programs.compile(graph(s), context, Sources.NONE).plan();
                    List<Plan.Launch> launches = StoredPlan.launches(stored.plan());
                    if (launches.isEmpty()
                            || stored.plan().steps().stream().anyMatch(step -> step instanceof Plan.Repeat)) continue;
                    ParameterBlock parameters = new ParameterBlock(stored.plan(), session.hostMemory());
                    List<JvmKernel> kernels = session.jvmKernels().get(stored);
                    for (int i = 0; i < launches.size(); i++) {
                        for (long block : parameters.program().blocks(i)) same(kernels.get(i), block);
                        kinds.add(kernels.get(i).getClass().getSuperclass().getSimpleName());
                    }
                    parameters.release();
                }
            }
        }
        assertEquals(Set.of("JvmKernel", "GemmCode", "AttentionCode"), kinds);
    }

    private static void same(JvmKernel kernel, long block) {
        JvmKernel.Demand demand = kernel.demand(block);
        assertEquals(kernel.phases(), demand.tasks().length, kernel.name());
        for (int p = 0; p < kernel.phases(); p++)
            assertEquals(kernel.tasks(p, block), demand.tasks()[p], kernel.name());
        assertEquals(kernel.scratchBytes(block), demand.scratchBytes(), kernel.name());
        assertEquals(kernel.workspaceBytes(block), demand.workspaceBytes(), kernel.name());
        assertEquals(kernel.preparation(block), demand.preparation(), kernel.name());
    }

    @Test
    void aLaunchHasItsNameWhenItsProgramHasGone() {
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(DType.F32, 5, 70));
        Node y = b.input(Type.of(DType.F32, 70, 33));
        Graph graph = b.build(b.emit(new Matmul(), List.of(x, y)).toArray(Node[]::new));
        Site site;
        try (Session session = Session.open(Options.fromProperties().withThreads(1))) {
            Executable program = Programs.compile(graph, CompileContext.of(session), Sources.NONE)
                    .executable();
            site = program.sites().all().getFirst();
        }
        assertTrue(site.name().startsWith("matmul 5×33×70 "), site.name());
    }
}
