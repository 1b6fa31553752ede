// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One step of RMSprop for one parameter ({@code torch.optim.RMSprop}; Tieleman and Hinton, 2012; centred: Graves, 2013): {@code p, g, v [, mean] [, b], rate,
 * alpha, fresh, eps [, decay] [, momentum] -> p', v' [, mean'] [, b']}, as {@link OptimizerStep} has them:
 *
 * <pre>
 * d     = decays ? g + decay · p : g
 * v'    = alpha · v + fresh · d²
 * mean' = mean + fresh · (d − mean)
 * s     = d / (√(centered ? v' − mean'² : v') + eps)
 * b'    = momentum · b + s
 * p'    = p − rate · (momentum ? b' : s)
 * </pre>
 *
 * @param decays an L2 penalty is added to the gradient
 * @param centered the gradient's variance is estimated, rather than its second moment
 * @param momentum steps are added up
 */
public record RmspropStep(boolean decays, boolean centered, boolean momentum) implements OptimizerStep {
    @Override
    public String name() {
        return "rmsprop_step";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("decays", decays);
        out.put("centered", centered);
        out.put("momentum", momentum);
    }

    @Override
    public int states() {
        return 1 + (centered ? 1 : 0) + (momentum ? 1 : 0);
    }

    @Override
    public int numbers() {
        return 4 + (decays ? 1 : 0) + (momentum ? 1 : 0);
    }

    @Override
    public <V> List<V> next(Emitter<V> e, V p, V g, List<V> states, List<V> numbers) {
        V d = decays ? e.add(g, e.mul(p, numbers.get(4))) : g;
        V fresh = numbers.get(2);
        V v = e.add(e.mul(states.get(0), numbers.get(1)), e.mul(e.mul(d, d), fresh));
        List<V> next = new ArrayList<>(List.of(v));
        V u = v;
        if (centered) {
            V before = states.get(1);
            V mean = e.add(before, e.mul(e.sub(d, before), fresh));
            next.add(mean);
            u = e.sub(v, e.mul(mean, mean));
        }
        V step = e.div(d, e.add(e.sqrt(u), numbers.get(3)));
        if (momentum) {
            step = e.add(e.mul(states.getLast(), numbers.getLast()), step);
            next.add(step);
        }
        next.addFirst(e.sub(p, e.mul(step, numbers.get(0))));
        return next;
    }

    @Override
    public void next(double[] x, double[] n) {
        double d = decays ? x[1] + n[4] * x[0] : x[1];
        x[2] = n[1] * x[2] + n[2] * d * d;
        double u = x[2];
        if (centered) {
            x[3] += n[2] * (d - x[3]);
            u -= x[3] * x[3];
        }
        double step = d / (Math.sqrt(u) + n[3]);
        if (momentum) {
            int b = x.length - 1;
            step += n[n.length - 1] * x[b];
            x[b] = step;
        }
        x[0] -= n[0] * step;
    }

    @Override
    public List<RefArray> sampleStates(Type type) {
        List<RefArray> states = new ArrayList<>();
        // A second moment that is more than the mean's square.
        states.add(Sample.uniform(type, 0.4, 1, 3));
        if (centered) states.add(Sample.uniform(type, -0.3, 0.3, 4));
        if (momentum) states.add(Sample.uniform(type, -0.5, 0.5, 5));
        return states;
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean decay : new boolean[] {false, true}) {
            for (boolean centre : new boolean[] {false, true}) {
                RmspropStep op = new RmspropStep(decay, centre, decay != centre);
                s.addAll(op.samples(Arrays.copyOf(new double[] {0.1, 0.9, 0.1, 0.01, 0.1, 0.5}, op.numbers())));
            }
        }
        return s;
    }
}
