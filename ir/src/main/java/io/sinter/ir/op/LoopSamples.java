// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Samples of {@link Loop}: bodies that exercise what its gradient and its lowering tell apart. */
final class LoopSamples {
    private LoopSamples() {}

    /** A body of one carried number that adds a slice to it. */
    static Loop sum() {
        GraphBuilder b = new GraphBuilder();
        Node c = b.input(Type.scalar(DType.F32));
        Node x = b.input(Type.scalar(DType.F32));
        return new Loop(b.build(b.add(c, x)), 3, 1, 1, Set.of(), false);
    }

    static List<Sample> all() {
        List<Sample> s = new ArrayList<>();
        for (boolean reverse : new boolean[] {false, true}) {
            s.add(recurrent(DType.F64, 4, 2, 3, reverse, Set.of(0)));
            s.add(recurrent(DType.F64, 3, 2, 3, reverse, Set.of()));
            s.add(gated(DType.F64, 3, 2, 3, reverse));
        }
        s.add(factors());
        s.add(counter());
        s.add(exchange());
        s.add(nested());
        s.add(sharedWeight());
        s.add(recurrent(DType.F64, 1, 2, 3, false, Set.of(0)));
        s.add(gated(DType.F32, 5, 8, 20, false));
        s.add(gated(DType.F32, 6, 33, 70, true));
        s.add(recurrent(DType.F16, 3, 4, 5, false, Set.of(0)));
        s.add(recurrent(DType.BF16, 3, 4, 5, true, Set.of()));
        s.add(recurrent(DType.F32, 0, 2, 3, false, Set.of(0)));
        s.add(recurrent(DType.F32, 0, 2, 3, true, Set.of()));
        s.add(recurrent(DType.F32, 3, 0, 4, false, Set.of(0)));
        s.add(sorted());
        s.add(looked());
        return s;
    }

    private static RefArray[] uniform(Loop loop, List<Type> operands) {
        RefArray[] a = new RefArray[operands.size()];
        for (int i = 0; i < a.length; i++) a[i] = Sample.uniform(operands.get(i), -1, 1, 7 + i);
        return a;
    }

    /** The operands that fit a loop, uniform in [-1, 1). */
    private static Sample smooth(Loop loop) {
        List<Type> in = new ArrayList<>();
        for (int i = 0; i < loop.body().inputs().size(); i++) {
            Type t = loop.input(i);
            boolean slice = i >= loop.carried() && i < loop.carried() + loop.sliced();
            in.add(slice ? t.with(t.shape().insert(0, loop.steps())) : t);
        }
        return Sample.smooth(loop, uniform(loop, in));
    }

    private static Loop loop(GraphBuilder b, long steps, int carried, int sliced, Node... outputs) {
        return new Loop(b.build(outputs), steps, carried, sliced, Set.of(), false);
    }

    private static Loop loop(Graph body, long steps, int carried, int sliced, Set<Integer> kept, boolean reverse) {
        return new Loop(body, steps, carried, sliced, kept, reverse);
    }

