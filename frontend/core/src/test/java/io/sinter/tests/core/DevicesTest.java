// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.TensorException;
import io.sinter.nn.Linear;
import io.sinter.optim.SGD;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import org.junit.jupiter.api.Test;

/** Tensors on a device with memory of its own, and on two devices at once. */
class DevicesTest {
    private static Session open(Device device) {
        return Session.open(Options.fromProperties().withThreads(2).withDevice(device));
    }

    private static void assertNames(TensorException e, String operator) {
        for (String part : new String[] {operator, "f32[3]", "jvm", "ptx-sim", "DevicesTest.java:"})
            assertTrue(e.getMessage().contains(part), part + " is not in: " + e.getMessage());
    }

    @Test
    void tensorsOfTwoDevicesAreRefusedAtTheCall() {
        try (Session jvm = open(Device.JVM);
                Session gpu = open(Device.PTX_SIM)) {
            Tensor a;
            try (var _ = jvm.use()) {
                a = Tensor.of(1., 2., 3.).toFloat().add(1);
                a.toFloats();
            }
            try (var _ = gpu.use()) {
                Tensor b = Tensor.of(4., 5., 6.).toFloat();
                b.toFloats();
                assertNames(assertThrows(TensorException.class, () -> a.mul(b)), "mul");
                assertArrayEquals(new float[] {5, 6, 7}, b.add(1).toFloats());
            }
        }
    }

    /** What was called in one session and is read in another is refused when it would run, with the line of the call. */
    @Test
    void pendingWorkRunsWhereItsTensorsAre() {
        try (Session jvm = open(Device.JVM);
                Session gpu = open(Device.PTX_SIM)) {
            Tensor y;
            try (var _ = jvm.use()) {
                Tensor a = Tensor.of(1., 2., 3.).toFloat().add(1);
                a.toFloats();
                y = a.exp();
            }
            try (var _ = gpu.use()) {
                assertNames(assertThrows(TensorException.class, y::toFloats), "exp");
            }
            try (var _ = jvm.use()) {
                assertEquals(Math.exp(2), y.toFloats()[0], 1e-5);
            }
        }
    }

    /** Steps of training, with donated memory, gradients and random numbers, are those of the JVM. */
    @Test
    void trainingStepsAgree() {
        double[] jvm = losses(Device.JVM);
        double[] gpu = losses(Device.PTX_SIM);
        assertArrayEquals(jvm, gpu, 1e-5);
        assertTrue(jvm[7] < jvm[0]);
    }

    private static double[] losses(Device device) {
        double[] losses = new double[8];
        try (Session session = open(device);
                var _ = session.use()) {
            Sinter.manualSeed(1);
            Linear net = new Linear(7, 5);
            SGD optimizer = new SGD(net.parameters(), 0.1);
            Tensor x = Tensor.randn(9, 7);
            Tensor target = Tensor.randint(0, 5, 9);
            Tensor[] each = new Tensor[losses.length];
            for (int i = 0; i < losses.length; i++) {
                each[i] = F.crossEntropy(net.call(x), target);
                optimizer.zeroGrad();
                each[i].backward();
                optimizer.step();
            }
            for (int i = 0; i < losses.length; i++) losses[i] = each[i].item();
        }
        return losses;
    }
}
