// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.data.Batch;
import io.sinter.data.DataLoader;
import io.sinter.nn.Net;
import io.sinter.optim.Optimizer;
import io.sinter.optim.Scheduler;
import java.util.Locale;
import java.util.function.Function;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** The training loop of the demos that classify images. */
final class ClassifierTraining {
    private final Net net;
    private final Optimizer optimizer;
    private final DataLoader<Batch> batches;
    private long steps;
    private long samples;

    ClassifierTraining(Net net, Optimizer optimizer, DataLoader<Batch> batches) {
        this.net = net;
        this.optimizer = optimizer;
        this.batches = batches;
    }

    /** Optimizer steps made. */
    long steps() {
        return steps;
    }

    /** Images trained on, each time it was. */
    long samples() {
        return samples;
    }

    /**
     * Trains for {@code epochs} epochs, or {@code maxSteps} steps if they are fewer.
     *
     * @param schedule of the learning rate, by the number of all steps
     */
    void run(int epochs, long maxSteps, Function<Long, Scheduler> schedule) {
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

    /** The part of the samples that {@code net} puts into the right class. */
    static double accuracy(Net net, DataLoader<Batch> batches) {
        long correct = 0;
        net.eval();
        try (var _ = Sinter.noGrad()) {
            for (Batch batch : batches)
                correct += net.call(batch.x()).argmax(1).eq(batch.y()).sum().itemLong();
        }
        return (double) correct / batches.samples();
    }

    /** A bar with speed and remaining time; outside a terminal it is written less often. */
    static ProgressBar bar(String task, long most, String unit) {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(most)
                .setUnit(unit, 1)
                .setStyle(ProgressBarStyle.ASCII)
                .showSpeed()
                .setMaxRenderedLength(130)
                .setUpdateIntervalMillis(System.console() == null ? 2_000 : 200)
                .build();
    }
}
