// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.data.Batch;
import io.sinter.data.DataLoader;
import io.sinter.nn.Net;
import io.sinter.optim.AdamW;
import io.sinter.optim.Optimizer;
import io.sinter.optim.Scheduler;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Supplier;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** The training loop of the demos that classify images. */
final class ClassifierTraining {
    private final Net net;
    private final Optimizer optimizer;
    private final DataLoader<Batch> batches;
    /** Optimizer steps made. */
    private long steps;
    /** Images trained on, each time it was. */
    private long samples;

    private ClassifierTraining(Net net, Optimizer optimizer, DataLoader<Batch> batches) {
        this.net = net;
        this.optimizer = optimizer;
        this.batches = batches;
    }

    /**
     * Trains for {@code epochs} epochs, or {@code maxSteps} steps if they are fewer.
     *
     * @param schedule of the learning rate, by the number of all steps
     */
    private void run(int epochs, long maxSteps, Function<Long, Scheduler> schedule) {
        long total = Math.min(epochs * batches.batches(), maxSteps);
        Scheduler rates = schedule.apply(total);
        net.train();
        try (ProgressBar bar = bar("training", total * batches.samples() / batches.batches(), " images")) {
            for (int epoch = 1; steps < total; epoch++) epoch(epoch + "/" + epochs, total, rates, bar);
        }
    }

    private void epoch(String name, long total, Scheduler rates, ProgressBar bar) {
        double loss = 0;
        long correct = 0;
        long seen = 0;
        for (Batch batch : batches) {
            Tensor logits = net.call(batch.x());
            Tensor batchLoss = F.crossEntropy(logits, batch.y());
            Tensor batchCorrect = logits.argmax(1).eq(batch.y()).sum();
            optimizer.zeroGrad();
            batchLoss.backward();
            optimizer.step();
            rates.step();

            loss += batchLoss.item() * batch.size();
            correct += batchCorrect.itemLong();
            seen += batch.size();
            samples += batch.size();
            bar.stepTo(samples);
            bar.setExtraMessage(String.format(
                    Locale.ROOT, " epoch %s loss %.4f accuracy %.2f %%", name, loss / seen, 100.0 * correct / seen));
            if (++steps == total) break;
        }
    }

    /**
     * How a demo trains: AdamW whose rate rises over the first of {@code warmup} parts of the steps and falls along a cosine.
     *
     * @param epochs if the user does not say how many
     */
    record Recipe(int epochs, double rate, int warmup) {}

    /**
     * A demo from its data to its results: trains a net, tests it, saves its weights, loads them into another net and tests that again.
     *
     * @param nets makes a net
     * @param weights the file for the weights
     */
    static void demo(
            DemoRun run,
            RunOptions options,
            Recipe recipe,
            Supplier<? extends Net> nets,
            DataLoader<Batch> train,
            DataLoader<Batch> test,
            Path weights) {
        Net net = nets.get();
        run.say(
                "%,d images to train on, %,d held out; %,d parameters",
                train.samples(), test.samples(), net.parameterCount());
        long began = System.nanoTime();
        AdamW optimizer = new AdamW(net.parameters(), options.rate(recipe.rate));
        ClassifierTraining training = new ClassifierTraining(net, optimizer, train);
        training.run(
                options.epochs(recipe.epochs),
                options.steps().orElse(Integer.MAX_VALUE),
                steps -> Scheduler.warmupCosine(optimizer, steps / recipe.warmup, steps, 0));
        double seconds = DemoRun.seconds(System.nanoTime() - began);
        double accuracy = accuracy(net, test);

        Net loaded = nets.get();
        String hash = run.saveAndLoad(net, loaded, weights);
        double again = accuracy(loaded, test);
        if (again != accuracy) {
            throw new CommandFailure(
                    "the weights loaded from " + weights + " give another accuracy: " + again + ", not " + accuracy);
        }
        double speed = training.samples / seconds;
        run.say(
                "test accuracy %.2f %% after %d steps in %.1f s (%,.0f images/s); weights in %s, loaded and tested again: %.2f %%",
                100 * accuracy, training.steps, seconds, speed, weights, 100 * again);
        run.result("test_accuracy", accuracy);
        run.result("train_seconds", seconds);
        run.result("images_per_second", speed);
        run.result("steps", training.steps);
        run.result("weights_sha256", hash);
        run.finish();
    }

    /** The part of the samples that {@code net} puts into the right class. */
    private static double accuracy(Net net, DataLoader<Batch> batches) {
        long correct = 0;
        net.eval();
        try (var _ = Sinter.noGrad()) {
            for (Batch batch : batches)
                correct += net.call(batch.x()).argmax(1).eq(batch.y()).sum().itemLong();
        }
        return (double) correct / batches.samples();
    }

    /** A bar with speed and remaining time; outside a terminal it is written less often. Not where lines of the log would come into it. */
    static ProgressBar bar(String task, long most, String unit) {
        ProgressBarBuilder builder = new ProgressBarBuilder();
        if (System.getProperty("sinter.log") != null) builder.setConsumer(new DelegatingProgressBarConsumer(_ -> {}));
        return builder.setTaskName(task)
                .setInitialMax(most)
                .setUnit(unit, 1)
                .setStyle(ProgressBarStyle.ASCII)
                .showSpeed()
                .setMaxRenderedLength(130)
                .setUpdateIntervalMillis(System.console() == null ? 2_000 : 200)
                .build();
    }
}
