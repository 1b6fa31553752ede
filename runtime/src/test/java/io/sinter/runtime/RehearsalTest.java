// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.PracticeKernels;
import io.sinter.codegen.jvm.PracticeKernels.Practice;
import io.sinter.ir.Graph;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheOptions;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {
    @TempDir
    Path folder;

    /** In earnest it is done on a thread of its own, where nobody waits for what it throws. */
    @Test
    void succeeds() {
        try (Session session = Session.open(Options.fromProperties().withCache(CacheOptions.NONE.withFolder(folder)))) {
            Counters counters = new Counters();
            JvmCode code = new JvmCode(io.sinter.codegen.jvm.Options.preferred(), counters, () -> session.disk()
                    .uncounted());
            Rehearsal rehearsal = new Rehearsal(session, code, code);
            Kernel kernel = new LoopKernel("nothing", List.of(), List.of(), 1, 0, List.of());
            assertEquals(kernel.name(), rehearsal.begin(kernel).name());
            rehearsal.run();
            assertEquals(1, counters.kernelsGenerated(), "all others are looked up");
            assertEquals(0, session.counters().programsLoaded());
        }
    }

    @Test
    void allThatAPlanCanHoldIsPractised() throws ReflectiveOperationException {
        List<Practice> all = new ArrayList<>(PracticeKernels.loops(2));
        all.addAll(PracticeKernels.templates());
        Set<Class<?>> seen = new HashSet<>();
        collect(StoredPlan.read(StoredPlan.of(Rehearsal.plan(all)).toBytes()).plan(), seen);
        for (Class<?> sealed : List.of(
                Kernel.class,
                Stmt.class,
                Expr.class,
                Index.Atom.class,
                Coef.class,
                Plan.Step.class,
                Plan.Place.class,
                Plan.SlotValue.class)) {
            for (Class<?> form : sealed.getPermittedSubclasses()) assertTrue(seen.contains(form), form.getName());
        }
    }

    private static void collect(Object o, Set<Class<?>> seen) throws ReflectiveOperationException {
        switch (o) {
            case null -> {}
            case Graph _ -> {}
            case List<?> list -> {
                for (Object part : list) collect(part, seen);
            }
            case Var v -> collect(v.extent(), seen);
            case Record r -> {
                seen.add(r.getClass());
                for (RecordComponent c : r.getClass().getRecordComponents())
                    collect(c.getAccessor().invoke(r), seen);
            }
            default -> {}
        }
    }
}
