// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.runtime.Session;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What operators compute for their gradients only is not computed once more when pending work runs for its own sake. */
class UnreadResultsTest {
    private static final Map<String, UnaryOperator<Tensor>> FUNCTIONS = Map.of(
            "max pooling", x -> F.maxPool2d(x, 2),
            "adaptive max pooling", x -> F.adaptiveMaxPool(x, 2, 2),
            "layer norm", x -> F.layerNorm(x, new long[] {4}, null, null, 1e-5),
            "cross-entropy", x -> F.crossEntropy(x.reshape(-1, 4), Tensor.zeros(new long[] {12}, DType.I64)),
            "attention", x -> F.scaledDotProductAttention(x, x, x, null, 0, true));

    @TestFactory
    Stream<DynamicTest> nothingIsLeftToRun() {
        return FUNCTIONS.entrySet().stream().map(e -> DynamicTest.dynamicTest(e.getKey(), () -> check(e.getValue())));
    }

    private static void check(UnaryOperator<Tensor> f) {
        try (var _ = Sinter.noGrad()) {
            Sinter.flush(); // whatever other tests left
            Tensor x = Tensor.arange(48).toFloat().reshape(1, 3, 4, 4);
            Tensor y = f.apply(x).sum();
            y.item();
            long runs = Session.current().counters().runs();
            Sinter.flush();
            assertEquals(runs, Session.current().counters().runs(), "the flush ran something");
        }
    }
}
