// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * Gaussian error linear unit (Hendrycks and Gimpel 2016), {@code x·Φ(x)}, elementwise.
 *
 * @param tanh the approximation {@code x/2·(1 + tanh(sqrt(2/π)(x + 0.044715 x³)))} instead of the error
 *     function
 */
public record Gelu(boolean tanh) implements Composite {

    @Override
    public String name() {
        return "gelu";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("tanh", tanh);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.isFloat(this, in, 0);
        return List.of(in.get(0));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V x = Composite.wide(e, in.get(0));
        V s;
        if (tanh) {
            V cubed = e.mul(e.mul(x, x), x);
            s = e.unary(Unary.TANH, e.mul(e.add(x, e.mul(cubed, 0.044715)), Math.sqrt(2 / Math.PI)));
        } else {
            s = e.unary(Unary.ERF, e.mul(x, Math.sqrt(0.5)));
        }
        return List.of(Composite.as(e, e.mul(e.mul(x, 0.5), e.add(s, 1)), in.get(0)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        return List.of(RefArray.of(x.type(), i -> tanh ? approximate(x.getDouble(i)) : exact(x.getDouble(i))));
    }

    private static double approximate(double x) {
        // (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u))
        double u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
        return x / (1 + Math.exp(-2 * u));
    }

    /** x·Φ(x), with Φ by its Taylor series; beyond 8 it is 0 or 1 to the last bit of the product. */
    private static double exact(double x) {
        if (Double.isNaN(x)) return x;
        if (Math.abs(x) > 8) return x > 0 ? x : x * 0.0;
        // Φ(x) = 1/2 + φ(x)·(x + x³/3 + x⁵/(3·5) + …)
        double term = x;
        double sum = x;
        for (int k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) {
            term *= x * x / k;
            sum += term;
        }
        return x * (0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean t : new boolean[] {false, true}) {
            Op op = new Gelu(t);
            s.add(Sample.smooth(op, Sample.uniform(Type.of(DType.F64, 3, 5), -3, 3, 1)));
            s.add(Sample.smooth(op, Sample.uniform(Type.of(DType.F32, 131), -6, 6, 2)));
            s.add(Sample.values(op, Sample.uniform(Type.of(DType.F32), -1, 1, 3)));
            s.add(Sample.values(
                    op, RefArray.of(DType.F32, Shape.of(6), 0, -0.0, 20, -20, Double.POSITIVE_INFINITY, Double.NaN)));
            s.add(Sample.values(op, Sample.uniform(Type.of(DType.F16, 50), -4, 4, 4)));
            s.add(Sample.values(op, Sample.uniform(Type.of(DType.BF16, 50), -4, 4, 5)));
            s.add(Sample.values(op, RefArray.zeros(Type.of(DType.F32, 0))));
        }
        return s;
    }
}
