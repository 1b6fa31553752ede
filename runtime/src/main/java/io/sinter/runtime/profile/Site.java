// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Work;
import java.util.function.Supplier;

/** One thing that a program runs, as profiles and the Flight Recorder know it: a kernel, a library's routine, or a copy. */
public final class Site {
    private final ProgramSites program;
    private final int index;
    private final int number;
    private final Supplier<String> namer;
    private final Plan plan;
    private final Plan.Step step;
    private final int[] origins;
    /** Made when first asked for. */
    private String name;
    /** Counted when first asked for. */
    private Work work;

    Site(
            ProgramSites program,
            int index,
            int number,
            Supplier<String> namer,
            Plan plan,
            Plan.Step step,
            int[] origins) {
        this.program = program;
        this.index = index;
        this.number = number;
        this.namer = namer;
        this.plan = plan;
        this.step = step;
        this.origins = origins;
    }

    /** The program that it is part of. */
    public ProgramSites program() {
        return program;
    }

    /** Its place in {@link ProgramSites#all}. */
    int index() {
        return index;
    }

    /** Number of the kernel as dumps count them: launches and library calls in program order; -1 for copies. */
    public int number() {
        return number;
    }

    /** The kernel's name, with its extents where the device tells them. */
    public String name() {
        String known = name;
        if (known == null) name = known = namer.get(); // several threads may do so at once
        return known;
    }

    /** What one run of it has to do. */
    public Work work() {
        Work known = work;
        if (known == null) work = known = Work.of(plan, step); // several threads may do so at once
        return known;
    }

    /** Entries of the trace that it computes; none if they are not known. */
    int[] origins() {
        return origins;
    }

    /** The first of them; -1 if they are not known. */
    public int firstOrigin() {
        return origins.length == 0 ? -1 : origins[0];
    }
}