    /** h ← tanh(x + h · Wᵀ + b); its product with a slice is an output. */
    private static Sample recurrent(DType t, long steps, long n, long width, boolean reverse, Set<Integer> kept) {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(t, n, width));
        Node x = b.input(Type.of(t, n, width));
        Node w = b.input(Type.of(t, width, width));
        Node bias = b.input(Type.of(t, width));
        Node next = b.unary(Unary.TANH, b.add(b.add(x, b.matmul(h, b.transpose(w, 0, 1))), bias));
        return smooth(loop(b.build(next, b.mul(next, x)), steps, 1, 1, kept, reverse));
    }

    /** A cell of long short-term memory; the state of the cell is kept, that of the output is an output. */
    private static Sample gated(DType t, long steps, long n, long width, boolean reverse) {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(t, n, width));
        Node c = b.input(Type.of(t, n, width));
        Node x = b.input(Type.of(t, n, 4 * width));
        Node w = b.input(Type.of(t, width, 4 * width));
        Node gates = b.add(x, b.matmul(h, w));
        Node i = b.unary(Unary.SIGMOID, b.slice(gates, 1, 0, width, 1));
        Node f = b.unary(Unary.SIGMOID, b.slice(gates, 1, width, width, 1));
        Node g = b.unary(Unary.TANH, b.slice(gates, 1, 2 * width, width, 1));
        Node o = b.unary(Unary.SIGMOID, b.slice(gates, 1, 3 * width, width, 1));
        Node cell = b.add(b.mul(f, c), b.mul(i, g));
        Node next = b.mul(o, b.unary(Unary.TANH, cell));
        return smooth(loop(b.build(next, cell, next), steps, 2, 1, Set.of(1), reverse));
    }

    /** h ← w ⊙ h + sum(x · v): invariants that are no factor of a matrix product. */
    private static Sample factors() {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F64, 3));
        Node x = b.input(Type.of(DType.F64, 2, 3));
        Node w = b.input(Type.of(DType.F64, 3));
        Node v = b.input(Type.of(DType.F64, 1, 3));
        return smooth(loop(b, 4, 1, 1, b.add(b.mul(w, h), b.sum(b.mul(x, v), 0))));
    }

    /** No slices: a counter beside a number that depends on it. */
    private static Sample counter() {
        GraphBuilder b = new GraphBuilder();
        Node k = b.input(Type.scalar(DType.I64));
        Node y = b.input(Type.of(DType.F64, 2));
        Node next = b.add(k, b.emit(Constant.ofLong(DType.I64, 1), List.of()).getFirst());
        Node z = b.mul(b.unary(Unary.SIN, y), b.cast(next, DType.F64));
        Loop loop = loop(b, 3, 2, 0, next, z, y, next);
        RefArray[] in = uniform(loop, List.of(Type.scalar(DType.I64), Type.of(DType.F64, 2)));
        return Sample.smooth(loop, in);
    }

    /** Two carried values change places, a third stays as it is. */
    private static Sample exchange() {
        GraphBuilder b = new GraphBuilder();
        Node p = b.input(Type.of(DType.F64, 2, 2));
        Node q = b.input(Type.of(DType.F64, 2, 2));
        Node r = b.input(Type.of(DType.F64, 2));
        Node x = b.input(Type.of(DType.F64, 2, 2));
        return smooth(loop(b.build(q, b.mul(p, b.add(x, r)), r, r), 3, 3, 1, Set.of(0, 2), false));
    }

    /** A loop within a loop. */
    private static Sample nested() {
        GraphBuilder in = new GraphBuilder();
        Node h = in.input(Type.of(DType.F64, 2));
        Node x = in.input(Type.of(DType.F64, 2));
        Node w = in.input(Type.of(DType.F64, 2));
        Loop inner = loop(in, 2, 1, 1, in.unary(Unary.TANH, in.add(in.mul(h, w), x)));
        GraphBuilder b = new GraphBuilder();
        Node c = b.input(Type.of(DType.F64, 2));
        Node rows = b.input(Type.of(DType.F64, 2, 2));
        Node v = b.input(Type.of(DType.F64, 2));
        return smooth(loop(b, 3, 1, 1, b.apply(inner, c, rows, v)));
    }

    /** One weight in two products with a batch axis, transposed in one of them. */
    private static Sample sharedWeight() {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F64, 2, 2, 3));
        Node x = b.input(Type.of(DType.F64, 2, 3, 2));
        Node w = b.input(Type.of(DType.F64, 2, 3, 3));
        Node p = b.matmul(h, w);
        Node q = b.matmul(b.transpose(w, 1, 2), x);
        return smooth(loop(b, 3, 1, 1, b.unary(Unary.TANH, b.add(p, b.transpose(q, 1, 2)))));
    }

    /** A library routine within a loop. */
    private static Sample sorted() {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, 7));
        Node x = b.input(Type.of(DType.F32, 7));
        List<Node> s = b.emit(new Sort(0, false), List.of(b.add(b.flip(h, 0), x)));
        Loop loop = loop(b.build(s.get(0), s.get(1)), 4, 1, 1, Set.of(0), false);
        return Sample.values(loop, uniform(loop, List.of(Type.of(DType.F32, 7), Type.of(DType.F32, 4, 7))));
    }

    /** Every step looks something up. */
    private static Sample looked() {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, 2));
        Node i = b.input(Type.of(DType.I64, 2));
        Node table = b.input(Type.of(DType.F32, 5));
        Loop loop = loop(b, 3, 1, 1, b.add(h, b.apply(new Take(0), table, i)));
        RefArray index = RefArray.ofLongs(DType.I64, Shape.of(3, 2), 0, 4, -5, 1, 3, 2);
        return Sample.values(
                loop,
                Sample.uniform(Type.of(DType.F32, 2), -1, 1, 1),
                index,
                Sample.uniform(Type.of(DType.F32, 5), -1, 1, 2));
    }
}
