// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import java.util.List;

/**
 * Operators on values, whatever a value is: nodes of a graph under construction, tensors being
 * traced, or arrays of the reference evaluator. Gradients and decompositions are written against
 * this, so one text serves all three.
 *
 * <p>The arithmetic helpers broadcast (as NumPy does) but never promote: operands have one dtype.
 */
public interface Emitter<V> {
    /** Applies {@code op}; one value per output. */
    List<V> emit(Op op, List<V> inputs);

    Type type(V value);

    /**
     * Applies {@code op} to one operand; its first output. Fixed arities spare callers the warning
     * of a generic array.
     */
    default V apply(Op op, V a) {
        return emit(op, List.of(a)).get(0);
    }

    default V apply(Op op, V a, V b) {
        return emit(op, List.of(a, b)).get(0);
    }

    default V apply(Op op, V a, V b, V c) {
        return emit(op, List.of(a, b, c)).get(0);
    }

    default V apply(Op op, V a, V b, V c, V d) {
        return emit(op, List.of(a, b, c, d)).get(0);
    }

    @SuppressWarnings("unchecked")
    default V apply(Op op, V... inputs) {
        return emit(op, List.of(inputs)).get(0);
    }

    // ---- constants

    /**
     * A constant of {@code like}'s dtype, of shape [] (it broadcasts). Part of the graph's key:
     * only for constants of a rule.
     */
    default V constant(V like, double value) {
        return apply0(Constant.of(type(like).dtype(), value));
    }

    /**
     * A constant computed from extents (the 1/n of a mean): a live argument of the kernel, so a new
     * extent needs no new code.
     */
    default V extentConstant(V like, double value) {
        return apply0(Constant.derived(type(like).dtype(), value));
    }

    default V zerosLike(V like) {
        return expand(constant(like, 0), type(like).shape());
    }

    default V iota(long n) {
        return apply0(new Iota(n));
    }

    private V apply0(Op op) {
        return emit(op, List.of()).get(0);
    }

    // ---- elementwise

    default V unary(Unary op, V a) {
        return apply(op, a);
    }

    default V binary(Binary op, V a, V b) {
        Shape s = Broadcast.shapes(op.name(), type(a), type(b));
        return apply(op, expand(a, s), expand(b, s));
    }

    default V add(V a, V b) {
        return binary(Binary.ADD, a, b);
    }

    default V sub(V a, V b) {
        return binary(Binary.SUB, a, b);
    }

    default V mul(V a, V b) {
        return binary(Binary.MUL, a, b);
    }

    default V div(V a, V b) {
        return binary(Binary.DIV, a, b);
    }

    default V mul(V a, double c) {
        return mul(a, constant(a, c));
    }

    default V add(V a, double c) {
        return add(a, constant(a, c));
    }

    default V neg(V a) {
        return unary(Unary.NEG, a);
    }

    default V exp(V a) {
        return unary(Unary.EXP, a);
    }

    default V log(V a) {
        return unary(Unary.LOG, a);
    }

    default V sqrt(V a) {
        return unary(Unary.SQRT, a);
    }

    /** {@code cond ? a : b}; cond is bool; all three broadcast. */
    default V where(V cond, V a, V b) {
        Shape s = Broadcast.shapes("where", type(cond), type(a));
        s = Broadcast.shapes("where", type(cond).with(s), type(b));
        return apply(Where.INSTANCE, expand(cond, s), expand(a, s), expand(b, s));
    }

    default V cast(V a, DType to) {
        return type(a).dtype() == to ? a : apply(new Cast(to), a);
    }

    // ---- views

    default V reshape(V a, Shape to) {
        return type(a).shape().equals(to) ? a : apply(new Reshape(to), a);
    }

    /** Broadcasts (NumPy rules: leading axes are added, extents 1 are repeated) to {@code to}. */
    default V expand(V a, Shape to) {
        Shape from = type(a).shape();
        if (from.equals(to)) return a;
        if (from.rank() < to.rank()) {
            long[] d = new long[to.rank()];
            for (int i = 0; i < d.length; i++) {
                int k = i - (to.rank() - from.rank());
                d[i] = k < 0 ? 1 : from.dim(k);
            }
            a = reshape(a, Shape.of(d));
            if (type(a).shape().equals(to)) return a;
        }
        return apply(new Expand(to), a);
    }

