// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.lower.Lowering;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import io.sinter.ir.pass.Bodies;
import io.sinter.ir.pass.CommonSubexpressions;
import io.sinter.ir.pass.DeadCode;
import io.sinter.ir.pass.Decompose;
import io.sinter.ir.pass.Degenerate;
import io.sinter.ir.pass.FoldConstants;
import io.sinter.ir.pass.InvariantTransposes;
import io.sinter.ir.pass.Simplify;
import io.sinter.ir.pass.SplitReductions;
import io.sinter.ir.pass.TransposedProducts;
import io.sinter.ir.pass.UnreadPlaces;
import io.sinter.ir.pass.UnreadResults;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.text.RoundTrip;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/** From a graph to a plan: the passes, in order. Their names are their names in a dump. */
public final class Compiler {
    /** A named step from graph to graph. */
    public record Pass(String name, UnaryOperator<Graph> run) {}

    /** The passes before fusion; each is applied to the bodies of loops, too. */
    public static final List<Pass> PASSES = passes(Capabilities.ALL);

    private Compiler() {}

    private static List<Pass> passes(Capabilities capabilities) {
        return List.of(
                new Pass("unread-results", UnreadResults::apply),
                new Pass("unread-places", UnreadPlaces::apply),
                new Pass("simplify", Simplify::apply),
                new Pass("decompose", g -> Decompose.apply(g, capabilities.templates())),
                new Pass("fold-constants", FoldConstants::apply),
                new Pass("simplify-parts", Simplify::apply),
                new Pass("transposed-products", TransposedProducts::apply),
                new Pass("common-subexpressions", CommonSubexpressions::apply),
                new Pass("degenerate", Degenerate::apply),
                new Pass("invariant-transposes", g -> InvariantTransposes.apply(g, capabilities.panels())),
                new Pass("split-reductions", g -> SplitReductions.apply(g, capabilities.largeTasks())),
                new Pass("dead-code", DeadCode::apply));
    }

    /** Composites that there are templates for in loop IR. */
    public static boolean keptWhole(Op op) {
        return switch (op) {
            case Matmul _, Conv _, ConvInputGrad _, ConvWeightGrad _, Attention _, AttentionGrad _ -> true;
            default -> false;
        };
    }

    /** The graph after all passes before fusion; {@code watch} sees it after each. */
    public static Graph optimize(Graph graph, BiConsumer<String, Graph> watch) {
        return optimize(graph, PASSES, watch);
    }

    private static Graph optimize(Graph graph, List<Pass> passes, BiConsumer<String, Graph> watch) {
        RoundTrip.checkIfAsked(graph);
        // In the order that a pass leaves, whatever order it came in: a pass that changes nothing keeps the order, and
        // a plan depends on the program alone.
        Graph g = graph.ordered();
        for (Pass p : passes) {
            Graph before = g;
            g = Bodies.everywhere(g, p.run());
            if (g != before) RoundTrip.checkIfAsked(g);
            watch.accept(p.name(), g);
        }
        return g;
    }

    /** Compiles a graph for a device that runs loop-IR kernels. */
    public static Plan plan(Graph graph) {
        return plan(graph, Fusion.MAX_WEIGHT);
    }

    /** Compiles with kernels of at most {@code maxWeight}: for generators that found their code too large. */
    public static Plan plan(Graph graph, int maxWeight) {
        return plan(graph, maxWeight, Capabilities.ALL);
    }

    /** Compiles for a generator of limited {@code capabilities}. */
    public static Plan plan(Graph graph, int maxWeight, Capabilities capabilities) {
        return plan(graph, maxWeight, capabilities, CompilerWatch.NONE);
    }

    /** As {@link #plan(Graph, int, Capabilities)}; {@code watch} sees every step of the compiler. */
    public static Plan plan(Graph graph, int maxWeight, Capabilities capabilities, CompilerWatch watch) {
        Graph g = optimize(graph, passes(capabilities), watch::pass);
        Fusion.Limits limits = new Fusion.Limits(maxWeight, capabilities.largeTasks(), capabilities.repeats());
        Fusion.Result fused = Fusion.run(g, limits);
        watch.fused(g, fused);
        return Lowering.lower(g, fused.groups(), limits, watch);
    }
}
