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
 * One step of Adam and AdamW for one parameter (Kingma and Ba, 2015; Loshchilov and Hutter, 2019): {@code p, g, m, v [, most], kept, rate, correction,
 * fresh1, beta2, fresh2, eps -> p', m', v' [, most']}, arrays of one shape and dtype, then numbers in the dtype that the arrays are computed in:
 *
 * <pre>
 * m' = m + fresh1 · (g − m)
 * v' = beta2 · v + fresh2 · g²
 * u  = amsgrad ? (most' = max(most, v')) : v'
 * p' = kept · p − rate · m' / (√u / correction + eps)
 * </pre>
 *
 * <p>It always is taken apart. That it is one operator shortens the trace of a training step by half, of which most would be optimizers' arithmetic.
 *
 * @param amsgrad keep the largest second moment (Reddi et al., 2018)
 */
public record AdamStep(boolean amsgrad) implements Composite {
    private static final int NUMBERS = 7;

    @Override
    public String name() {
        return "adam_step";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("amsgrad", amsgrad);
    }

    private int arrays() {
        return amsgrad ? 5 : 4;
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, arrays() + NUMBERS);
        Rule.isFloat(this, in, 0);
        Type p = in.get(0);
        Type number = Type.scalar(p.dtype().compute());
        for (int i = 1; i < in.size(); i++) {
            Type wanted = i < arrays() ? p : number;
            if (in.get(i).equals(wanted)) continue;
            throw OpException.of(
                    name(), in, "operand %s must be %s beside a parameter %s; cast or expand it", i, wanted, p);
        }
        List<Type> out = new ArrayList<>();
        for (int i = 0; i < arrays() - 1; i++) out.add(p);
        return out;
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V p = Composite.wide(e, in.get(0));
        V g = Composite.wide(e, in.get(1));
        V m = Composite.wide(e, in.get(2));
        V v = Composite.wide(e, in.get(3));
        List<V> numbers = in.subList(arrays(), in.size());
        V m2 = e.add(m, e.mul(e.sub(g, m), numbers.get(3)));
        V v2 = e.add(e.mul(v, numbers.get(4)), e.mul(e.mul(g, g), numbers.get(5)));
        List<V> moments = new ArrayList<>(List.of(m2, v2));
        if (amsgrad) moments.add(e.binary(Binary.MAX, Composite.wide(e, in.get(4)), v2));
        V denominator = e.add(e.div(e.sqrt(moments.getLast()), numbers.get(2)), numbers.get(6));
        List<V> out = new ArrayList<>();
        out.add(e.sub(e.mul(p, numbers.get(0)), e.mul(e.div(m2, denominator), numbers.get(1))));
        out.addAll(moments);
        return out.stream().map(x -> Composite.as(e, x, in.get(0))).toList();
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        double[] n = new double[NUMBERS];
        for (int i = 0; i < NUMBERS; i++) n[i] = in.get(arrays() + i).getDouble(0);
        List<RefArray> out = new ArrayList<>();
        for (int i = 0; i < arrays() - 1; i++) out.add(RefArray.zeros(in.get(0).type()));
        for (int i = 0; i < in.get(0).size(); i++) {
            double g = in.get(1).getDouble(i);
            double m = in.get(2).getDouble(i) + n[3] * (g - in.get(2).getDouble(i));
            double v = n[4] * in.get(3).getDouble(i) + n[5] * g * g;
            double u = amsgrad ? Math.max(in.get(4).getDouble(i), v) : v;
            out.get(0).set(i, n[0] * in.get(0).getDouble(i) - n[1] * m / (Math.sqrt(u) / n[2] + n[6]));
            out.get(1).set(i, m);
            out.get(2).set(i, v);
            if (amsgrad) out.get(3).set(i, u);
        }
        return out;
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean most : new boolean[] {false, true}) {
            AdamStep op = new AdamStep(most);
            s.add(op.sample(Type.of(DType.F64, 3, 5), true));
            s.add(op.sample(Type.of(DType.F32, 7, 19), true));
            s.add(op.sample(Type.of(DType.F32), false));
            s.add(op.sample(Type.of(DType.F16, 50), false));
            s.add(op.sample(Type.of(DType.BF16, 50), false));
            s.add(op.sample(Type.of(DType.F32, 0), false));
        }
        return s;
    }

    private Sample sample(Type type, boolean smooth) {
        List<RefArray> in = new ArrayList<>();
        in.add(Sample.uniform(type, -1, 1, 1));
        in.add(Sample.uniform(type, -1, 1, 2));
        in.add(Sample.uniform(type, -0.5, 0.5, 3));
        in.add(Sample.uniform(type, 0.2, 1, 4));
        // Above and below the second moment, nowhere near it.
        if (amsgrad) in.add(RefArray.of(type, i -> i % 2 == 0 ? 2 + 0.1 * i : 0.05));
        for (double number : new double[] {0.9, 0.3, 0.7, 0.1, 0.9, 0.1, 0.01}) {
            in.add(RefArray.of(type.dtype().compute(), Shape.SCALAR, number));
        }
        return new Sample(this, in, smooth);
    }
}
