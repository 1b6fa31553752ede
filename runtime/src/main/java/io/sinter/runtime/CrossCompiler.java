// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.PtxRoutine;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.Numerics;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.Routine;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.dump.Sources;
import java.util.HashSet;
import java.util.Set;

/**
 * Compiles the programs of a session for a GPU that is not there, into the portable part of the cache on disk: plans, and the PTX of their kernels in the forms
 * that their launches ask for. All of that is a function of program and architecture, so a session on such a GPU finds it.
 */
final class CrossCompiler {
    /** A kernel in a form. */
    private record Form(String kernel, Schedule schedule) {}

    private final Session session;
    private final Target target;
    private final DiskCache disk;
    private final PtxCode code;

    /** @param disk where to; what it counts is no business of the session's */
    CrossCompiler(Session session, Target target, DiskCache disk) {
        this.session = session;
        this.target = target;
        this.disk = disk;
        code = new PtxCode(target, session.counters().crossGenerated, () -> disk);
    }

    /** What it compiles for. */
    Target target() {
        return target;
    }

    /**
     * Sees to it that a program and its kernels are on disk.
     *
     * @param key what {@link Canonical} says of {@code graph}
     * @return whether the plan was not there yet
     */
    boolean compile(Canonical.Key key, Graph graph, Numerics numerics, Sources sources) {
        boolean[] made = {false};
        StoredPlan plan = Programs.plan(disk, Targets.gpuPlan(key, target, numerics), graph, sources, () -> {
            made[0] = true;
            return Programs.plan(graph, Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES, null);
        });
        // Numbers of launches choose forms; addresses only by how they are aligned, which is known before a run.
        ParameterBlock parameters = new ParameterBlock(plan.plan(), session.hostMemory());
        try {
            kernels(plan, plan.plan(), parameters.program(), numerics, new HashSet<>());
        } finally {
            parameters.release();
        }
        return made[0];
    }

    private void kernels(
            StoredPlan names, Plan plan, ParameterBlock.Section section, Numerics numerics, Set<Form> done) {
        int launches = 0;
        int repeats = 0;
        for (Plan.Step s : plan.steps()) {
            switch (s) {
                case Plan.Launch l -> {
                    for (long block : section.blocks(launches++))
                        kernel(l.kernel(), names.codeName(l.kernel()), block, numerics, done);
                }
                case Plan.Repeat r -> kernels(names, r.body(), section.body(repeats++), numerics, done);
                case Plan.LibraryCall c -> {
                    for (PtxRoutine.Launch l : PtxRoutine.of(
                                    (Routine) c.op(), c.inTypes().getFirst())
                            .launches()) code.load(l.kernel(), text -> text);
                }
                case Plan.Copy _ -> {}
            }
        }
    }

    private void kernel(Kernel kernel, String name, long block, Numerics numerics, Set<Form> done) {
        Schedule schedule = PtxCodegen.schedule(kernel, ParameterBlock.slots(block), target, numerics);
        if (done.add(new Form(name, schedule))) code.load(kernel, name, schedule, made -> made);
    }
}
