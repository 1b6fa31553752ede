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
 * Zeros (false) before and after each axis: {@code low[i]} and {@code high[i]} of them, both at
 * least 0.
 */
public record Pad(long[] low, long[] high) implements View {
    public Pad {
        low = low.clone();
        high = high.clone();
    }

    @Override
    public String name() {
        return "pad";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("low", low);
        out.put("high", high);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        if (low.length != x.rank() || high.length != x.rank()) {
            throw OpException.of(
                    name(),
                    in,
                    "padding for "
                            + low.length
                            + " and "
                            + high.length
                            + " axes, the operand has "
                            + x.rank()
                            + "; give 0 where none is wanted");
        }
        long[] d = x.shape().toArray();
        for (int i = 0; i < d.length; i++) {
            if (low[i] < 0 || high[i] < 0) {
                throw OpException.of(
                        name(),
                        in,
                        "negative padding " + low[i] + ", " + high[i] + " of axis " + i + "; slice instead");
            }
            d[i] += low[i] + high[i];
        }
        return List.of(x.with(Shape.of(d)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        Shape shape = e.type(call.in(0)).shape();
        V g = call.grad();
        for (int i = 0; i < low.length; i++) g = e.slice(g, i, low[i], shape.dim(i), 1);
        return List.of(g);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        long[] strides = x.shape().strides();
        return List.of(Positions.gather(x, infer(List.of(x.type())).get(0), at -> {
            long from = 0;
            for (int i = 0; i < at.length; i++) {
                long k = at[i] - low[i];
                if (k < 0 || k >= x.shape().dim(i)) return -1;
                from += k * strides[i];
            }
            return from;
        }));
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                pad(DType.F64, Shape.of(3, 4), new long[] {1, 0}, new long[] {2, 3}),
                pad(DType.F32, Shape.of(2, 3, 4), new long[] {0, 1, 2}, new long[] {0, 1, 0}),
                pad(DType.F64, Shape.of(5), new long[] {0}, new long[] {0}),
                pad(DType.F64, Shape.of(0, 2), new long[] {2, 1}, new long[] {0, 0}),
                pad(DType.I32, Shape.of(3), new long[] {2}, new long[] {1}),
                pad(DType.BOOL, Shape.of(3), new long[] {1}, new long[] {1}));
    }

    private static Sample pad(DType t, Shape shape, long[] low, long[] high) {
        RefArray x = Sample.uniform(new Type(t, shape), t.isBool() ? 1 : -3, t.isBool() ? 2 : 3, 1);
        return t.isFloat() ? Sample.smooth(new Pad(low, high), x) : Sample.values(new Pad(low, high), x);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Pad p && Arrays.equals(low, p.low) && Arrays.equals(high, p.high);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(low) + Arrays.hashCode(high);
    }

    @Override
    public String toString() {
        return OpText.format(this);
    }
}
