// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.sinter.Sinter;
import io.sinter.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Layers against PyTorch's, whose numbers are in torch-layers.txt: the parameters after {@code
 * manualSeed(0)}, the output, and the gradients of input and parameters.
 */
class LayersTest {
    private static final double TOLERANCE = 2e-5;
    private static final Map<String, double[]> EXPECTED = read();

    /** One layer and the shape of its input. */
    private record Case(String name, Supplier<Net> make, long... shape) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, Supplier<Net> make, long... shape) {
        return new Case(name, make, shape);
    }

    static Stream<Case> cases() {
        ConvOptions o = ConvOptions.of();
        RecurrentOptions r = RecurrentOptions.of();
        RecurrentOptions batchFirst = r.batchFirst(true);
        return Stream.of(
                of("Linear", () -> new Linear(3, 2), 4, 3),
                of("LinearNoBias", () -> new Linear(5, 3, false), 2, 2, 5),
                of("Conv1d", () -> new Conv1d(2, 3, 3, o.stride(2).padding(1)), 2, 2, 7),
                of(
                        "Conv2d",
                        () -> new Conv2d(
                                2,
                                4,
                                new long[] {3, 2},
                                o.stride(1, 2).padding(1, 0).dilation(2, 1).groups(2)),
                        2,
                        2,
                        6,
                        5),
                of("Conv3d", () -> new Conv3d(1, 2, 2), 1, 1, 3, 3, 3),
                of(
                        "ConvTranspose2d",
                        () -> new ConvTranspose2d(
                                2, 3, 3, o.stride(2).padding(1).outputPadding(1)),
                        1,
                        2,
                        3,
                        3),
                of("BatchNorm1d", () -> new BatchNorm1d(3), 5, 3),
                of("BatchNorm1dSequence", () -> new BatchNorm1d(3), 4, 3, 2),
                of("BatchNorm2d", () -> new BatchNorm2d(2), 3, 2, 2, 3),
                of("LayerNorm", () -> new LayerNorm(6), 3, 6),
                of("LayerNorm2", () -> new LayerNorm(2, 3), 2, 2, 3),
                of("GroupNorm", () -> new GroupNorm(2, 4), 2, 4, 3),
                of("RMSNorm", () -> new RMSNorm(5), 3, 5),
                of("ReLU", ReLU::new, 7),
                of("GELU", GELU::new, 7),
                of("SiLU", SiLU::new, 7),
                of("Sigmoid", Sigmoid::new, 7),
                of("Tanh", Tanh::new, 7),
                of("Softplus", Softplus::new, 7),
                of("LeakyReLU", () -> new LeakyReLU(0.2), 7),
                of("Softmax", () -> new Softmax(1), 3, 5),
                of("LogSoftmax", () -> new LogSoftmax(-1), 3, 5),
                of("MaxPool2d", () -> new MaxPool2d(2), 1, 2, 5, 4),
                of("MaxPool2dPadded", () -> new MaxPool2d(3, 2, 1), 1, 1, 5, 6),
                of("AvgPool2d", () -> new AvgPool2d(2), 1, 2, 4, 4),
                of("AvgPool2dPadded", () -> new AvgPool2d(3, 2, 1), 1, 1, 5, 5),
                of("AdaptiveAvgPool2d", () -> new AdaptiveAvgPool2d(2, 3), 1, 2, 5, 4),
                of("Flatten", Flatten::new, 2, 3, 2),
                of("Sequential", () -> new Sequential(new Linear(4, 5), new Tanh(), new Linear(5, 2)), 3, 4),
                of("LSTM", () -> new LSTM(3, 4, batchFirst), 2, 5, 3),
                of("LSTM2", () -> new LSTM(2, 3, batchFirst.layers(2)), 1, 4, 2),
                of("GRU", () -> new GRU(3, 4, batchFirst), 2, 5, 3),
                of("GRU2", () -> new GRU(2, 3, batchFirst.layers(2)), 1, 4, 2),
                of("LSTMTimeFirst", () -> new LSTM(3, 2), 4, 2, 3),
                of("LSTMBidirectional2", () -> new LSTM(2, 3, r.layers(2).bidirectional(true)), 4, 2, 2),
                of("LSTMUnbatchedNoBias", () -> new LSTM(2, 3, r.bias(false)), 5, 2),
                of("GRUBidirectional2", () -> new GRU(2, 2, batchFirst.layers(2).bidirectional(true)), 2, 3, 2),
                of("GRUNoBias", () -> new GRU(2, 3, r.bias(false)), 3, 2, 2),
                of("RNN", () -> new RNN(3, 4), 4, 2, 3),
                of(
                        "RNNRelu2",
                        () -> new RNN(3, 2, RNN.Nonlinearity.RELU, r.layers(2).bidirectional(true)),
                        3,
                        2,
                        3),
                of("MultiheadAttention", () -> new MultiheadAttention(4, 2), 2, 3, 4),
                of("MultiheadAttentionCausal", CausalAttention::new, 2, 3, 4),
                of("TransformerEncoderLayer", () -> new TransformerEncoderLayer(4, 2, 8, 0, false), 2, 3, 4),
                of("TransformerEncoderLayerNormFirst", () -> new TransformerEncoderLayer(4, 2, 8, 0, true), 2, 3, 4));
    }

    private static final class CausalAttention extends Net {
        private final MultiheadAttention attention = new MultiheadAttention(4, 2);

        @Override
        public Tensor forward(Tensor x) {
            return attention.callCausal(x);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void asInPyTorch(Case c) {
        Sinter.manualSeed(0);
        Net net = c.make().get();
        if (EXPECTED.containsKey(c.name() + ".params")) compare(c.name() + ".params", parameters(net, false));
        Tensor x = input(c.shape()).requiresGrad_();
        Tensor y = net.call(x);
        y.mul(wave(y.shape(), i -> Math.cos(0.5 * i))).sum().backward();
        compare(c.name() + ".out", y.toDoubles());
        compare(c.name() + ".dx", x.grad().toDoubles());
        if (EXPECTED.containsKey(c.name() + ".dparams")) compare(c.name() + ".dparams", parameters(net, true));
        else assertEquals(0, net.parameterCount());
        if (net instanceof BatchNorm norm) {
            compare(c.name() + ".running", concat(norm.runningMean.toDoubles(), norm.runningVar.toDoubles()));
            net.eval();
            compare(c.name() + ".eval", net.call(input(c.shape())).toDoubles());
        }
    }

    @Test
    void embedding() {
        Sinter.manualSeed(0);
        Embedding e = new Embedding(5, 3);
        compare("Embedding.params", e.weight.toDoubles());
        Tensor y = e.call(Tensor.from(new long[] {1, 4, 0, 1}, 2, 2));
        y.mul(wave(y.shape(), i -> Math.cos(0.5 * i))).sum().backward();
        compare("Embedding.out", y.toDoubles());
        compare("Embedding.dparams", e.weight.grad().toDoubles());
    }

    /** Initial states are used, and final states have gradients. */
    @Test
    void statesOfLSTM() {
        Sinter.manualSeed(0);
        LSTM net = new LSTM(2, 3, RecurrentOptions.of().layers(2).bidirectional(true));
        Tensor x = input(new long[] {4, 2, 2});
        Tensor h = wave(new long[] {4, 2, 3}, i -> Math.sin(0.3 * i)).requiresGrad_();
        Tensor c = wave(new long[] {4, 2, 3}, i -> Math.cos(0.2 * i)).requiresGrad_();
        LSTM.Result r = net.call(x, h, c);
        Tensor loss = weighted(r.output()).add(weighted(r.h())).add(weighted(r.c()));
        loss.backward();
        compare("LSTMStates.out", r.output().toDoubles());
        compare("LSTMStates.h", r.h().toDoubles());
        compare("LSTMStates.c", r.c().toDoubles());
        compare("LSTMStates.dh", h.grad().toDoubles());
        compare("LSTMStates.dc", c.grad().toDoubles());
    }

    private static Tensor weighted(Tensor x) {
        return x.mul(wave(x.shape(), i -> Math.cos(0.5 * i))).sum();
    }

    @Test
    void dropoutBetweenRecurrentLayers() {
        Sinter.manualSeed(1);
        GRU net = new GRU(3, 4, RecurrentOptions.of().layers(2).dropout(0.5));
        Tensor x = input(new long[] {3, 2, 3});
        double[] training = net.call(x).toDoubles();
        assertNotEquals(training[0], net.call(x).toDoubles()[0]);
        net.eval();
        double[] once = net.call(x).toDoubles();
        assertArrayEquals(once, net.call(x).toDoubles());
        assertNotEquals(training[0], once[0]);
        // Nothing is dropped after the last layer.
        GRU one = new GRU(3, 4, RecurrentOptions.of().dropout(0.5));
        assertArrayEquals(one.call(x).toDoubles(), one.call(x).toDoubles());
    }

    @Test
    void namesOfRecurrentParameters() {
        LSTM net = new LSTM(
                2, 3, RecurrentOptions.of().layers(2).bidirectional(true).bias(false));
        assertEquals(
                List.of(
                        "weight_ih_l0",
                        "weight_hh_l0",
                        "weight_ih_l0_reverse",
                        "weight_hh_l0_reverse",
                        "weight_ih_l1",
                        "weight_hh_l1",
                        "weight_ih_l1_reverse",
                        "weight_hh_l1_reverse"),
                List.copyOf(net.stateDict().keySet()));
    }

    private static Tensor input(long[] shape) {
        return wave(shape, i -> Math.sin(0.7 * i + 0.3));
    }

    private static Tensor wave(long[] shape, IntToDoubleFunction f) {
        int n = 1;
        for (long d : shape) n *= (int) d;
        float[] a = new float[n];
        for (int i = 0; i < n; i++) a[i] = (float) f.applyAsDouble(i);
        return Tensor.from(a, shape);
    }

    private static double[] parameters(Net net, boolean gradients) {
        return net.parameters().stream()
                .map(p -> (gradients ? p.grad() : p).toDoubles())
                .reduce(new double[0], LayersTest::concat);
    }

    private static double[] concat(double[] a, double[] b) {
        double[] out = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, out, a.length, b.length);
        return out;
    }

    private static void compare(String name, double[] actual) {
        double[] expected = EXPECTED.get(name);
        assertNotNull(expected, name);
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(
                    expected[i], actual[i], TOLERANCE * Math.max(1, Math.abs(expected[i])), name + ", element " + i);
        }
    }

    private static Map<String, double[]> read() {
        Map<String, double[]> out = new HashMap<>();
        try (var in = new BufferedReader(new InputStreamReader(
                LayersTest.class.getResourceAsStream("torch-layers.txt"), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.startsWith("#")) continue;
                String[] words = line.split(" ");
                out.put(
                        words[0],
                        Arrays.stream(words)
                                .skip(1)
                                .mapToDouble(Double::parseDouble)
                                .toArray());
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return out;
    }
}
