// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.nn.Sequential;
import io.sinter.optim.Adam;
import io.sinter.optim.AdamW;
import io.sinter.optim.Optimizer;
import io.sinter.optim.RMSprop;
import io.sinter.optim.SGD;
import io.sinter.runtime.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Optimizers' trajectories against PyTorch's: a net of two linear layers with sigmoids in f64 is trained on a
 * fixed input, and its parameters compared after steps 1, 101, 201, ….
 */
final class OptimConformance {
    private static final int EVERY = 100;

    /** How one setting fared: the largest absolute difference, and where it is. */
    record Outcome(String name, boolean supported, boolean passed, double difference, String where) {}

    private OptimConformance() {}

    /** Runs all settings of the file. */
    static List<Outcome> run(Path file, double tolerance) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new CommandFailure(file + " is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new CommandFailure("cannot read " + file + ": " + Reason.of(e), e);
        }
        if (!root.isObject()) throw new CommandFailure(file + " has no trajectories by name");
        List<Outcome> outcomes = new ArrayList<>();
        root.properties().forEach(e -> outcomes.add(run(e.getKey(), e.getValue(), tolerance)));
        return outcomes;
    }

    /** Two linear layers of f64, each followed by a sigmoid. */
    private static final class Sigmoids extends Net {
        private final Tensor weight1;
        private final Tensor bias1;
        private final Tensor weight2;
        private final Tensor bias2;

        /**
         * The random stream stands where building the layers in f32 leaves it, then gives the parameters in
         * f64.
         */
        Sigmoids() {
            Sinter.manualSeed(0);
            var _ = new Sequential(new Linear(2, 3), new Linear(3, 1)); // only its draws matter
            weight1 = drawn(2, 3, 2);
            bias1 = drawn(2, 3);
            weight2 = drawn(3, 1, 3);
            bias2 = drawn(3, 1);
        }

        private Tensor drawn(long fanIn, long... shape) {
            int n = 1;
            for (long d : shape) n *= (int) d;
            double[] values = new double[n];
            double bound = 1 / Math.sqrt(fanIn);
            Sinter.generator().uniform(values, -bound, bound);
            return parameter(Tensor.from(values, shape));
        }

        @Override
        public Tensor forward(Tensor x) {
            Tensor hidden = F.linear(x, weight1, bias1).sigmoid();
            return F.linear(hidden, weight2, bias2).sigmoid();
        }
    }

    private static Outcome run(String name, JsonNode snapshots, double tolerance) {
        Sigmoids net = new Sigmoids();
        Optimizer optimizer = optimizer(name, net.parameters());
        if (optimizer == null) return new Outcome(name, false, false, 0, "");
        Tensor input = Tensor.from(new double[] {.1, .2, .3, .4, .5, .6}, 3, 2);
        double most = 0;
        String where = "";
        int last = (snapshots.size() - 1) * EVERY;
        for (int step = 0; step <= last; step++) {
            optimizer.zeroGrad();
            net.call(input).sum().backward();
            optimizer.step();
            if (step % EVERY != 0) continue;
            JsonNode expected = snapshots.get(step / EVERY);
            for (int p = 0; p < 4; p++) {
                double[] values = net.parameters().get(p).toDoubles();
                for (int i = 0; i < values.length; i++) {
                    double difference =
                            Math.abs(values[i] - expected.get(p).get(i).asDouble());
                    if (difference <= most || Double.isNaN(most)) continue; // a NaN stays
                    most = difference;
                    where = "at parameter " + p + ", element " + i + ", after step " + (step + 1);
                }
            }
        }
        return new Outcome(name, true, most <= tolerance, most, where);
    }

    /** The optimizer of PyTorch's name for the setting, or null for one that Sinter has not. */
    private static Optimizer optimizer(String name, List<Tensor> parameters) {
        return switch (name) {
            case "SGD" -> new SGD(parameters, 0.1);
            case "SGD_with_weight_decay" -> new SGD(parameters, 0.1).weightDecay(1e-2);
            case "SGD_with_weight_decay_and_momentum" ->
                new SGD(parameters, 0.1).weightDecay(1e-2).momentum(0.9);
            case "SGD_with_weight_decay_and_nesterov_momentum" ->
                new SGD(parameters, 0.1).weightDecay(1e-6).momentum(0.9).nesterov(true);
            case "Adam" -> new Adam(parameters, 1);
            case "Adam_with_weight_decay" -> new Adam(parameters, 1).weightDecay(1e-2);
            case "AdamW" -> new AdamW(parameters, 1);
            case "AdamW_without_weight_decay" -> new AdamW(parameters, 1).weightDecay(0);
            case "RMSprop" -> new RMSprop(parameters, 0.1);
            case "RMSprop_with_weight_decay" -> new RMSprop(parameters, 0.1).weightDecay(1e-2);
            default -> null;
        };
    }
}
