// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where an operator reads its operands: the position in operand {@code k} that the element at a given position of the result needs. Fusion asks to
 * see which reads coincide, lowering to write the loads.
 */
public final class Operands {
    /** Gives data-dependent positions and reduction variables a face. */
    public interface Context {
        /** The (checked) index that {@code node}'s operand {@code k} holds at {@code at}, in {@code [0, bound)}. */
        Index data(Node node, int k, List<Index> at, long bound);

        /** The loop variables of a reduction's axes, in ascending order of the axes. */
        List<Var> reduced(Node reduce);
    }

    private Operands() {}

    /** The position in operand {@code k} of {@code node} for the element at {@code at} of its result. */
    public static List<Index> index(Node node, int k, List<Index> at, Context context) {
        return switch (node.op()) {
            case Elementwise _, CheckIndex _ -> at;
            case View v -> k == 0 ? through(v, node, at, context) : List.of();
            case RandomBits _ -> List.of(); // key and offset are numbers
            case Take t -> {
                int rank = node.input(1).shape().rank();
                if (k == 1) yield at.subList(t.axis(), t.axis() + rank);
                List<Index> r = new ArrayList<>(at.subList(0, t.axis()));
                r.add(context.data(
                        node,
                        1,
                        at.subList(t.axis(), t.axis() + rank),
                        node.input(0).shape().dim(t.axis())));
                r.addAll(at.subList(t.axis() + rank, at.size()));
                yield r;
            }
            case Gather g -> {
                if (k == 1) yield at;
                List<Index> r = new ArrayList<>(at);
                r.set(g.axis(), context.data(node, 1, at, node.input(0).shape().dim(g.axis())));
                yield r;
            }
            case Concat c -> {
                long start = 0;
                for (int i = 0; i < k; i++) start += node.input(i).shape().dim(c.axis());
                List<Index> r = new ArrayList<>(at);
                r.set(c.axis(), IndexMath.add(at.get(c.axis()), -start));
                yield r;
            }
            case Reduce d -> {
                List<Var> inner = context.reduced(node);
                int[] axes = d.axes().clone();
                Arrays.sort(axes);
                List<Index> r = new ArrayList<>();
                int o = 0;
                for (int x = 0; x < node.input(0).shape().rank(); x++) {
                    int i = Arrays.binarySearch(axes, x);
                    r.add(i >= 0 ? IndexMath.var(inner.get(i)) : at.get(o++));
                }
                yield r;
            }
            case BlockReduce _ -> {
                List<Index> r = new ArrayList<>();
                for (Var v : context.reduced(node)) r.add(IndexMath.var(v));
                r.addAll(at.subList(1, at.size()));
                yield r;
            }
            default -> throw new IllegalStateException(node.op().name() + " is not read element by element");
        };
    }

    /** The position below a view. For a {@link Pad} it is meaningful inside the operand only. */
    static List<Index> through(View view, Node node, List<Index> at, Context context) {
        Shape in = node.input(0).shape();
        return switch (view) {
            case Reshape _ -> reshape(at, node.shape(), in);
            case Permute p -> {
                Index[] r = new Index[at.size()];
                for (int i = 0; i < r.length; i++) r[p.perm()[i]] = at.get(i);
                yield Arrays.asList(r);
            }
            case Expand _ -> {
                List<Index> r = new ArrayList<>(at);
                for (int i = 0; i < r.size(); i++) if (in.dim(i) == 1) r.set(i, Index.ZERO);
                yield r;
            }
            case Slice s -> {
                List<Index> r = new ArrayList<>(at);
                Index i = IndexMath.add(IndexMath.mul(at.get(s.axis()), s.step()), s.start());
                if (s.live()) i = IndexMath.add(i, context.data(node, 1, List.of(), in.dim(s.axis())));
                r.set(s.axis(), i);
                yield r;
            }
            case Window w -> {
                List<Index> r = new ArrayList<>(at.subList(0, at.size() - 1));
                r.set(w.axis(), IndexMath.add(IndexMath.mul(at.get(w.axis()), w.step()), at.getLast()));
                yield r;
            }
            case Pad p -> {
                List<Index> r = new ArrayList<>(at);
                for (int i = 0; i < r.size(); i++) r.set(i, IndexMath.add(at.get(i), -p.low()[i]));
                yield r;
            }
        };
    }

    /** Splits both shapes into the shortest runs of axes with equal products and converts each run by itself. */
    private static List<Index> reshape(List<Index> at, Shape out, Shape in) {
        List<Index> r = new ArrayList<>();
        int o = 0;
        int i = 0;
        while (i < in.rank() || o < out.rank()) {
            int o0 = o;
            int i0 = i;
            long po = 1;
            long pi = 1;
            if (o < out.rank()) po = out.dim(o++);
            if (i < in.rank()) pi = in.dim(i++);
            while (po != pi) {
                if (po < pi && o < out.rank()) po *= out.dim(o++);
                else if (i < in.rank()) pi *= in.dim(i++);
                else po *= out.dim(o++);
            }
            // Axes of extent 1 at the end belong to no run of their own.
            while (o < out.rank() && out.dim(o) == 1) o++;
            while (i < in.rank() && in.dim(i) == 1) i++;
            long[] od = Arrays.copyOfRange(out.toArray(), o0, o);
            long[] id = Arrays.copyOfRange(in.toArray(), i0, i);
            if (Arrays.equals(od, id)) r.addAll(at.subList(o0, o));
            else r.addAll(IndexMath.unflatten(IndexMath.linear(at.subList(o0, o), od), id));
        }
        return r;
    }
}
