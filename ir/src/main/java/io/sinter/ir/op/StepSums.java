// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Sums over the steps of a loop, taken after the loop where that is less work: gradients of invariants. With Σ over all steps,
 *
 * <pre>
 * Σ (p + q)   => Σ p + Σ q
 * Σ view(p)   => view(Σ p)                  views are linear
 * Σ a · b     => [a₀ a₁ …] · [b₀; b₁; …]    one product, its inner axis over the steps too
 * Σ sum(p)    => sum of p over its axes and the steps, where p at all steps is at hand
 * Σ p         => a carried value of the loop that p is added to, for all else
 * </pre>
 *
 * What a factor was at all steps is an operand's slice, a history, a kept value, or becomes an output of a step; views are taken of all steps at
 * once.
 */
final class StepSums {
    /** A sum over the steps. */
    sealed interface Sum {}

    private record Both(Sum a, Sum b) implements Sum {}

    private record Through(View view, Sum of) implements Sum {}

    private record Product(Sequence a, Sequence b) implements Sum {}

    private record Reduced(int[] axes, Sequence of) implements Sum {}

    private record Accumulated(Node step) implements Sum {}

    /** What a value was at all steps: that of {@code base}, a source or an output of the step, through views. */
    private record Sequence(Node base, LoopGradient.Source source, List<Node> views) {}

    private final Function<Node, LoopGradient.Source> sources;
    private final List<Node> outputs = new ArrayList<>();
    private final List<Node> accumulated = new ArrayList<>();
    private final List<LoopGradient.Source> read = new ArrayList<>();

    /** @param sources where a value of all steps is to be had already, or null */
    StepSums(Function<Node, LoopGradient.Source> sources) {
        this.sources = sources;
    }

    /** Outputs of the step, each once. */
    List<Node> outputs() {
        return outputs;
    }

    /** Makes a value an output of the step. */
    void addOutput(Node n) {
        if (!outputs.contains(n)) outputs.add(n);
    }

    /** Values that are added up step by step. */
    List<Node> accumulated() {
        return accumulated;
    }

    /** Sources that are read after the loop. */
    List<LoopGradient.Source> read() {
        return read;
    }

    /** The type in which values are added up: sums of f16 and bf16 are kept in f32. */
    static Type accumulator(Type step) {
        return Composite.statistics(step);
    }

    /** Finds the products in a sum, whose factors will be at hand at all steps. To be called for all sums before {@link #of}. */
    void factors(Node step) {
        switch (step.op()) {
            case Binary b when b == Binary.ADD -> step.inputs().forEach(this::factors);
            case View v when isLinear(v) -> factors(step.input(0));
            case Matmul _ -> {
                for (Node in : step.inputs()) {
                    Node base = base(in);
                    if (sources.apply(base) == null && !(base.op() instanceof Leaf)) addOutput(base);
                }
            }
            default -> {} // no sum that can be taken later
        }
    }

    /** The sum of a value over all steps. */
    Sum of(Node step) {
        return switch (step.op()) {
            case Binary b when b == Binary.ADD -> new Both(of(step.input(0)), of(step.input(1)));
            case View v when isLinear(v) -> new Through(v, of(step.input(0)));
            case Matmul _ -> {
                Sequence a = sequence(step.input(0));
                Sequence b = sequence(step.input(1));
                yield a == null || b == null ? accumulate(step) : new Product(a, b);
            }
            case Reduce r
            when r.kind() == Reduce.Kind.SUM -> {
                Sequence x = sequence(step.input(0));
                yield x == null ? accumulate(step) : new Reduced(r.axes(), x);
            }
            default -> accumulate(step);
        };
    }

    private Sum accumulate(Node step) {
        if (!accumulated.contains(step)) accumulated.add(step);
        return new Accumulated(step);
    }

    private static boolean isLinear(View v) {
        return !(v instanceof Slice s && s.live());
    }

    /** Under views, which can be taken of all steps at once. */
    private Node base(Node n) {
        while (n.op() instanceof View v && isLinear(v) && !outputs.contains(n)) n = n.input(0);
        return n;
    }

    private Sequence sequence(Node n) {
        Node base = base(n);
        List<Node> views = new ArrayList<>();
        for (Node v = n; v != base; v = v.input(0)) views.addFirst(v);
        LoopGradient.Source s = sources.apply(base);
        if (s == null && !outputs.contains(base)) return null;
        if (s != null) read.add(s);
        return new Sequence(base, s, views);
    }

    /** Emits the sums, when the loop has run. */
    record Outside<V>(
            Emitter<V> e,
            long steps,
            LoopGradient.Sequences<V> sources,
            Function<Node, V> outputs,
            Function<Node, V> accumulated) {

        V value(Sum sum) {
            return switch (sum) {
                case Both b -> e.add(value(b.a), value(b.b));
                case Through t -> e.apply(t.view, value(t.of));
                case Accumulated a -> accumulated.apply(a.step);
                case Reduced r -> {
                    int[] axes = new int[r.axes.length + 1];
                    for (int i = 1; i < axes.length; i++) axes[i] = r.axes[i - 1] + 1;
                    yield e.sum(all(r.of), axes);
                }
                case Product p -> {
                    // [steps, …, M, K] => […, M, steps · K], and [steps, …, K, N] => […, steps · K, N]
                    V a = all(p.a);
                    V b = all(p.b);
                    int r = e.type(a).rank() - 1;
                    yield e.matmul(merged(a, r), merged(b, r - 1));
                }
            };
        }

        /** The axis of the steps, the first, moves in front of axis {@code axis} and becomes one with it. */
        private V merged(V x, int axis) {
            Shape s = e.type(x).shape();
            int[] perm = new int[s.rank()];
            int n = 0;
            for (int i = 1; i < s.rank(); i++) {
                if (i == axis) perm[n++] = 0;
                perm[n++] = i;
            }
            long[] to = new long[s.rank() - 1];
            for (int i = 0; i < to.length; i++) to[i] = s.dim(i + 1) * (i + 1 == axis ? steps : 1);
            return e.reshape(e.permute(x, perm), Shape.of(to));
        }

        private V all(Sequence s) {
            V x = s.source != null ? sources.of(s.source) : outputs.apply(s.base);
            for (Node view : s.views)
                x = e.apply(ofAll((View) view.op(), view.input(0).type().rank()), x);
            return x;
        }

        /** The view of every step's value, of rank {@code rank}, at once. */
        private Op ofAll(View view, int rank) {
            return switch (view) {
                case Reshape r -> new Reshape(r.to().insert(0, steps));
                case Expand x -> new Expand(x.to().insert(0, steps));
                case Permute p -> {
                    int[] perm = new int[rank + 1];
                    for (int i = 0; i < rank; i++) perm[i + 1] = p.perm()[i] + 1;
                    yield new Permute(perm);
                }
                case Slice s -> new Slice(s.axis() + 1, s.start(), s.size(), s.step(), false);
                case Window w -> new Window(w.axis() + 1, w.size(), w.step());
                case Pad p -> {
                    long[] low = new long[rank + 1];
                    long[] high = new long[rank + 1];
                    System.arraycopy(p.low(), 0, low, 1, rank);
                    System.arraycopy(p.high(), 0, high, 1, rank);
                    yield new Pad(low, high);
                }
            };
        }
    }
}
