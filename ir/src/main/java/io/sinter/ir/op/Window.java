// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * Sliding windows of one axis (PyTorch's Tensor.unfold): the axis becomes the number of windows
 * {@code (n - size) / step + 1}, and a new last axis of extent {@code size} holds each window:
 * {@code out[…, w, …, k] = in[…, w * step + k, …]}.
 */
public record Window(int axis, long size, long step) implements View {
    /**
     * Overlaps up to this count are added as shifted copies, which fuse; more are added by index.
     */
    private static final long MAX_SHIFTS = 16;

    @Override
    public String name() {
        return "window";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("size", size);
        out.put("step", step);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.axis(this, in, 0, axis);
        Type x = in.get(0);
        if (size < 1 || step < 1)
            throw OpException.of(name(), in, "size " + size + " and step " + step + " must be positive");
        if (size > x.dim(axis)) {
            throw OpException.of(
                    name(),
                    in,
                    "windows of " + size + " on axis " + axis + ", whose extent is " + x.dim(axis) + "; pad it first");
        }
        Shape s = x.shape().with(axis, (x.dim(axis) - size) / step + 1);
        return List.of(x.with(s.insert(s.rank(), size)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        Shape to = e.type(call.in(0)).shape();
        V g = call.grad();
        Shape s = e.type(g).shape();
        long windows = s.dim(axis);
        int last = s.rank() - 1;
        // Bring the window's own axis next to the axis it came from.
        int[] perm = new int[s.rank()];
        for (int i = 0; i < perm.length; i++) perm[i] = i <= axis ? i : i == axis + 1 ? last : i - 1;
        g = e.permute(g, perm);
        long parts = (size + step - 1) / step;
        if (parts > MAX_SHIFTS) return List.of(addByIndex(call, g, windows, to));
        // Part q of each window, [q step, (q+1) step), lands q steps further on: the sum of
        // shifted, non-overlapping copies.
        V padded = e.padAxis(g, axis + 1, 0, parts * step - size);
        V sum = null;
        long covered = (windows + parts - 1) * step;
        for (long q = 0; q < parts; q++) {
            V part = e.slice(padded, axis + 1, q * step, step, 1);
            part = e.reshape(part, to.with(axis, windows * step));
            part = e.padAxis(part, axis, q * step, covered - windows * step - q * step);
            sum = sum == null ? part : e.add(sum, part);
        }
        long n = to.dim(axis);
        if (covered > n) return List.of(e.slice(sum, axis, 0, n, 1));
        return List.of(e.padAxis(sum, axis, 0, n - covered));
    }

    private <V> V addByIndex(GradCall<V> call, V g, long windows, Shape to) {
        Emitter<V> e = call.e();
        Val window = Val.of(e, e.reshape(e.iota(windows), Shape.of(windows, 1)));
        Val within = Val.of(e, e.reshape(e.iota(size), Shape.of(1, size)));
        V index = e.reshape(window.times(step).plus(within).<V>get(), Shape.of(windows * size));
        V flat = e.reshape(g, to.with(axis, windows * size));
        return e.apply(new Put(axis, Put.Mode.ADD), e.zerosLike(call.in(0)), index, flat);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        long[] strides = Arrays.copyOf(x.shape().strides(), x.shape().rank() + 1);
        strides[x.shape().rank()] = strides[axis];
        strides[axis] *= step;
        return List.of(Positions.gather(x, infer(List.of(x.type())).get(0), at -> Positions.offset(strides, at)));
    }

    @Override
    public List<Sample> samples() {
        RefArray x = Sample.uniform(Type.of(DType.F64, 2, 11, 3), -1, 1, 1);
        return List.of(
                Sample.smooth(new Window(1, 3, 1), x),
                Sample.smooth(new Window(1, 3, 2), x),
                Sample.smooth(new Window(1, 2, 3), x),
                Sample.smooth(new Window(1, 2, 2), x),
                Sample.smooth(new Window(2, 3, 1), x),
                Sample.smooth(new Window(0, 20, 1), Sample.uniform(Type.of(DType.F64, 23), -1, 1, 2)),
                Sample.values(new Window(0, 4, 2), Sample.uniform(Type.of(DType.F32, 9), -1, 1, 3)),
                Sample.values(new Window(0, 1, 1), Sample.uniform(Type.of(DType.I32, 3, 2), -9, 9, 4)));
    }
}
