// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.Tensor;
import io.sinter.data.Batch;
import io.sinter.data.DataLoader;
import io.sinter.data.LabelledImages;
import io.sinter.nn.Conv2d;
import io.sinter.nn.ConvOptions;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sinter run mnist --data DIR}: a network like LeNet-5 (LeCun et al., 1998) on MNIST's 60,000
 * handwritten digits.
 */
@Command(
        name = "mnist",
        description =
                "Train a convolutional network on MNIST (IDX files in --data); about 99 %% right after two epochs.")
final class MnistCommand implements Runnable {
    private static final ClassifierTraining.Recipe RECIPE = new ClassifierTraining.Recipe(2, 2e-3, 20);
    private static final int BATCH = 64;
    private static final int TEST_BATCH = 500;

    @Mixin
    private RunOptions options;

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "Where the weights are saved (default: ${DEFAULT-VALUE}).",
            defaultValue = "runs/mnist.safetensors")
    private Path weights;

    @Spec
    private CommandSpec spec;

    /** f32[N, 1, 28, 28] to the logits of ten classes; strides do the pooling (Springenberg et al., 2015). */
    static final class LeNet extends Net {
        private final Conv2d conv1 = new Conv2d(1, 16, 5, ConvOptions.of().stride(2));
        private final Conv2d conv2 = new Conv2d(16, 32, 5, ConvOptions.of().stride(2));
        private final Linear hidden = new Linear(32 * 4 * 4, 128);
        private final Linear out = new Linear(128, 10);

        @Override
        public Tensor forward(Tensor x) {
            x = conv1.call(x).relu();
            x = conv2.call(x).relu();
            return out.call(hidden.call(x.flatten(1, -1)).relu());
        }
    }

    @Override
    public void run() {
        LabelledImages train;
        LabelledImages test;
        try {
            train = LabelledImages.mnist(options.data(), true);
            test = LabelledImages.mnist(options.data(), false);
        } catch (UncheckedIOException | IllegalArgumentException e) {
            throw new CommandFailure(e.getMessage(), e);
        }
        try (DemoRun run = new DemoRun(options, spec.commandLine().getOut())) {
            train(run, train, test);
        }
    }

    private void train(DemoRun run, LabelledImages train, LabelledImages test) {
        DataLoader<Batch> trainBatches =
                DataLoader.of(train, BATCH).shuffle(options.seed()).dropLast().workers(1);
        DataLoader<Batch> testBatches = DataLoader.of(test, TEST_BATCH);
        ClassifierTraining.demo(run, options, RECIPE, LeNet::new, trainBatches, testBatches, weights);
    }
}
