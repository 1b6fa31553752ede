// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** {@link Sinter#useDeterministicAlgorithms} on a device that has other algorithms. */
class DeterministicAlgorithmsTest {
    private static Tensor sums() {
        Tensor at = Tensor.of(new long[] {1, 0, 1, 2, 1, 0});
        return Tensor.zeros(3, 4).indexAdd(0, at, Tensor.ones(6, 4));
    }

    private static final float[] EXPECTED = {2, 2, 2, 2, 3, 3, 3, 3, 1, 1, 1, 1};

    @Test
    void isInEveryProgramsKey() {
        Sinter.flush(); // what other tests left behind belongs to their device
        Options options = Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM);
        try (Session s = Session.open(options);
                var _ = s.use()) {
            assertTrue(Sinter.areDeterministicAlgorithmsEnabled());
            String key = Sinter.programKey(sums());
            assertArrayEquals(EXPECTED, sums().toFloats());
            UnaryOperator<Tensor> f = Sinter.compile(x -> x.add(sums()));
            assertArrayEquals(EXPECTED, f.apply(Tensor.zeros(3, 4)).toFloats());
            long generated = s.counters().kernelsGenerated();

            Sinter.useDeterministicAlgorithms(false);
            assertFalse(Sinter.areDeterministicAlgorithmsEnabled());
            assertNotEquals(key, Sinter.programKey(sums()));
            assertArrayEquals(EXPECTED, sums().toFloats());
            assertEquals(generated + 1, s.counters().kernelsGenerated(), "the scatter has another form");
            assertArrayEquals(EXPECTED, f.apply(Tensor.zeros(3, 4)).toFloats());
            Tensor wrong = Tensor.zeros(3, 4).indexAdd(0, Tensor.of(new long[] {1, 3}), Tensor.ones(2, 4));
            assertThrows(IndexOutOfBoundsException.class, wrong::toFloats);

            Sinter.useDeterministicAlgorithms(true);
            assertEquals(key, Sinter.programKey(sums()));
        }
    }
}
