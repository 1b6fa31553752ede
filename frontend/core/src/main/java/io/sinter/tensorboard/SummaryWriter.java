// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import com.google.protobuf.ByteString;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Writes what TensorBoard shows: scalars, histograms, images, texts, hyperparameters; {@code torch.utils.tensorboard.SummaryWriter} in PyTorch.
 *
 * <pre>{@code
 * try (SummaryWriter w = new SummaryWriter(Path.of("runs/first"))) {
 *     w.addScalar("loss/train", loss, step);
 * }
 * }</pre>
 *
 * <p>Then {@code tensorboard --logdir runs}. A tag's part before the first slash is the group that it is shown in. Steps are counted by the caller. May be
 * used by several threads. What is written to a folder that has event files goes on with them.
 */
public final class SummaryWriter implements AutoCloseable {
    private static final int STRING = 7; // DataType.DT_STRING

    private final Path folder;
    private final WriterOptions options;
    private final EventFile file;
    /** Runs of their own, by folder: {@link #addScalars}. */
    private final Map<Path, EventFile> others = new LinkedHashMap<>();

    private boolean closed;

    /** @param folder of this run; its parent is TensorBoard's {@code --logdir}. Made if it is not there */
    public SummaryWriter(Path folder) {
        this(folder, WriterOptions.DEFAULT);
    }

