// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import io.sinter.ir.Graph;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.plan.Plan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A plan with the entries of the trace that its steps come from, and the names under which the code of its kernels is known: a SHA-256 of each kernel's {@linkplain KernelText#structure structure}, in
 * hexadecimal digits. Deriving them takes longer than reading them, so they are stored with the plan. With them stand the forms that were chosen for launches by measuring; what a form is is known to the
 * generator that the plan is for.
 */
public final class StoredPlan {
    private static final int[] UNKNOWN = {};

    private final Plan plan;
    private final Map<Kernel, String> names;
    private final Map<Plan.Step, int[]> origins;
    private final Map<Plan.Step, String> forms;

    StoredPlan(Plan plan, Map<Kernel, String> names, Map<Plan.Step, int[]> origins, Map<Plan.Step, String> forms) {
        this.plan = plan;
        this.names = Collections.synchronizedMap(names);
        this.origins = origins;
        this.forms = forms;
    }

    /** Of a plan just made, of whose steps nothing is known. */
    public static StoredPlan of(Plan plan) {
        return of(plan, new IdentityHashMap<>());
    }

    /**
     * Of a plan just made.
     *
     * @param origins what {@link io.sinter.ir.plan.Origins} has seen of its steps
     */
    public static StoredPlan of(Plan plan, Map<Plan.Step, int[]> origins) {
        return new StoredPlan(plan, new IdentityHashMap<>(), origins, Map.of());
    }

    /**
     * This plan with forms for its launches.
     *
     * @param forms one for each of {@link #launches}; an empty text leaves the form to the generator
     * @throws FormatException if there are more or fewer launches
     */
    public StoredPlan withForms(List<String> forms) {
        List<Plan.Launch> launches = launches(plan);
        if (launches.size() != forms.size())
            throw new FormatException("forms of " + forms.size() + " launches for a plan of " + launches.size());
        Map<Plan.Step, String> map = new IdentityHashMap<>();
        for (int i = 0; i < forms.size(); i++) if (!forms.get(i).isEmpty()) map.put(launches.get(i), forms.get(i));
        return new StoredPlan(plan, names, origins, map);
    }

    /** The form that was chosen for a launch of the plan (by identity); an empty text if it is left to the generator. */
    public String form(Plan.Step launch) {
        return forms.isEmpty() ? "" : forms.getOrDefault(launch, "");
    }

    /** Entries of the trace that a step of the plan (by identity) computes; none if they are not known. Not to be changed. */
    public int[] origins(Plan.Step step) {
        return origins.getOrDefault(step, UNKNOWN);
    }

    /** The name of a kernel's code. */
    public static String name(Kernel kernel) {
        return Sha256.hex(KernelText.structure(kernel).getBytes(StandardCharsets.UTF_8));
    }

    /** The plan; one that was read has an empty {@link Plan#graph}. */
    public Plan plan() {
        return plan;
    }

    /** The name of the code of one of the plan's kernels. */
    public String codeName(Kernel kernel) {
        String name = names.get(kernel);
        if (name == null) {
            name = name(kernel); // several threads may do so at once
            names.put(kernel, name);
        }
        return name;
    }

    /** The kernels of a plan in the order of its launches, those of repeated bodies among them; one that is launched twice occurs twice. */
    public static List<Kernel> kernels(Plan plan) {
        return launches(plan).stream().map(Plan.Launch::kernel).toList();
    }

    /** The launches of a plan in order, those of repeated bodies among them. */
    public static List<Plan.Launch> launches(Plan plan) {
        List<Plan.Launch> out = new ArrayList<>();
        collect(plan, out);
        return out;
    }

    private static void collect(Plan plan, List<Plan.Launch> out) {
        for (Plan.Step s : plan.steps()) {
            switch (s) {
                case Plan.Launch l -> out.add(l);
                case Plan.Repeat r -> collect(r.body(), out);
                case Plan.LibraryCall _, Plan.Copy _ -> {}
            }
        }
    }

    /** What stands for the graph of a plan that was read. */
    static Graph noGraph() {
        return new Graph(List.of(), List.of(), List.of(), List.of());
    }

    /** @throws FormatException if the plan cannot be stored: its code is nested too deep for the format */
    public byte[] toBytes() {
        ByteWriter out = new ByteWriter();
        PlanWriter.write(this, out);
        return out.toBytes();
    }

    /**
     * The names of the code of all kernels of a stored plan (one for each kernel that is stored, so kernels of different names may share one). They stand first, so that the code
     * can be looked for while the plan is still read.
     *
     * @param bytes what {@link #toBytes} wrote
     * @throws FormatException if they do not begin as a plan does
     */
    public static List<String> codeNames(byte[] bytes) {
        return PlanReader.names(new ByteReader(bytes));
    }

    /**
     * Reads and checks what {@link #toBytes} wrote.
     *
     * @throws FormatException if the bytes are no plan, or one whose memory, slots or types do not fit together
     */
    public static StoredPlan read(byte[] bytes) {
        try {
            ByteReader in = new ByteReader(bytes);
            StoredPlan read = PlanReader.read(in);
            in.end();
            PlanCheck.check(read.plan);
            return read;
        } catch (ArithmeticException e) {
            throw new FormatException("a number of the plan is too large", e);
        } catch (IllegalArgumentException e) {
            // Of the constructors and type rules that the plan's parts are given to.
            throw new FormatException(e.getMessage(), e);
        }
    }
}
