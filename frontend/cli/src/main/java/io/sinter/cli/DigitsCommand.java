// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.data.Batch;
import io.sinter.data.DataLoader;
import io.sinter.data.Dataset;
import io.sinter.data.LabelledImages;
import io.sinter.nn.Conv2d;
import io.sinter.nn.ConvOptions;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.random.Generator;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sinter run digits}: a small convolutional network on scikit-learn's 1,797 handwritten digits of 8×8
 * pixels.
 */
@Command(
        name = "digits",
        description = "Train a small convolutional network on 1,797 handwritten digits (built in); about 99 %% right.")
final class DigitsCommand implements Runnable {
    /** Fifteen times through the data: later epochs find nothing more. */
    private static final ClassifierTraining.Recipe RECIPE = new ClassifierTraining.Recipe(15, 3e-3, 10);
    /** Images in a step. */
    private static final int BATCH = 32;
    /** Held out for testing: the same images whatever the seed. */
    private static final int TEST_IMAGES = 357;

    @Mixin
    private RunOptions options;

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "Where the weights are saved (default: ${DEFAULT-VALUE}).",
            defaultValue = "runs/digits.safetensors")
    private Path weights;

    @Spec
    private CommandSpec spec;

    /** Two convolutions, a pooling, two linear layers: f32[N, 1, 8, 8] to the logits of ten classes. */
    static final class DigitsNet extends Net {
        private final Conv2d conv1 = new Conv2d(1, 16, 3, ConvOptions.of().padding(1));
        private final Conv2d conv2 = new Conv2d(16, 32, 3, ConvOptions.of().padding(1));
        private final Linear hidden = new Linear(32 * 4 * 4, 64);
        private final Linear out = new Linear(64, 10);

        @Override
        public Tensor forward(Tensor x) {
            x = conv1.call(x).relu();
            x = F.maxPool2d(conv2.call(x).relu(), 2);
            return out.call(hidden.call(x.flatten(1, -1)).relu());
        }
    }

    @Override
    public void run() {
        try (DemoRun run = new DemoRun(options, spec.commandLine().getOut())) {
            train(run);
        }
    }

    private void train(DemoRun run) {
        LabelledImages digits = load();
        long[] order = new Generator(0).permutation((int) digits.size());
        Dataset<Batch> test = digits.subset(Arrays.copyOf(order, TEST_IMAGES));
        Dataset<Batch> train = digits.subset(Arrays.copyOfRange(order, TEST_IMAGES, order.length));
        DataLoader<Batch> trainBatches =
                DataLoader.of(train, BATCH).shuffle(options.seed()).dropLast();
        DataLoader<Batch> testBatches = DataLoader.of(test, TEST_IMAGES);
        ClassifierTraining.demo(run, options, RECIPE, DigitsNet::new, trainBatches, testBatches, weights);
    }

    /** The images that come with Sinter; their pixels are 0 … 16. */
    static LabelledImages load() {
        try (InputStream in = DigitsCommand.class.getResourceAsStream("digits.csv.gz")) {
            if (in == null)
                throw new IllegalStateException("digits.csv.gz is not on the class path: the build is incomplete");
            return LabelledImages.csv(new GZIPInputStream(in), 8, 8).scale(16, 0.3, 0.37);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the built-in digits: " + e.getMessage(), e);
        }
    }
}