    /** @throws java.io.UncheckedIOException if no file can be made in {@code folder} */
    public SummaryWriter(Path folder, WriterOptions options) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.options = options;
        file = new EventFile(folder, options);
    }

    /** A number. */
    public void addScalar(String tag, double value, long step) {
        write(file, step, value(tag).single(2, (float) value));
    }

    /** A tensor of one element: reading it runs what it needs. */
    public void addScalar(String tag, Tensor value, long step) {
        addScalar(tag, value.item(), step);
    }

    /** Several numbers in one diagram: each is a run of its own in the folder {@code group_name}, as in PyTorch. */
    public void addScalars(String group, Map<String, Double> values, long step) {
        values.forEach((name, v) -> {
            Path place = folder.resolve((group + "_" + name).replace('/', '_'));
            write(other(place), step, value(group).single(2, v.floatValue()));
        });
    }

    private synchronized EventFile other(Path place) {
        checkOpen();
        return others.computeIfAbsent(place, p -> new EventFile(p, options));
    }

    /**
     * How values are distributed.
     *
     * @throws IllegalArgumentException if there are none, or one is not finite
     */
    public void addHistogram(String tag, Tensor values, long step) {
        addHistogram(tag, values.toDoubles(), step);
    }

    /** As {@link #addHistogram(String, Tensor, long)}. */
    public void addHistogram(String tag, double[] values, long step) {
        write(file, step, value(tag).message(5, Histogram.of(tag, values)));
    }

    /**
     * A picture.
     *
     * @param image [C, H, W] with 1, 3 or 4 channels; u8, or floats from 0 to 1 (what is outside is cut off)
     * @throws IllegalArgumentException if it is no such tensor
     */
    public void addImage(String tag, Tensor image, long step) {
        long[] dims = image.shape();
        boolean fits = dims.length == 3 && (dims[0] == 1 || dims[0] == 3 || dims[0] == 4) && dims[1] > 0 && dims[2] > 0;
        if (!fits || !(image.dtype() == DType.U8 || image.dtype().isFloat()))
            throw new IllegalArgumentException("image '" + tag + "' is " + image.dtype() + Arrays.toString(dims)
                    + "; it must be [C, H, W] with 1, 3 or 4 channels, u8 or floats from 0 to 1");
        int channels = (int) dims[0];
        int height = Math.toIntExact(dims[1]);
        int width = Math.toIntExact(dims[2]);
        double scale = image.dtype() == DType.U8 ? 1 : 255;
        double[] values = image.toDoubles();
        byte[] pixels = new byte[values.length];
        for (int c = 0; c < channels; c++) {
            for (int i = 0; i < height * width; i++) {
                double v = scale * values[c * height * width + i];
                pixels[i * channels + c] = (byte) Math.max(0, Math.min(255, (int) v)); // PyTorch truncates, too
            }
        }
        Message m = new Message()
                .integer(1, height)
                .integer(2, width)
                .integer(3, channels)
                .bytes(4, ByteString.copyFrom(Png.of(pixels, width, height, channels)));
        write(file, step, value(tag).message(4, m));
    }

    /**
     * Several images as one, rows of eight with two black pixels between: {@link ImageGrid#DEFAULT}. PyTorch's {@code add_images} puts nothing between:
     * {@code ImageGrid.DEFAULT.withPadding(0, 0)}.
     *
     * @param images [N, C, H, W] with 1, 3 or 4 channels; u8, or floats from 0 to 1 (what is outside is cut off)
     * @throws IllegalArgumentException if it is no such tensor
     */
    public void addImages(String tag, Tensor images, long step) {
        addImages(tag, images, ImageGrid.DEFAULT, step);
    }

    /** As {@link #addImages(String, Tensor, long)}, put together as {@code grid} says. */
    public void addImages(String tag, Tensor images, ImageGrid grid, long step) {
        Tensor one;
        try {
            one = grid.of(images);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("images '" + tag + "': " + e.getMessage(), e);
        }
        addImage(tag, one, step);
    }

    /** A text, in Markdown. */
    public void addText(String tag, String text, long step) {
        Message shape = new Message().message(2, new Message().integer(1, 1));
        Message tensor = new Message()
                .integer(1, STRING)
                .message(2, shape)
                .bytes(8, ByteString.copyFrom(text, StandardCharsets.UTF_8));
        write(
                file,
                step,
                plugin(value(tag + "/text_summary"), "text", ByteString.EMPTY).message(8, tensor));
    }

    /**
     * What a run was made with, and what came of it, for the tab of hyperparameters.
     *
     * @param hyperparameters numbers, booleans and texts
     * @param metrics shown beside them
     */
    public void addHparams(Map<String, ?> hyperparameters, Map<String, Double> metrics) {
        Message experiment = new Message();
        Message started = new Message();
        hyperparameters.forEach((name, v) -> {
            Message value = new Message();
            int type =
                    switch (v) {
                        case Boolean b -> {
                            value.bool(4, b);
                            yield 2;
                        }
                        case Number n -> {
                            value.number(2, n.doubleValue());
                            yield 3;
                        }
                        case String s -> {
                            value.text(3, s);
                            yield 1;
                        }
                        default ->
                            throw new IllegalArgumentException("hyperparameter '" + name + "' is a "
                                    + v.getClass().getName() + "; it must be a number, a boolean or a text");
                    };
            experiment.message(4, new Message().text(1, name).integer(4, type));
            started.message(1, new Message().text(1, name).message(2, value));
        });
        metrics.keySet().forEach(name -> experiment.message(5, new Message().message(1, new Message().text(2, name))));
        hparams("experiment", 2, experiment);
        hparams("session_start_info", 3, started);
        hparams("session_end_info", 4, new Message().integer(1, 1)); // STATUS_SUCCESS
        metrics.forEach((name, v) -> addScalar(name, v, 0));
    }

    private void hparams(String what, int field, Message content) {
        Message data = new Message().integer(1, 0).message(field, content);
        write(file, 0, plugin(value("_hparams_/" + what), "hparams", data.toBytes()));
    }

    private static Message value(String tag) {
        return new Message().text(1, tag);
    }

    /** Says whose a value is. */
    private static Message plugin(Message value, String name, ByteString content) {
        Message data = new Message().text(1, name);
        if (!content.isEmpty()) data.bytes(2, content);
        return value.message(9, new Message().message(1, data));
    }

    private synchronized void write(EventFile to, long step, Message value) {
        checkOpen();
        to.write(EventFile.event(step).message(5, new Message().message(1, value)));
    }

    private void checkOpen() {
        if (closed) throw new IllegalStateException("this SummaryWriter of " + folder + " was closed");
    }

    /** Events so far are in the files when this returns. */
    public synchronized void flush() {
        checkOpen();
        file.flush();
        others.values().forEach(EventFile::flush);
    }

    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        file.close();
        others.values().forEach(EventFile::close);
    }
}
