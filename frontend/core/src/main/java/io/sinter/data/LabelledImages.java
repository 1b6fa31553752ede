// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import io.sinter.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Grey images in memory, one byte a pixel, with a class each. Batches are f32[N, 1, height, width],
 * normalised, and i64[N].
 */
public final class LabelledImages implements Dataset<Batch> {
    private final byte[] pixels;
    private final byte[] labels;
    private final int height;
    private final int width;
    /** The normalised value of each byte. */
    private final float[] values = new float[256];

    /**
     * Images from bytes.
     *
     * @param pixels row-major, image after image
     * @param labels one class for each image
     * @throws IllegalArgumentException if the sizes do not fit
     */
    public LabelledImages(byte[] pixels, byte[] labels, int height, int width) {
        if (height < 1 || width < 1 || (long) labels.length * height * width != pixels.length) {
            throw new IllegalArgumentException(
                    pixels.length + " pixels are not " + labels.length + " images of " + height + "×" + width);
        }
        this.pixels = pixels;
        this.labels = labels;
        this.height = height;
        this.width = width;
        scale(255, 0, 1);
    }

    /**
     * MNIST's files, {@code train-images-idx3-ubyte} and so on, plain or with {@code .gz}, scaled to mean 0
     * and deviation 1 as usual.
     *
     * @param train the 60,000 for training, else the 10,000 for testing
     * @throws UncheckedIOException if the folder or a file is missing
     * @throws IllegalArgumentException if a file is not what it should be
     */
    public static LabelledImages mnist(Path folder, boolean train) {
        if (!Files.isDirectory(folder)) {
            throw new UncheckedIOException(new IOException("there is no folder " + folder
                    + "; it should hold MNIST's four IDX files (train-images-idx3-ubyte.gz, …)"));
        }
        String prefix = train ? "train" : "t10k";
        Idx images = Idx.read(file(folder, prefix + "-images-idx3-ubyte"));
        Idx labels = Idx.read(file(folder, prefix + "-labels-idx1-ubyte"));
        if (images.shape().length != 3 || labels.shape().length != 1 || images.shape()[0] != labels.shape()[0]) {
            throw new IllegalArgumentException("MNIST's files in " + folder + " do not fit together: images "
                    + Arrays.toString(images.shape()) + ", labels " + Arrays.toString(labels.shape()));
        }
        return new LabelledImages(images.bytes(), labels.bytes(), images.shape()[1], images.shape()[2])
                .scale(255, 0.1307, 0.3081);
    }

    private static Path file(Path folder, String name) {
        Path zipped = folder.resolve(name + ".gz");
        Path plain = folder.resolve(name);
        if (Files.exists(zipped) || !Files.exists(plain)) return zipped;
        return plain;
    }

    /**
     * Lines of numbers with commas between: the pixels of an image, then its class, all in 0 … 255.
     *
     * @throws UncheckedIOException if the stream fails
     * @throws IllegalArgumentException naming the line that is not such
     */
    public static LabelledImages csv(InputStream in, int height, int width) {
        List<byte[]> rows = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                rows.add(row(line, rows.size() + 1, height * width + 1));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read images: " + e.getMessage(), e);
        }
        byte[] pixels = new byte[rows.size() * height * width];
        byte[] labels = new byte[rows.size()];
        for (int i = 0; i < labels.length; i++) {
            System.arraycopy(rows.get(i), 0, pixels, i * height * width, height * width);
            labels[i] = rows.get(i)[height * width];
        }
        return new LabelledImages(pixels, labels, height, width);
    }

    private static byte[] row(String line, int number, int columns) {
        String[] fields = line.split(",", -1);
        if (fields.length != columns) {
            throw new IllegalArgumentException("line " + number + " has " + fields.length + " numbers, not " + columns);
        }
        byte[] out = new byte[columns];
        for (int i = 0; i < columns; i++) {
            int v;
            try {
                v = Integer.parseInt(fields[i].strip());
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("line " + number + ": '" + fields[i] + "' is no whole number", e);
            }
            if (v < 0 || v > 255)
                throw new IllegalArgumentException("line " + number + ": " + v + " is not in 0 … 255");
            out[i] = (byte) v;
        }
        return out;
    }

    /** Normalises pixels as {@code (byte / most - mean) / std}. */
    public LabelledImages scale(double most, double mean, double std) {
        for (int i = 0; i < values.length; i++) values[i] = (float) ((i / most - mean) / std);
        return this;
    }

    @Override
    public long size() {
        return labels.length;
    }

    @Override
    public Batch batch(long[] indices) {
        int area = height * width;
        float[] x = new float[indices.length * area];
        long[] y = new long[indices.length];
        for (int k = 0; k < indices.length; k++) {
            int image = Math.toIntExact(indices[k]);
            y[k] = labels[image] & 0xff;
            for (int i = 0; i < area; i++) x[k * area + i] = values[pixels[image * area + i] & 0xff];
        }
        return new Batch(Tensor.from(x, indices.length, 1, height, width), Tensor.from(y, indices.length));
    }
}
