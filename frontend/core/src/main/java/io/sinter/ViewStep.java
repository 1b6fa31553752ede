// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Window;
import java.util.ArrayList;
import java.util.List;

/**
 * The last step of the way from a storage's base to a view of it; {@code parent} is the rest of the way, null
 * at the base.
 *
 * @param live the live start of a slice, or null
 */
record ViewStep(ViewStep parent, View op, Tensor live) {

    /** This view of {@code base}. */
    Tensor apply(Tensor base) {
        Tensor p = parent == null ? base : parent.apply(base);
        return step(p);
    }

    private Tensor step(Tensor p) {
        return live == null ? Dispatch.emit(op, p) : Dispatch.emit(op, p, live);
    }

    /** The base with {@code v} written through this view: the inverse of {@link #apply}. */
    Tensor write(Tensor base, Tensor v) {
        Tensor p = parent == null ? base : parent.apply(base);
        Tensor w = invert(p, v);
        return parent == null ? w : parent.write(base, w);
    }

    /** {@code p} with {@code v} in place of this step of it. */
    private Tensor invert(Tensor p, Tensor v) {
        Emitter<Tensor> e = Dispatch.EMITTER;
        Shape shape = p.type().shape();
        return switch (op) {
            case Reshape _ -> e.reshape(v, shape);
            case Permute q -> {
                int[] perm = q.perm();
                int[] inverse = new int[perm.length];
                for (int i = 0; i < perm.length; i++) inverse[perm[i]] = i;
                yield e.permute(v, inverse);
            }
            case Slice s -> invert(e, s, p, v);
            case Expand _ ->
                throw Errors.state("in-place write to an expanded tensor " + v.type()
                        + ": several of its elements are one place in memory; clone() it first");
            case Window _ ->
                throw Errors.state("in-place write to a tensor of windows (unfold) " + v.type()
                        + ": windows may overlap; clone() it first, or write to the tensor itself");
            case Pad _ -> throw new IllegalStateException("pad is no view");
        };
    }

    private Tensor invert(Emitter<Tensor> e, Slice s, Tensor p, Tensor v) {
        Shape shape = p.type().shape();
        int axis = s.axis();
        long n = shape.dim(axis);
        if (live == null && s.step() == 1) {
            // p[:start] ++ v ++ p[start+size:]
            if (s.size() == n) return v;
            List<Tensor> parts = new ArrayList<>();
            if (s.start() > 0) parts.add(Dispatch.emit(new Slice(axis, 0, s.start(), 1, false), p));
            parts.add(v);
            long end = s.start() + s.size();
            if (end < n) parts.add(Dispatch.emit(new Slice(axis, end, n - end, 1, false), p));
            return Dispatch.emit(new Concat(axis), parts.toArray(Tensor[]::new));
        }
        // p[start + i*step] = v[i]
        Tensor index = e.iota(s.size());
        if (s.step() != 1)
            index = e.mul(
                    index,
                    e.emit(io.sinter.ir.op.Constant.ofLong(DType.I64, s.step()), List.of())
                            .get(0));
        if (s.start() != 0)
            index = e.add(
                    index,
                    e.emit(io.sinter.ir.op.Constant.ofLong(DType.I64, s.start()), List.of())
                            .get(0));
        if (live != null) index = e.binary(Binary.ADD, index, live);
        return Dispatch.emit(new Put(axis, Put.Mode.SET), p, index, v);
    }

    /** Operators from the base on, for messages. */
    String describe() {
        return (parent == null ? "" : parent.describe() + " ") + op.name();
    }

    Type type(Type base) {
        Type t = parent == null ? base : parent.type(base);
        return op.infer(live == null ? List.of(t) : List.of(t, live.type())).get(0);
    }
}
