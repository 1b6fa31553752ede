// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One step of stochastic gradient descent for one parameter ({@code torch.optim.SGD}; Sutskever et al., 2013): {@code p, g [, b], rate [, decay]
 * [, momentum, fresh] -> p' [, b']}, as {@link OptimizerStep} has them:
 *
 * <pre>
 * d  = decays ? g + decay · p : g
 * b' = momentum · b + fresh · d
 * p' = p − rate · (nesterov ? d + momentum · b' : momentum ? b' : d)
 * </pre>
 *
 * @param decays an L2 penalty is added to the gradient
 * @param momentum gradients are added up
 * @param nesterov Nesterov's momentum; asks for {@code momentum}
 */
public record SgdStep(boolean decays, boolean momentum, boolean nesterov) implements OptimizerStep {
    public SgdStep {
        if (nesterov && !momentum)
            throw new IllegalArgumentException("sgd_step: Nesterov's momentum without a momentum");
    }

    @Override
    public String name() {
        return "sgd_step";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("decays", decays);
        out.put("momentum", momentum);
        out.put("nesterov", nesterov);
    }

    @Override
    public int states() {
        return momentum ? 1 : 0;
    }

    @Override
    public int numbers() {
        return 1 + (decays ? 1 : 0) + (momentum ? 2 : 0);
    }

    @Override
    public <V> List<V> next(Emitter<V> e, V p, V g, List<V> states, List<V> numbers) {
        V d = decays ? e.add(g, e.mul(p, numbers.get(1))) : g;
        if (!momentum) return List.of(e.sub(p, e.mul(d, numbers.get(0))));
        V share = numbers.get(numbers() - 2);
        V b = e.add(e.mul(states.get(0), share), e.mul(d, numbers.getLast()));
        V step = nesterov ? e.add(d, e.mul(b, share)) : b;
        return List.of(e.sub(p, e.mul(step, numbers.get(0))), b);
    }

    @Override
    public void next(double[] x, double[] n) {
        double step = decays ? x[1] + n[1] * x[0] : x[1];
        if (momentum) {
            double share = n[n.length - 2];
            x[2] = share * x[2] + n[n.length - 1] * step;
            step = nesterov ? step + share * x[2] : x[2];
        }
        x[0] -= n[0] * step;
    }

    @Override
    public List<RefArray> sampleStates(Type type) {
        return momentum ? List.of(Sample.uniform(type, -0.5, 0.5, 3)) : List.of();
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean decay : new boolean[] {false, true}) {
            double[] numbers = decay ? new double[] {0.3, 0.1, 0.9, 0.7} : new double[] {0.3, 0.9, 0.7};
            for (SgdStep op : List.of(
                    new SgdStep(decay, false, false),
                    new SgdStep(decay, true, false),
                    new SgdStep(decay, true, true))) {
                s.addAll(op.samples(Arrays.copyOf(numbers, op.numbers())));
            }
        }
        return s;
    }
}
