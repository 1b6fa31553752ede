// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sinter.ReferenceData;
import io.sinter.Sinter;
import io.sinter.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Initialisers against PyTorch's numbers. */
class InitTest {
    @Test
    void baselineOfThreeLayers() throws IOException {
        Map<String, List<Double>> expected = read();
        Map<String, Consumer<Tensor>> initialisers = Map.of(
                "Xavier_Uniform", Init::xavierUniform_,
                "Xavier_Normal", Init::xavierNormal_,
                "Kaiming_Uniform", Init::kaimingUniform_,
                "Kaiming_Normal", Init::kaimingNormal_);
        assertEquals(initialisers.keySet(), expected.keySet());
        initialisers.forEach((name, initialise) -> {
            Sinter.manualSeed(0);
            List<Double> actual = new ArrayList<>();
            for (Linear layer : layers(initialise)) {
                for (double v : layer.weight.toDoubles()) actual.add(v);
            }
            List<Double> values = expected.get(name);
            assertEquals(values.size(), actual.size());
            for (int i = 0; i < actual.size(); i++) {
                assertEquals(values.get(i), actual.get(i), 1e-6, name + ", value " + i);
            }
        });
    }

    /** Each layer is built, using up its default draws, and then initialised. */
    private static List<Linear> layers(Consumer<Tensor> initialise) {
        List<Linear> out = new ArrayList<>();
        for (long[] size : new long[][] {{7, 15}, {15, 15}, {15, 2}}) {
            Linear l = new Linear(size[0], size[1]);
            initialise.accept(l.weight);
            out.add(l);
        }
        return out;
    }

    /** The numbers of each initialiser, all layers and rows one after another. */
    private static Map<String, List<Double>> read() throws IOException {
        Map<String, List<Double>> out = new HashMap<>();
        try (JsonParser p = new JsonFactory()
                .createParser(ReferenceData.file("pytorch-baselines/init_baseline.json")
                        .toFile())) {
            List<Double> current = null;
            for (JsonToken t = p.nextToken(); t != null; t = p.nextToken()) {
                if (t == JsonToken.FIELD_NAME) out.put(p.currentName(), current = new ArrayList<>());
                if (t == JsonToken.VALUE_NUMBER_FLOAT || t == JsonToken.VALUE_NUMBER_INT)
                    current.add(p.getDoubleValue());
            }
        }
        return out;
    }

    @Test
    void truncatedNormal() {
        Sinter.manualSeed(0);
        // as trunc_normal_ of PyTorch before it rejected samples: uniform_, erfinv_, mul_, add_, clamp_ of
        // torch.empty(6)
        double[] expected = {
            0.051462024450302124,
            0.5625081062316895,
            -0.7894793748855591,
            -0.6910091638565063,
            -0.31940048933029175,
            0.3120006322860718
        };
        double[] actual =
                Init.truncNormal_(Tensor.from(new float[6]), 0.5, 2, -1, 1).toDoubles();
        for (int i = 0; i < 6; i++) assertEquals(expected[i], actual[i], 1e-5, "value " + i);
    }

    @Test
    void orthogonal() {
        Sinter.manualSeed(0);
        // torch.manual_seed(0); torch.nn.init.orthogonal_(torch.empty(5, 7))
        double[] expected = {
            -0.5529501438140869,
            -0.565975546836853,
            -0.12307033687829971,
            -0.21309727430343628,
            0.4168395698070526,
            0.33987662196159363,
            -0.15520799160003662,
            -0.5875709056854248,
            0.3492775559425354,
            -0.4336996376514435
        };
        Tensor w = Init.orthogonal_(Tensor.from(new float[35], 5, 7), 1);
        double[] actual = w.toDoubles();
        for (int i = 0; i < expected.length; i++) assertEquals(expected[i], actual[i], 1e-5, "value " + i);
        Tensor tall = Init.orthogonal_(Tensor.from(new float[35], 7, 5), 2);
        double[] product = tall.t().matmul(tall).toDoubles();
        for (int i = 0; i < 25; i++) assertEquals(i % 6 == 0 ? 4 : 0, product[i], 1e-5);
    }

    @Test
    void constantsFansAndRefusals() {
        Tensor w = Tensor.from(new float[4 * 3 * 2], 4, 3, 2);
        assertEquals(24, Init.ones_(w).sum().item());
        assertEquals(12, Init.constant_(w, 0.5).sum().item());
        assertEquals(0, Init.zeros_(w).sum().item());
        double bound = Math.sqrt(6.0 / (3 * 2 + 4 * 2));
        double most = Init.xavierUniform_(w).abs().max().item();
        assertTrue(most <= bound && most > 0.7 * bound, "largest " + most + " of " + bound);
        assertThrows(IllegalArgumentException.class, () -> Init.xavierUniform_(Tensor.from(new float[3])));
        assertThrows(IllegalArgumentException.class, () -> Init.normal_(Tensor.from(new long[3]), 0, 1));
        assertThrows(IllegalArgumentException.class, () -> Init.normal_(w, 0, -1));
    }
}
