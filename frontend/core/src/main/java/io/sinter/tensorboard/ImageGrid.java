// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How several images are put together to one; {@code torchvision.utils.make_grid} in PyTorch.
 *
 * @param columns images of a row; fewer if there are not so many ({@code nrow} in PyTorch)
 * @param padding pixels between images, and around them
 * @param padValue what those are
 * @param normalize whether values are mapped to 0 … 1
 * @param range what of them is: values outside are cut off ({@code value_range}); null: from the least of all images to the greatest
 * @param scaleEach whether, without a range, each image has its own
 */
public record ImageGrid(int columns, int padding, double padValue, boolean normalize, Range range, boolean scaleEach) {
    /** Values from {@code low} to {@code high}. */
    public record Range(double low, double high) {
        public Range {
            if (!(low < high)) throw new IllegalArgumentException("values from " + low + " to " + high + ": no range");
        }
    }

    /** Rows of eight images, two black pixels between them, values as they are. */
    public static final ImageGrid DEFAULT = new ImageGrid(8, 2, 0, false, null, false);

    /** What PyTorch divides by where all values are equal. */
    private static final double LEAST_WIDTH = 1e-5;

    public ImageGrid {
        if (columns < 1) throw new IllegalArgumentException("a grid of " + columns + " columns");
        if (padding < 0) throw new IllegalArgumentException("padding must not be negative: " + padding);
        if (!normalize && (range != null || scaleEach))
            throw new IllegalArgumentException("a range, and images by themselves, are of use with normalize only");
    }

    /** With rows of so many images. */
    public ImageGrid withColumns(int columns) {
        return new ImageGrid(columns, padding, padValue, normalize, range, scaleEach);
    }

    /** With other pixels between images. */
    public ImageGrid withPadding(int padding, double value) {
        return new ImageGrid(columns, padding, value, normalize, range, scaleEach);
    }

    /** With values mapped to 0 … 1, from the least of all to the greatest. */
    public ImageGrid withNormalize() {
        return new ImageGrid(columns, padding, padValue, true, null, false);
    }

    /** With values from {@code low} to {@code high} mapped to 0 … 1. */
    public ImageGrid withNormalize(double low, double high) {
        return new ImageGrid(columns, padding, padValue, true, new Range(low, high), false);
    }

    /** With the values of each image mapped to 0 … 1. */
    public ImageGrid withNormalizeEach() {
        return new ImageGrid(columns, padding, padValue, true, null, true);
    }

    /**
     * One image of many. A single one stays as it is, without padding; grey ones get three channels, as in PyTorch.
     *
     * @param images [N, C, H, W] with 1, 3 or 4 channels; u8 or floats, floats where values are mapped
     * @return [C', rows · (H + padding) + padding, columns · (W + padding) + padding] of the images' dtype
     * @throws IllegalArgumentException if it is no such tensor
     */
    public Tensor of(Tensor images) {
        long[] dims = images.shape();
        DType dtype = images.dtype();
        boolean fits = dims.length == 4
                && dims[0] > 0
                && (dims[1] == 1 || dims[1] == 3 || dims[1] == 4)
                && dims[2] > 0
                && dims[3] > 0;
        if (!fits || !(dtype == DType.U8 || dtype.isFloat()))
            throw new IllegalArgumentException("images are " + dtype + Arrays.toString(dims)
                    + "; they must be [N, C, H, W] with 1, 3 or 4 channels, u8 or floats");
        if (normalize && !dtype.isFloat())
            throw new IllegalArgumentException(
                    "images are " + dtype + ", whose values cannot be mapped to 0 … 1; they must be floats");
        double[] values = (normalize ? normalized(images.detach()) : images).toDoubles();
        int n = Math.toIntExact(dims[0]);
        int channels = Math.toIntExact(dims[1]);
        int height = Math.toIntExact(dims[2]);
        int width = Math.toIntExact(dims[3]);
        int depth = channels == 1 ? 3 : channels;
        int border = n == 1 ? 0 : padding;
        int across = Math.min(columns, n);
        int down = (n + across - 1) / across;
        int totalHeight = Math.addExact(Math.multiplyExact(down, height + border), border);
        int totalWidth = Math.addExact(Math.multiplyExact(across, width + border), border);
        double[] grid = new double[Math.multiplyExact(depth, Math.multiplyExact(totalHeight, totalWidth))];
        Arrays.fill(grid, padValue);
        for (int k = 0; k < n; k++) {
            int top = k / across * (height + border) + border;
            int left = k % across * (width + border) + border;
            for (int c = 0; c < depth; c++) {
                int channel = channels == 1 ? 0 : c;
                for (int y = 0; y < height; y++) {
                    int from = ((k * channels + channel) * height + y) * width;
                    System.arraycopy(values, from, grid, (c * totalHeight + top + y) * totalWidth + left, width);
                }
            }
        }
        return Tensor.from(grid).to(dtype).reshape(depth, totalHeight, totalWidth);
    }

    private Tensor normalized(Tensor images) {
        if (range != null) return mapped(images, range.low, range.high);
        if (!scaleEach) return mapped(images, images.min().item(), images.max().item());
        List<Tensor> each = new ArrayList<>();
        for (long i = 0; i < images.size(0); i++) {
            Tensor image = images.get(i);
            each.add(mapped(image, image.min().item(), image.max().item()));
        }
        return F.stack(each, 0);
    }

    private static Tensor mapped(Tensor t, double low, double high) {
        return t.clamp(low, high).sub(low).div(Math.max(high - low, LEAST_WIDTH));
    }
}
