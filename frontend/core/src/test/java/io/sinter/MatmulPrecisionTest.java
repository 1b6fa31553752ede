// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** {@link Sinter#setMatmulPrecision} on a device whose products it changes. */
class MatmulPrecisionTest {
    private static Tensor product(float x) {
        return Tensor.full(new long[] {8, 8}, x).matmul(Tensor.eye(8));
    }

    @Test
    void isInEveryProgramsKey() {
        Sinter.flush(); // what other tests left behind belongs to their device
        Options options = Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM);
        try (Session s = Session.open(options);
                var _ = s.use()) {
            float x = 1 + 0x1p-12f;
            assertEquals("highest", Sinter.matmulPrecision());
            String key = Sinter.programKey(product(x));
            assertEquals(x, product(x).toFloats()[0]);
            UnaryOperator<Tensor> f = Sinter.compile(t -> t.matmul(Tensor.eye(8)));
            Tensor in = Tensor.full(new long[] {8, 8}, x);
            assertEquals(x, f.apply(in).toFloats()[0]);

            Sinter.setMatmulPrecision("tf32");
            assertEquals("high", Sinter.matmulPrecision());
            assertNotEquals(key, Sinter.programKey(product(x)));
            assertEquals(1, product(x).toFloats()[0]);
            assertEquals(1, f.apply(in).toFloats()[0]);

            Sinter.setMatmulPrecision("highest");
            assertEquals(key, Sinter.programKey(product(x)));
            assertEquals(x, product(x).toFloats()[0]);
            assertEquals(x, f.apply(in).toFloats()[0]);
        }
    }

    @Test
    void unknownNamesAreRefused() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> Sinter.setMatmulPrecision("exact"));
        assertEquals("no matmul precision 'exact'; known: highest, high (tf32), medium", e.getMessage());
    }
}
