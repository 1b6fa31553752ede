// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.data.Batch;
import io.sinter.data.DataLoader;
import io.sinter.data.LabelledImages;
import io.sinter.optim.AdamW;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The first steps of the digits' training are the same on a simulated GPU as on the CPU. */
class DigitsOnDevicesTest {
    private static final int STEPS = 4;

    private static List<Double> losses(Device device) {
        Options options = Options.fromProperties()
                .withThreads(2)
                .withBackend(Options.Backend.GENERATED)
                .withDevice(device);
        try (Session session = Session.open(options);
                Session.Scope _ = session.use()) {
            Sinter.manualSeed(1);
            LabelledImages digits = DigitsCommand.load();
            DigitsCommand.DigitsNet net = new DigitsCommand.DigitsNet();
            AdamW optimizer = new AdamW(net.parameters(), 3e-3);
            List<Double> losses = new ArrayList<>();
            net.train();
            for (Batch batch : DataLoader.of(digits, 8).shuffle(3)) {
                Tensor loss = F.crossEntropy(net.call(batch.x()), batch.y());
                optimizer.zeroGrad();
                loss.backward();
                optimizer.step();
                losses.add(loss.item());
                if (losses.size() == STEPS) break;
            }
            return losses;
        }
    }

    @Test
    void lossesAreTheSame() {
        List<Double> cpu = losses(Device.JVM);
        List<Double> gpu = losses(Device.PTX_SIM);
        assertTrue(cpu.getLast() < cpu.getFirst(), "training trains: " + cpu);
        for (int i = 0; i < STEPS; i++)
            assertEquals(cpu.get(i), gpu.get(i), 1e-4, "step " + i + " of " + cpu + ", " + gpu);
    }
}
