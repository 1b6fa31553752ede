// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.data.Batch;
import io.sinter.data.CharText;
import io.sinter.data.DataLoader;
import io.sinter.nn.Clip;
import io.sinter.nn.Embedding;
import io.sinter.nn.LayerNorm;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.nn.NetList;
import io.sinter.nn.TransformerBlock;
import io.sinter.optim.AdamW;
import io.sinter.optim.Scheduler;
import io.sinter.random.Generator;
import io.sinter.runtime.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sinter run chargpt --text FILE}: a small GPT that learns to write a text character by character,
 * then writes some.
 */
@Command(name = "chargpt", description = "Train a small GPT on the characters of --text, then let it write.")
final class CharGptCommand implements Runnable {
    private static final int STEPS = 600;
    private static final int WARMUP = 30;
    private static final double RATE = 3e-3;
    private static final double CLIP = 1;
    private static final int AVERAGED = 50;
    private static final double TEMPERATURE = 0.8;

    @Mixin
    private RunOptions options;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description = "Blocks (default: ${DEFAULT-VALUE}).",
            defaultValue = "4")
    private int layers;

    @Option(
            names = "--heads",
            paramLabel = "N",
            description = "Heads of attention (default: ${DEFAULT-VALUE}).",
            defaultValue = "4")
    private int heads;

    @Option(
            names = "--width",
            paramLabel = "N",
            description = "Features (default: ${DEFAULT-VALUE}).",
            defaultValue = "128")
    private int width;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Characters seen at once (default: ${DEFAULT-VALUE}).",
            defaultValue = "128")
    private int context;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Stretches of text in a step (default: ${DEFAULT-VALUE}).",
            defaultValue = "32")
    private int batch;

    @Option(
            names = "--sample",
            paramLabel = "N",
            description = "Characters to write at the end (default: ${DEFAULT-VALUE}).",
            defaultValue = "400")
    private int sample;

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "Where the weights are saved (default: ${DEFAULT-VALUE}).",
            defaultValue = "runs/chargpt.safetensors")
    private Path weights;

    @Spec
    private CommandSpec spec;

    /** Numbers of characters [N, T] to the logits [N, T, vocabulary] of those that follow. */
    static final class CharGpt extends Net {
        private final Embedding characters;
        private final Embedding places;
        private final NetList<TransformerBlock> blocks = new NetList<>();
        private final LayerNorm norm;
        private final Linear head;
        private final Tensor numbers;

        CharGpt(int vocabulary, int context, int width, int layers, int heads) {
            characters = new Embedding(vocabulary, width);
            places = new Embedding(context, width);
            for (int i = 0; i < layers; i++) blocks.add(new TransformerBlock(width, heads, 0));
            norm = new LayerNorm(width);
            head = new Linear(width, vocabulary, false);
            numbers = buffer(Tensor.arange(context), false);
        }

        @Override
        public Tensor forward(Tensor x) {
            Tensor y = characters.call(x).add(places.call(numbers.narrow(0, 0, x.size(1))));
            for (TransformerBlock block : blocks) y = block.call(y);
            return head.call(norm.call(y));
        }
    }

    @Override
    public void run() {
        CharText text = read(options.text());
        try (DemoRun run = new DemoRun(options, spec.commandLine().getOut())) {
            train(run, text);
        }
    }

    private CharText read(Path file) {
        try {
            return new CharText(Files.readString(file), context);
        } catch (IOException e) {
            throw new CommandFailure("cannot read the text " + file + ": " + Reason.of(e), e);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(file + ": " + e.getMessage(), e);
        }
    }

    private void train(DemoRun run, CharText text) {
        CharGpt net = newNet(text);
        long steps = options.steps().orElse(STEPS);
        DataLoader<Batch> batches =
                DataLoader.of(text, batch).shuffle(options.seed()).dropLast().workers(1);
        if (batches.batches() == 0)
            throw new CommandFailure("the text is too short for a batch of " + batch + " stretches");
        AdamW optimizer =
                new AdamW(net.parameters(), options.rate(RATE)).betas(0.9, 0.95).weightDecay(0.1);
        Scheduler rates = Scheduler.warmupCosine(optimizer, Math.min(WARMUP, steps / 2), steps, 0.1);
        run.say(
                "%,d characters, %d different; %,d parameters",
                text.size() + context, text.vocabularySize(), net.parameterCount());

        long began = System.nanoTime();
        double[] losses = new double[(int) steps];
        Iterator<Batch> data = batches.iterator();
        try (ProgressBar bar = ClassifierTraining.bar("training", steps, " steps")) {
            for (int step = 0; step < steps; step++) {
                if (!data.hasNext()) data = batches.iterator();
                Batch b = data.next();
                Tensor logits = net.call(b.x());
                Tensor loss = F.crossEntropy(logits.reshape(-1, text.vocabularySize()), b.y().reshape(-1));
                optimizer.zeroGrad();
                loss.backward();
                Clip.clipGradNorm_(net.parameters(), CLIP);
                optimizer.step();
                rates.step();
                losses[step] = loss.item();
                bar.step();
                bar.setExtraMessage(String.format(Locale.ROOT, " loss %.4f", mean(losses, step + 1)));
            }
        }
        double seconds = DemoRun.seconds(System.nanoTime() - began);
        double loss = mean(losses, losses.length);

        CharGpt loaded = newNet(text);
        String hash = run.saveAndLoad(net, loaded, weights);
        run.say(
                "training loss %.4f (mean of the last %d steps) after %d steps in %.1f s; weights in %s",
                loss, Math.min(AVERAGED, losses.length), steps, seconds, weights);
        run.say("%s", write(loaded, text));
        run.result("train_loss", loss);
        run.result("steps", steps);
        run.result("train_seconds", seconds);
        run.result("tokens_per_second", steps * (double) batch * context / seconds);
        run.result("weights_sha256", hash);
        run.finish();
    }

    private CharGpt newNet(CharText text) {
        try {
            return new CharGpt(text.vocabularySize(), context, width, layers, heads);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure("no such network: " + e.getMessage(), e);
        }
    }

    private static double mean(double[] losses, int n) {
        int from = Math.max(0, n - AVERAGED);
        return Arrays.stream(losses, from, n).average().orElse(Double.NaN);
    }

    /**
     * Characters drawn one by one. The network always sees a whole context, filled up behind with characters
     * that the causal attention keeps it from seeing: one shape, one program.
     */
    private String write(CharGpt net, CharText text) {
        net.eval();
        Generator draws = new Generator(options.seed());
        long[] written = new long[sample + 1]; // begins with the vocabulary's first character, a line end in most texts
        int vocabulary = text.vocabularySize();
        try (var _ = Sinter.noGrad()) {
            for (int n = 1; n < written.length; n++) {
                int from = Math.max(0, n - context);
                long[] window = Arrays.copyOf(Arrays.copyOfRange(written, from, n), context);
                float[] logits = net.call(Tensor.from(window, 1, context)).toFloats();
                written[n] = draw(logits, (n - from - 1) * vocabulary, vocabulary, draws);
            }
        }
        return text.decode(Arrays.copyOfRange(written, 1, written.length));
    }

    private static int draw(float[] logits, int at, int n, Generator draws) {
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) most = Math.max(most, logits[at + i]);
        double[] sums = new double[n];
        double sum = 0;
        for (int i = 0; i < n; i++) sums[i] = sum += Math.exp((logits[at + i] - most) / TEMPERATURE);
        double u = draws.nextDouble() * sum;
        int i = 0;
        while (i < n - 1 && sums[i] <= u) i++;
        return i;
    }
}
