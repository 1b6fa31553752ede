// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.nn.Net;
import io.sinter.optim.SGD;

/** Models of the benchmark for tests that look into their programs. */
public final class DumpedModels {
    private DumpedModels() {}

    /** A training step of ResNet-18 on two small images. */
    public static void trainResnet18() {
        Net net = Models.resnet18();
        SGD optimizer = new SGD(net.parameters(), 1e-2).momentum(0.9);
        Tensor loss = F.crossEntropy(net.call(Tensor.randn(2, 3, 33, 33)), Tensor.randint(0, 1000, 2));
        loss.backward();
        optimizer.step();
    }
}
