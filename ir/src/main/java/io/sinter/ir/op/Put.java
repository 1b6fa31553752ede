// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes slices of a source into x: {@code x, idx[n], src} (x's shape with the axis' extent n) to x's shape;
 * slice {@code src[i]} meets slice {@code x[idx[i]]}, in the order of i, so that the last one wins for SET
 * and the bits of a sum never depend on threads. PyTorch's index_copy, index_add and index_reduce.
 */
public record Put(int axis, Mode mode) implements Indexed {
    /** How a value meets what is there. */
    public enum Mode {
        SET,
        ADD,
        MUL,
        /** NaN if either is. */
        MAX,
        MIN;

        /** As in the text form. */
        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        /** The mode of the text form's name. */
        public static Mode parse(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT));
        }

        /** Element {@code to} of {@code x} meets element {@code from} of {@code src}. */
        void meet(RefArray x, int to, RefArray src, int from) {
            boolean floats = x.dtype().isFloat();
            double v = x.getDouble(to);
            double w = src.getDouble(from);
            long i = x.getLong(to);
            long j = src.getLong(from);
            switch (this) {
                case SET -> x.copy(to, src, from);
                case ADD -> {
                    if (floats) x.set(to, v + w);
                    else x.set(to, i + j);
                }
                case MUL -> {
                    if (floats) x.set(to, v * w);
                    else x.set(to, i * j);
                }
                case MAX -> {
                    if (floats) x.set(to, Math.max(v, w));
                    else x.set(to, Math.max(i, j));
                }
                case MIN -> {
                    if (floats) x.set(to, Math.min(v, w));
                    else x.set(to, Math.min(i, j));
                }
            }
        }
    }

    @Override
    public String name() {
        return "put";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("mode", mode.toString());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 3);
        Rule.axis(this, in, 0, axis);
        Rule.isIndex(this, in, 1);
        Indexed.checkMode(this, in, mode);
        Type x = in.get(0);
        if (in.get(1).rank() != 1) {
            throw OpException.of(
                    name(),
                    in,
                    "indices must have one axis, got %s; reshape them",
                    in.get(1).shape());
        }
        Shape expected = x.shape().with(axis, in.get(1).dim(0));
        if (!in.get(2).shape().equals(expected)) {
            throw OpException.of(
                    name(),
                    in,
                    "source must have shape %s (the destination's with the number of indices "
                            + "on axis %s), got %s; expand or reshape it",
                    expected,
                    axis,
                    in.get(2).shape());
        }
        return List.of(x);
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V idx = call.in(1);
        return Indexed.writeGradient(call, mode, new Places<>() {
            @Override
            public V read(V x) {
                return e.apply(new Take(axis), x, idx);
            }

            @Override
            public V write(Mode m, V x, V src) {
                return e.apply(new Put(axis, m), x, idx, src);
            }
        });
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray r = in.get(0).reshaped(in.get(0).shape());
        RefArray idx = in.get(1);
        RefArray src = in.get(2);
        Lines to = Lines.of(r.shape(), axis);
        Lines from = Lines.of(src.shape(), axis);
        for (int i = 0; i < idx.size(); i++) {
            int at = CheckIndex.check(name(), idx.getLong(i), to.n(), true);
            for (int line = 0; line < to.count(); line++) mode.meet(r, to.at(line, at), src, from.at(line, i));
        }
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        RefArray unique = RefArray.ofLongs(DType.I64, Shape.of(3), 3, 0, -2);
        RefArray repeated = RefArray.ofLongs(DType.I64, Shape.of(6), 1, 3, 1, -1, 1, 0);
        for (Mode m : Mode.values()) {
            RefArray idx = m == Mode.SET ? unique : repeated;
            long n = idx.size();
            s.add(new Sample(new Put(0, m), operands(DType.F64, idx, 0, n, 4, 3), true));
            s.add(new Sample(new Put(1, m), operands(DType.F64, idx, 1, n, 2, 4, 3), true));
            s.add(new Sample(new Put(1, m), operands(DType.F32, idx, 1, n, 9, 4), true));
            s.add(new Sample(new Put(0, m), operands(DType.F32, repeated, 0, 6, 5, 17), false));
            s.add(new Sample(
                    new Put(1, m), operands(DType.F32, RefArray.zeros(Type.of(DType.I64, 0)), 1, 0, 2, 3), false));
            for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8)) {
                s.add(new Sample(new Put(0, m), operands(t, repeated, 0, 6, 4, 3), false));
            }
        }
        // So many that a GPU looks for those of each place.
        RefArray many = RefArray.ofLongs(Type.of(DType.I64, 150), i -> i * i % 11 - 5);
        for (Mode m : List.of(Mode.SET, Mode.ADD))
            s.add(new Sample(new Put(0, m), operands(DType.F32, many, 0, 150, 7, 70), false));
        s.add(new Sample(new Put(0, Mode.SET), operands(DType.BOOL, repeated, 0, 6, 4, 3), false));
        RefArray zeros = RefArray.of(DType.F64, Shape.of(6), 2, 0, 3, 0, 5, 0);
        s.add(Sample.values(new Put(0, Mode.MUL), RefArray.of(DType.F64, Shape.of(4), 2, 3, 0, 5), repeated, zeros));
        return s;
    }

    /** x of these extents, {@code idx}, and a source of {@code n} slices; without ties. */
    private static List<RefArray> operands(DType t, RefArray idx, int axis, long n, long... extents) {
        Shape shape = Shape.of(extents);
        RefArray x = Sample.distinct(new Type(t, shape), t.isFloat() ? -1.03 : 1, t.isFloat() ? 0.125 : 1, 1);
        RefArray src =
                Sample.distinct(new Type(t, shape.with(axis, n)), t.isFloat() ? -0.97 : 2, t.isFloat() ? 0.125 : 1, 2);
        return List.of(x, idx, src);
    }
}
