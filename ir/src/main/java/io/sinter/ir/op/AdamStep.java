// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * One step of Adam and AdamW for one parameter (Kingma and Ba, 2015; Loshchilov and Hutter, 2019): {@code p, g, m, v [, most], kept, rate, correction,
 * fresh1, beta2, fresh2, eps -> p', m', v' [, most']}, as {@link OptimizerStep} has them:
 *
 * <pre>
 * m' = m + fresh1 · (g − m)
 * v' = beta2 · v + fresh2 · g²
 * u  = amsgrad ? (most' = max(most, v')) : v'
 * p' = kept · p − rate · m' / (√u / correction + eps)
 * </pre>
 *
 * @param amsgrad keep the largest second moment (Reddi et al., 2018)
 */
public record AdamStep(boolean amsgrad) implements OptimizerStep {
    @Override
    public String name() {
        return "adam_step";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("amsgrad", amsgrad);
    }

    @Override
    public int states() {
        return amsgrad ? 3 : 2;
    }

    @Override
    public int numbers() {
        return 7;
    }

    @Override
    public <V> List<V> next(Emitter<V> e, V p, V g, List<V> states, List<V> numbers) {
        V m = states.get(0);
        V v = states.get(1);
        V m2 = e.add(m, e.mul(e.sub(g, m), numbers.get(3)));
        V v2 = e.add(e.mul(v, numbers.get(4)), e.mul(e.mul(g, g), numbers.get(5)));
        List<V> moments = new ArrayList<>(List.of(m2, v2));
        if (amsgrad) moments.add(e.binary(Binary.MAX, states.get(2), v2));
        V denominator = e.add(e.div(e.sqrt(moments.getLast()), numbers.get(2)), numbers.get(6));
        List<V> out = new ArrayList<>();
        out.add(e.sub(e.mul(p, numbers.get(0)), e.mul(e.div(m2, denominator), numbers.get(1))));
        out.addAll(moments);
        return out;
    }

    @Override
    public void next(double[] x, double[] n) {
        double g = x[1];
        x[2] += n[3] * (g - x[2]);
        x[3] = n[4] * x[3] + n[5] * g * g;
        if (amsgrad) x[4] = Math.max(x[4], x[3]);
        double u = amsgrad ? x[4] : x[3];
        x[0] = n[0] * x[0] - n[1] * x[2] / (Math.sqrt(u) / n[2] + n[6]);
    }

    @Override
    public List<RefArray> sampleStates(Type type) {
        List<RefArray> states = new ArrayList<>();
        states.add(Sample.uniform(type, -0.5, 0.5, 3));
        states.add(Sample.uniform(type, 0.2, 1, 4));
        // Above and below the second moment, nowhere near it.
        if (amsgrad) states.add(RefArray.of(type, i -> i % 2 == 0 ? 2 + 0.1 * i : 0.05));
        return states;
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean most : new boolean[] {false, true}) {
            s.addAll(new AdamStep(most).samples(0.9, 0.3, 0.7, 0.1, 0.9, 0.1, 0.01));
        }
        return s;
    }
}