    default V permute(V a, int... perm) {
        for (int i = 0; i < perm.length; i++) if (perm[i] != i) return apply(new Permute(perm), a);
        return a;
    }

    /** Swaps two axes (negative ones count from the end). */
    default V transpose(V a, int x, int y) {
        int r = type(a).rank();
        int[] p = new int[r];
        for (int i = 0; i < r; i++) p[i] = i;
        p[x < 0 ? x + r : x] = y < 0 ? y + r : y;
        p[y < 0 ? y + r : y] = x < 0 ? x + r : x;
        return permute(a, p);
    }

    /** {@code out[i] = a[start + i * step]} along one axis, for i below {@code size}. */
    default V slice(V a, int axis, long start, long size, long step) {
        boolean whole = start == 0 && step == 1 && size == type(a).dim(axis);
        return whole ? a : apply(new Slice(axis, start, size, step, false), a);
    }

    /** Reverses an axis. */
    default V flip(V a, int axis) {
        long n = type(a).dim(axis);
        return n <= 1 ? a : slice(a, axis, n - 1, n, -1);
    }

    /** Zeros before and after one axis. */
    default V padAxis(V a, int axis, long low, long high) {
        if (low == 0 && high == 0) return a;
        long[] before = new long[type(a).rank()];
        long[] after = new long[before.length];
        before[axis] = low;
        after[axis] = high;
        return apply(new Pad(before, after), a);
    }

    /**
     * The adjoint of {@link #slice}: an axis of extent {@code n} with {@code a[i]} at {@code start
     * + i * step}, zeros elsewhere.
     */
    default V unslice(V a, int axis, long start, long step, long n) {
        long size = type(a).dim(axis);
        if (size == 0) return padAxis(a, axis, 0, n);
        if (step < 0) return unslice(flip(a, axis), axis, start + (size - 1) * step, -step, n);
        if (step > 1 && size > 1) {
            // step - 1 zeros after each element: a new axis, padded and merged.
            Shape s = type(a).shape();
            V spaced = padAxis(reshape(a, s.insert(axis + 1, 1)), axis + 1, 0, step - 1);
            a = slice(reshape(spaced, s.with(axis, size * step)), axis, 0, (size - 1) * step + 1, 1);
        }
        return padAxis(a, axis, start, n - start - type(a).dim(axis));
    }

    // ---- reductions

    /** Reduces {@code axes} away. */
    default V reduce(Reduce.Kind kind, V a, int... axes) {
        return axes.length == 0 && !kind.isArg() ? a : apply(new Reduce(kind, axes), a);
    }

    /** Reduces {@code axes} but keeps them with extent 1. */
    default V reduceKeep(Reduce.Kind kind, V a, int... axes) {
        Shape s = type(a).shape();
        V r = reduce(kind, a, axes);
        for (int x : axes) s = s.with(x, 1);
        return reshape(r, s);
    }

    default V sum(V a, int... axes) {
        return reduce(Reduce.Kind.SUM, a, axes);
    }

    default V sumKeep(V a, int... axes) {
        return reduceKeep(Reduce.Kind.SUM, a, axes);
    }

    /** Sums {@code a} down to {@code to}: the adjoint of {@link #expand}. */
    default V sumTo(V a, Shape to) {
        Shape from = type(a).shape();
        if (from.equals(to)) return a;
        int lead = from.rank() - to.rank();
        int n = 0;
        int[] axes = new int[from.rank()];
        for (int i = 0; i < from.rank(); i++) {
            if (i < lead || (to.dim(i - lead) == 1 && from.dim(i) != 1)) axes[n++] = i;
        }
        return reshape(sum(a, java.util.Arrays.copyOf(axes, n)), to);
    }

    // ---- composites

    default V matmul(V a, V b) {
        return apply(new Matmul(), a, b);
    }
}
