// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * What tests of dropped gradients' memory have in common. "At once" is read off the gradient's value, so nothing in them depends on
 * the garbage collector.
 */
abstract class GradientWatch {
    static final int N = 5000;

    @BeforeEach
    @AfterEach
    void nothingPending() {
        Sinter.flush();
    }

    static Tensor leaf(double start) {
        return data(start).requiresGrad_();
    }

    static Tensor data(double start) {
        return Tensor.from(IntStream.range(0, N).mapToDouble(i -> start + i % 7).toArray(), N);
    }

    /** The present gradient's value: what is watched, by a test that does not count as somebody who holds it. */
    static Value watch(Tensor p) {
        return p.gradient().value();
    }

    static boolean released(Value v) {
        assertFalse(v.pending());
        return v.data == null;
    }

    static void square(Tensor p) {
        p.square().sum().backward();
    }
}
