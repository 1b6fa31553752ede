// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Provenance;
import io.sinter.ir.store.StoredPlan;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.cache.Tuning;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What one compilation shows of itself: watches the compiler, then is written as a folder by {@link DumpFolder}. */
public final class ProgramDump implements CompilerWatch {
    /**
     * What a program was compiled for.
     *
     * @param device as {@code --device} names it
     * @param backend generated, interpreted or reference
     * @param vectorBits width of the JVM's vectors; 0 for scalar code and for other devices
     * @param gpu architecture that PTX is generated for; null if none is
     * @param numerics what is chosen about rounding, which is in the key; on GPUs alone it makes a difference
     */
    public record Target(
            String device, String backend, int vectorBits, io.sinter.codegen.ptx.lang.Target gpu, Numerics numerics) {}

    /**
     * A graph on its way.
     *
     * @param pass who made it
     * @param nanos what the pass took
     */
    record Stage(String pass, Graph graph, long nanos) {}

    /** How the kernels of a graph were chosen. */
    record Fused(Graph graph, Fusion.Result result, long nanos) {}

    private final Graph trace;
    /** Known of the nodes of the trace: what a dump says must not change after. */
    private final Sources sources;

    private final Target target;
    private final List<Stage> stages = new ArrayList<>();
    private final List<Fused> fused = new ArrayList<>();
    private final Map<Plan.Step, Provenance> steps = new IdentityHashMap<>();
    private long mark;
    private long lowerNanos;
    private Plan plan;
    /** Null if no forms were measured. */
    private Tuning tuning;

    private StoredPlan formed;

    /** Of the program {@code trace}. */
    public ProgramDump(Graph trace, Sources sources, Target target) {
        this.trace = trace;
        this.sources = sources.kept(trace);
        this.target = target;
    }

    /** The compiler starts: with the program as it was traced, again if what it made before turned out to be too large. */
    public CompilerWatch begin() {
        stages.clear();
        fused.clear();
        steps.clear();
        stages.add(new Stage("trace", trace, 0));
        mark = System.nanoTime();
        return this;
    }

    /** The compiler has made this plan. */
    public void end(Plan made) {
        lowerNanos = System.nanoTime() - mark;
        plan = made;
    }

    /** Forms of the plan's kernels were chosen by measuring them. */
    public void tuned(StoredPlan withForms, Tuning measured) {
        formed = withForms;
        tuning = measured;
    }

    /** What was measured; null if nothing was. */
    Tuning tuning() {
        return tuning;
    }

    /** The form that was chosen for a launch; an empty text if none was. */
    String form(Plan.Step launch) {
        return formed == null ? "" : formed.form(launch);
    }

    /** No compiler will look at the program any more: it may be that none has, if the graph itself is run. */
    void complete() {
        if (stages.isEmpty()) begin();
    }

    @Override
    public void pass(String name, Graph after) {
        long now = System.nanoTime();
        stages.add(new Stage(name, after, now - mark));
        mark = now;
    }

    @Override
    public void fused(Graph graph, Fusion.Result result) {
        long now = System.nanoTime();
        fused.add(new Fused(graph, result, now - mark));
        mark = now;
    }

    @Override
    public void step(Provenance step) {
        steps.put(step.step(), step);
    }

    /**
     * The kernel that computes a node of the traced program, as its files are named ({@code 03-amax_exp}); null if none is known to.
     *
     * @param op name of the operator that is looked for: the node's own, or one that it was taken apart to
     */
    public String kernelOf(Node node, String op) {
        if (plan == null || node.origin() < 0) return null;
        Model model = new Model(this);
        String found = null;
        for (Model.Step s : model.steps) {
            boolean inLoop = false;
            for (Model.Body b : model.bodies) inLoop |= b.loop().equals(s.loop()) && comesFrom(model, b, node.origin());
            for (Provenance.Part p : provenance(s.step()).parts()) {
                for (Node n : p.members()) {
                    if (n.origin() != node.origin() && !inLoop) continue;
                    if (n.op().name().equals(op)) return s.file();
                    if (found == null) found = s.file();
                }
            }
        }
        return found;
    }

    /** Whether this is the body of a loop with that origin. */
    private static boolean comesFrom(Model model, Model.Body body, int origin) {
        if (body.loop().isEmpty()) return false;
        for (Model.Body b : model.bodies)
            for (Node n : b.graph().nodes()) if (model.ids.get(n).equals(body.loop())) return n.origin() == origin;
        return false;
    }

    /** The text of a graph with origins, and the sources that they stand for. */
    String print(Graph g) {
        return GraphPrinter.print(g, origin -> {
            Sources.Source s = sources.at(origin);
            return "@" + origin + (s == null ? "" : " " + s);
        });
    }

    Graph trace() {
        return trace;
    }

    Sources sources() {
        return sources;
    }

    Target target() {
        return target;
    }

    List<Stage> stages() {
        return stages;
    }

    List<Fused> fused() {
        return fused;
    }

    /** What was compiled; null if the graph itself is run. */
    public Plan plan() {
        return plan;
    }

    /** The kernels of the plan, each by itself. */
    public List<KernelCut> kernels() {
        return KernelCut.all(this);
    }

    /** The graph after each pass, by the pass's name, in order; {@code trace} is the program. */
    public Map<String, Graph> passes() {
        Map<String, Graph> passes = new LinkedHashMap<>();
        for (Stage s : stages) passes.put(s.pass, s.graph);
        return passes;
    }

    long lowerNanos() {
        return lowerNanos;
    }

    /** What a step was made of; null for copies. */
    Provenance provenance(Plan.Step step) {
        return steps.get(step);
    }
}
