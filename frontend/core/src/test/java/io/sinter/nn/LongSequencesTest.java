// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Many parts: one kernel would have more code than HotSpot compiles. */
class LongSequencesTest {
    @Test
    void aStackOfAHundred() {
        List<Tensor> parts = new ArrayList<>();
        for (int i = 0; i < 100; i++)
            parts.add(Tensor.from(new float[4 * 64], 4, 64).add((double) i));
        double[] sums = F.stack(parts, 1).sum(new int[] {0, 2}, false).toDoubles();
        for (int i = 0; i < 100; i++) assertEquals(256 * i, sums[i], "part " + i);
    }

    @Test
    void gradientsThroughManySteps() {
        GRU net = new GRU(2, 3, RecurrentOptions.of().batchFirst(true));
        Tensor x = Tensor.from(new float[40 * 2], 1, 40, 2).requiresGrad_();
        net.call(x).sum().backward();
        double before = x.grad().narrow(1, 39, 1).sum().item();
        // Without inputs every step is alike, and the last step's gradient does not depend on how many there were
        // before it
        // once the state has settled.
        Tensor y = Tensor.from(new float[80 * 2], 1, 80, 2).requiresGrad_();
        net.call(y).sum().backward();
        assertEquals(before, y.grad().narrow(1, 79, 1).sum().item(), 1e-4);
    }
}
