// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** A plan run by the interpreter of loop IR: what the compiler made, without a code generator, every access checked. */
final class InterpretedExecutable implements Executable {
    private final Plan plan;
    private final Session session;

    InterpretedExecutable(Plan plan, Session session) {
        this.plan = plan;
        this.session = session;
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        Args.check(args, plan.argTypes(), plan.scalarArgs(), session.device());
        Args.pin(args);
        try {
            List<Buffer> results = Args.results(plan, args, tags, session.allocator());
            List<RefArray> arrays = new ArrayList<>();
            for (int i = 0; i < args.size(); i++)
                arrays.add(Elements.load(plan.argTypes().get(i), args.get(i)));
            List<RefArray> values = PlanInterpreter.run(plan, arrays);
            for (int i = 0; i < values.size(); i++) Elements.store(values.get(i), results.get(i));
            session.counters().runs.increment();
            session.counters().launches.add(kernels());
            return new Run(results);
        } finally {
            Args.unpin(args);
        }
    }

    @Override
    public int kernels() {
        return (int)
                plan.steps().stream().filter(s -> !(s instanceof Plan.Copy)).count();
    }

    @Override
    public List<Type> argTypes() {
        return plan.argTypes();
    }

    @Override
    public List<Type> resultTypes() {
        return plan.resultTypes();
    }
}
