// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import java.util.List;
import java.util.function.Function;

/** Gradients against central differences. */
final class GradCheck {
    private static final double STEP = 1e-6;
    private static final double ATOL = 1e-5;
    private static final double RTOL = 1e-3;

    private GradCheck() {}

    static void run(Function<Tensor[], Tensor> f, Tensor... inputs) {
        Tensor y = f.apply(inputs);
        // A fixed direction among the results makes them one number.
        double[] direction = new double[Math.toIntExact(y.numel())];
        for (int i = 0; i < direction.length; i++) direction[i] = Math.sin(1 + 3 * i) + 1.5;
        Tensor seed = Tensor.from(direction, y.shape()).to(y.dtype());
        for (int i = 0; i < inputs.length; i++) {
            Tensor x = inputs[i];
            if (!x.requiresGrad()) continue;
            if (x.dtype() != DType.F64) throw Errors.argument("gradcheck", x, "needs f64 inputs");
            Tensor g = Autograd.grad(List.of(y), List.of(x), List.of(seed), true, false, true)
                    .get(0);
            double[] analytic = g == null ? new double[Math.toIntExact(x.numel())] : g.toDoubles();
            compare(f, inputs, i, direction, analytic);
        }
    }

    private static void compare(
            Function<Tensor[], Tensor> f, Tensor[] inputs, int i, double[] direction, double[] analytic) {
        double[] at = inputs[i].toDoubles();
        for (int k = 0; k < at.length; k++) {
            double numeric =
                    (value(f, inputs, i, at, k, STEP, direction) - value(f, inputs, i, at, k, -STEP, direction))
                            / (2 * STEP);
            if (!(Math.abs(numeric - analytic[k]) <= ATOL + RTOL * Math.abs(numeric))) {
                throw new AssertionError("gradient of input " + i + ", element " + k + ": the rule gives " + analytic[k]
                        + ", central differences " + numeric);
            }
        }
    }

    private static double value(
            Function<Tensor[], Tensor> f, Tensor[] inputs, int i, double[] at, int k, double step, double[] direction) {
        double[] moved = at.clone();
        moved[k] += step;
        Tensor[] in = inputs.clone();
        in[i] = Tensor.from(moved, inputs[i].shape()).requiresGrad_();
        double[] y = f.apply(in).toDoubles();
        double sum = 0;
        for (int j = 0; j < y.length; j++) sum += y[j] * direction[j];
        return sum;
    }
}
