// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** What a compiled program runs, in program order, the bodies of loops where their loop stands. Filled while the program is linked. */
public final class ProgramSites {
    private final int number;
    private final StoredPlan stored;
    private final List<Site> all = new ArrayList<>();
    private int kernels;
    private int[] origins;

    /**
     * @param number of the program in its session
     * @param stored the program
     */
    public ProgramSites(int number, StoredPlan stored) {
        this.number = number;
        this.stored = stored;
    }

    /**
     * The next thing that the program runs.
     *
     * @param plan the plan that the step is in: the program's, or that of a loop's body
     * @param name of the kernel, with its extents
     */
    public Site add(Plan plan, Plan.Step step, String name) {
        return add(plan, step, () -> name);
    }

    /** As {@link #add(Plan, Plan.Step, String)}, with a name that takes a while to make: it is asked for when somebody asks for the site's. */
    public Site add(Plan plan, Plan.Step step, Supplier<String> name) {
        int kernel =
                switch (step) {
                    case Plan.Launch _, Plan.LibraryCall _ -> kernels++;
                    case Plan.Copy _ -> -1;
                    case Plan.Repeat _ ->
                        throw new IllegalArgumentException("a loop runs nothing itself, its body does");
                };
        Site site = new Site(this, all.size(), kernel, name, plan, step, stored.origins(step));
        all.add(site);
        return site;
    }

    /** Number of the program in its session: programs count from 1 in the order in which they were made. */
    public int number() {
        return number;
    }

    /** Everything, in program order. */
    public List<Site> all() {
        return all;
    }

    /** All entries of the trace that sites come from, ascending. */
    synchronized int[] origins() {
        if (origins == null)
            origins = all.stream()
                    .flatMapToInt(s -> Arrays.stream(s.origins()))
                    .distinct()
                    .sorted()
                    .toArray();
        return origins;
    }
}
