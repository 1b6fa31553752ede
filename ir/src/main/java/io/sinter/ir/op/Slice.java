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
 * Part of one axis: {@code out[i] = in[start + i * step]} for i below {@code size}; a negative step
 * reads backwards. Where {@code live}, a second operand (i64[], not negative) is added to the start,
 * so that an integer offset is an argument of the program and no part of its key. Who makes the
 * operand answers for its range: only the reference evaluator checks it.
 */
public record Slice(int axis, long start, long size, long step, boolean live) implements View {
    @Override
    public String name() {
        return "slice";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("start", start);
        out.put("size", size);
        out.put("step", step);
        out.put("live", live);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, live ? 2 : 1);
        Rule.axis(this, in, 0, axis);
        Type x = in.get(0);
        if (live && !in.get(1).equals(Type.scalar(DType.I64))) {
            throw OpException.of(name(), in, "the live offset must be i64[], got " + in.get(1));
        }
        if (size < 0) throw OpException.of(name(), in, "size " + size + " is negative");
        if (step == 0) throw OpException.of(name(), in, "step 0; use a positive or negative step");
        long n = x.dim(axis);
        long last = start + (size - 1) * step;
        long span = Math.abs(last - start) + 1;
        boolean inside = live ? span <= n : Math.min(start, last) >= 0 && Math.max(start, last) < n;
        if (size > 0 && !inside) {
            throw OpException.of(
                    name(),
                    in,
                    "elements "
                            + start
                            + " to "
                            + last
                            + " of axis "
                            + axis
                            + ", whose extent is "
                            + n
                            + "; shrink the slice");
        }
        return List.of(x.with(x.shape().with(axis, size)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        Shape shape = e.type(call.in(0)).shape();
        if (!live) return List.of(e.unslice(call.grad(), axis, start, step, shape.dim(axis)));
        return Arrays.asList(step == 1 ? shiftBack(call, shape) : spread(call, shape), null);
    }

    /**
     * dx[j] = dy[j - start - offset], zero outside: dy between n zeros and n zeros, read from
     * n - start - offset on. Views only, whatever the offset.
     */
    private <V> V shiftBack(GradCall<V> call, Shape shape) {
        Emitter<V> e = call.e();
        long n = shape.dim(axis);
        V padded = e.padAxis(call.grad(), axis, n, n);
        V from = e.sub(e.extentConstant(call.in(1), n - start), call.in(1));
        return e.apply(new Slice(axis, 0, n, 1, true), padded, from);
    }

    /** dx[j] = dy[(j - offset) / step] where that is a whole number in range, else 0: one gather. */
    private <V> V spread(GradCall<V> call, Shape shape) {
        Emitter<V> e = call.e();
        if (size == 0) return e.zerosLike(call.in(0));
        Val j = Val.of(e, e.iota(shape.dim(axis)));
        Val distance = j.minus(Val.of(e, call.in(1))).minus(start);
        Val i = distance.over(distance.constant(step));
        Val whole = i.times(step).is(Binary.EQ, distance);
        Val inside = whole.apply(Binary.AND, i.is(Binary.GE, 0));
        inside = inside.apply(Binary.AND, i.is(Binary.LT, size));
        V taken = e.apply(new Take(axis), call.grad(), inside.thenElseZero(i).<V>get());
        long[] along = new long[shape.rank()];
        Arrays.fill(along, 1);
        along[axis] = shape.dim(axis);
        V mask = e.reshape(inside.<V>get(), Shape.of(along));
        return e.where(mask, taken, e.constant(taken, 0));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        long first = start + (live ? in.get(1).getLong(0) : 0);
        long n = x.shape().dim(axis);
        for (long end : new long[] {first, first + (size - 1) * step}) {
            if (size > 0 && (end < 0 || end >= n)) {
                throw new IndexOutOfBoundsException("slice: element " + end + " of an axis with extent " + n);
            }
        }
        long[] strides = x.shape().strides();
        return List.of(Positions.gather(x, x.type().with(x.shape().with(axis, size)), at -> {
            long i = at[axis];
            return Positions.offset(strides, at) + (first + i * step - i) * strides[axis];
        }));
    }

    @Override
    public List<Sample> samples() {
        RefArray x = Sample.uniform(Type.of(DType.F64, 3, 10, 2), -1, 1, 1);
        RefArray two = RefArray.scalar(DType.I64, 2);
        return List.of(
                Sample.smooth(new Slice(1, 2, 5, 1, false), x),
                Sample.smooth(new Slice(1, 1, 3, 1, true), x, two),
                Sample.smooth(new Slice(1, 1, 3, 3, false), x),
                Sample.smooth(new Slice(1, 9, 10, -1, false), x),
                Sample.smooth(new Slice(1, 8, 3, -3, false), x),
                Sample.smooth(new Slice(0, 0, 1, 1, false), x),
                Sample.smooth(new Slice(1, 0, 3, 3, true), x, two),
                Sample.smooth(new Slice(1, 5, 4, -2, true), x, two),
                Sample.values(new Slice(1, 0, 0, 1, false), x),
                Sample.values(new Slice(0, 1, 4, 1, false), Sample.uniform(Type.of(DType.F32, 6), -1, 1, 2)),
                Sample.values(new Slice(0, 5, 3, -2, false), Sample.uniform(Type.of(DType.BF16, 6), -1, 1, 3)),
                Sample.values(new Slice(0, 1, 2, 2, false), Sample.uniform(Type.of(DType.I32, 6, 2), -9, 9, 4)));
    }
}
