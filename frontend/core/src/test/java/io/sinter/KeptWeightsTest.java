// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.sinter.nn.Conv2d;
import io.sinter.nn.ConvOptions;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.nn.ReLU;
import io.sinter.nn.Sequential;
import io.sinter.optim.Adam;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Inference between training steps, writes and loading sees the weights as they are, whatever kernels have kept of them. */
class KeptWeightsTest {
    private static final ConvOptions PADDED = ConvOptions.of().padding(1);

    private Net net;
    private Tensor x;

    private static Net make() {
        return new Sequential(
                new Conv2d(32, 48, 3, PADDED), new ReLU(), new Conv2d(48, 32, 3, PADDED), new Linear(8, 40));
    }

    /** What the net gives, three times over, as copies of its weights give it. */
    private float[] infer() {
        float[][] got = new float[3][];
        try (var _ = Sinter.noGrad()) {
            for (int i = 0; i < got.length; i++) got[i] = net.call(x).toFloats();
            Net copy = make();
            copy.loadStateDict(net.stateDict());
            assertArrayEquals(copy.call(x).toFloats(), got[0]);
        }
        assertArrayEquals(got[0], got[1]);
        assertArrayEquals(got[0], got[2]);
        return got[0];
    }

    @Test
    void stepsWritesAndLoading() {
        try (Session session = Session.open(Options.fromProperties().withThreads(2));
                var _ = session.use()) {
            net = make();
            x = Tensor.randn(2, 32, 8, 8);
            check();
        }
    }

    private void check() {
        Adam adam = new Adam(net.parameters(), 1e-2);
        float[] last = infer();
        for (int step = 0; step < 3; step++) {
            net.call(x).square().mean().backward();
            adam.step();
            adam.zeroGrad();
            last = differs(last);
        }
        try (var _ = Sinter.noGrad()) {
            net.parameters().getFirst().mul_(2);
            last = differs(last);
            // One element of a view.
            net.parameters().getFirst().get(3).get(5).fill_(1);
            last = differs(last);
            net.parameters().get(2).copy_(Tensor.randn(net.parameters().get(2).shape()));
            differs(last);
        }
    }

    private float[] differs(float[] before) {
        float[] now = infer();
        assertFalse(Arrays.equals(before, now));
        return now;
    }
}
