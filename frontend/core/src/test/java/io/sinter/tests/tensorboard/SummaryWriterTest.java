// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.tensorboard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.tensorboard.ImageGrid;
import io.sinter.tensorboard.SummaryWriter;
import io.sinter.tensorboard.WriterOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written, read back byte by byte. */
class SummaryWriterTest {
    @TempDir
    private Path folder;

    /** The events after the first, which says the version. */
    private List<UnknownFieldSet> written(WriterOptions options, Consumer<SummaryWriter> what) throws IOException {
        double before = System.currentTimeMillis() / 1e3;
        try (SummaryWriter w = new SummaryWriter(folder, options)) {
            what.accept(w);
        }
        List<UnknownFieldSet> events = EventFiles.read(EventFiles.only(folder));
        assertEquals("brain.Event:2", EventFiles.text(events.getFirst(), 3));
        for (UnknownFieldSet e : events) assertTrue(EventFiles.number(e, 1) >= before, "wall time in seconds");
        return events.subList(1, events.size());
    }

    private static UnknownFieldSet value(UnknownFieldSet event) throws IOException {
        return EventFiles.message(EventFiles.message(event, 5), 1);
    }

    private UnknownFieldSet one(Consumer<SummaryWriter> what) throws IOException {
        List<UnknownFieldSet> events = written(WriterOptions.DEFAULT, what);
        assertEquals(1, events.size());
        return value(events.getFirst());
    }

    private static float single(UnknownFieldSet value) {
        return Float.intBitsToFloat(value.getField(2).getFixed32List().getFirst());
    }

    @Test
    void scalars() throws IOException {
        List<UnknownFieldSet> events = written(WriterOptions.DEFAULT, w -> {
            for (int i = 0; i < 300; i++) w.addScalar("loss/train", 1.5 / (i + 1), i);
            w.addScalar("t", Tensor.of(2.25), 1L << 40);
        });
        assertEquals(301, events.size());
        for (int i = 0; i < 300; i++) {
            assertEquals(i, EventFiles.integer(events.get(i), 2));
            assertEquals("loss/train", EventFiles.text(value(events.get(i)), 1));
            assertEquals((float) (1.5 / (i + 1)), single(value(events.get(i))));
        }
        assertEquals(1L << 40, EventFiles.integer(events.get(300), 2));
        assertEquals(2.25f, single(value(events.get(300))));
    }

    @Test
    void severalScalarsAreRunsOfTheirOwn() throws IOException {
        written(WriterOptions.DEFAULT, w -> w.addScalars("loss", Map.of("train", 1.0, "a/b", 2.0), 3));
        UnknownFieldSet event =
                EventFiles.read(EventFiles.only(folder.resolve("loss_a_b"))).get(1);
        assertEquals("loss", EventFiles.text(value(event), 1));
        assertEquals(2f, single(value(event)));
        assertEquals(3, EventFiles.integer(event, 2));
        assertTrue(Files.isDirectory(folder.resolve("loss_train")));
    }

    @Test
    void histograms() throws IOException {
        double[] values = {-3, -1e-20, 0, 0.5, 0.5, 7, 1e30};
        UnknownFieldSet h = EventFiles.message(one(w -> w.addHistogram("weights", values, 1)), 5);
        assertEquals(-3, EventFiles.number(h, 1));
        assertEquals(1e30, EventFiles.number(h, 2));
        assertEquals(7, EventFiles.number(h, 3));
        assertEquals(Arrays.stream(values).sum(), EventFiles.number(h, 4));
        assertEquals(Arrays.stream(values).map(v -> v * v).sum(), EventFiles.number(h, 5));
        double[] limits = EventFiles.numbers(h, 6);
        double[] counts = EventFiles.numbers(h, 7);
        assertEquals(limits.length, counts.length);
        assertEquals(7, Arrays.stream(counts).sum());
        assertEquals(0, counts[0], "where the first bucket begins");
        for (int i = 1; i < limits.length; i++) {
            double low = limits[i - 1];
            double high = limits[i];
            assertTrue(low < high);
            assertEquals(
                    Arrays.stream(values).filter(v -> v >= low && v < high).count(), counts[i], low + " to " + high);
        }
        assertThrows(IllegalStateException.class, () -> closed().addHistogram("x", values, 0));
    }

    /** The last bucket has its end, too, which no other begins with. */
    @Test
    void theLargestNumbersAreInTheOutermostBuckets() throws IOException {
        double max = Double.MAX_VALUE;
        UnknownFieldSet h = EventFiles.message(one(w -> w.addHistogram("x", new double[] {max, -max, max}, 1)), 5);
        double[] limits = EventFiles.numbers(h, 6);
        double[] counts = EventFiles.numbers(h, 7);
        assertEquals(-max, limits[0]);
        assertEquals(max, limits[limits.length - 1]);
        assertEquals(1, counts[1]);
        assertEquals(2, counts[counts.length - 1]);
        assertEquals(3, Arrays.stream(counts).sum());
    }

    private SummaryWriter closed() {
        SummaryWriter w = new SummaryWriter(folder.resolve("closed"));
        w.close();
        w.close();
        return w;
    }

    @Test
    void images() throws IOException {
        // Two rows of three pixels, each channel another gradient.
        Tensor image = Tensor.of(new double[] {0, .2, .4, .6, .8, 1, 1, 1, 1, 0, 0, 0, -1, .5, 2, 0, 0, .25})
                .reshape(3, 2, 3);
        UnknownFieldSet i = EventFiles.message(one(w -> w.addImage("input", image, 1)), 4);
        assertEquals(
                List.of(2L, 3L, 3L),
                List.of(EventFiles.integer(i, 1), EventFiles.integer(i, 2), EventFiles.integer(i, 3)));
        var png = ImageIO.read(new ByteArrayInputStream(EventFiles.bytes(i, 4).toByteArray()));
        assertEquals(3, png.getWidth());
        assertEquals(2, png.getHeight());
        int[] expected = {0x00ff00, 0x33ff7f, 0x66ffff, 0x990000, 0xcc0000, 0xff003f};
        int[] pixels = new int[6];
        for (int p = 0; p < 6; p++) pixels[p] = png.getRGB(p % 3, p / 3) & 0xffffff;
        assertArrayEquals(expected, pixels);
    }

    @Test
    void greyImagesOfBytes() throws IOException {
        Tensor image = Tensor.of(new double[] {0, 100, 200, 255}).to(DType.U8).reshape(1, 2, 2);
        UnknownFieldSet i = EventFiles.message(one(w -> w.addImage("grey", image, 1)), 4);
        var png = ImageIO.read(new ByteArrayInputStream(EventFiles.bytes(i, 4).toByteArray()));
        assertEquals(100, png.getRaster().getSample(1, 0, 0));
        assertEquals(255, png.getRaster().getSample(1, 1, 0));
    }

    @Test
    void imagesThatCanBeSeenThrough() throws IOException {
        Tensor image = Tensor.of(new double[] {1, 0, 0, .5}).reshape(4, 1, 1);
        UnknownFieldSet i = EventFiles.message(one(w -> w.addImage("glass", image, 1)), 4);
        var png = ImageIO.read(new ByteArrayInputStream(EventFiles.bytes(i, 4).toByteArray()));
        assertEquals(0x7fff0000, png.getRGB(0, 0));
    }

    /** What {@code torchvision.utils.make_grid} gives for the same numbers. */
    @Test
    void gridsAreTorchvisions() {
        // Five images of 1 × 2 pixels: 1 2, 3 4, …
        Tensor grey = Tensor.of(1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10).reshape(5, 1, 1, 2);
        Tensor grid = ImageGrid.DEFAULT.withColumns(3).withPadding(1, 0.5).of(grey);
        assertArrayEquals(new long[] {3, 5, 10}, grid.shape());
        double p = 0.5;
        double[] one = {
            p, p, p, p, p, p, p, p, p, p, //
            p, 1, 2, p, 3, 4, p, 5, 6, p, //
            p, p, p, p, p, p, p, p, p, p, //
            p, 7, 8, p, 9, 10, p, p, p, p, //
            p, p, p, p, p, p, p, p, p, p
        };
        double[] values = grid.toDoubles();
        for (int c = 0; c < 3; c++) assertArrayEquals(one, Arrays.copyOfRange(values, c * 50, (c + 1) * 50));

        // One alone has no border; fewer than a row are a row.
        assertArrayEquals(
                new long[] {3, 1, 2}, ImageGrid.DEFAULT.of(grey.narrow(0, 0, 1)).shape());
        assertArrayEquals(
                new long[] {3, 5, 10},
                ImageGrid.DEFAULT.of(grey.narrow(0, 0, 2)).shape());
        // Channels stay where they are; nothing between.
        Tensor colours = Tensor.of(1.0, 2, 3, 4, 5, 6).reshape(2, 3, 1, 1);
        ImageGrid close = ImageGrid.DEFAULT.withPadding(0, 0);
        assertArrayEquals(new double[] {1, 4, 2, 5, 3, 6}, close.of(colours).toDoubles());
        Tensor bytes = colours.to(DType.U8);
        assertEquals(DType.U8, close.of(bytes).dtype());
        assertArrayEquals(new double[] {1, 4, 2, 5, 3, 6}, close.of(bytes).toDoubles());
    }

    @Test
    void gridsMapValues() {
        Tensor images = Tensor.of(-1.0, 0, 1, 3).reshape(2, 1, 1, 2);
        ImageGrid close = ImageGrid.DEFAULT.withPadding(0, 0);
        assertArrayEquals(
                new double[] {0, .25, .5, 1}, row(close.withNormalize().of(images)));
        assertArrayEquals(
                new double[] {0, 0, .5, 1}, row(close.withNormalize(0, 2).of(images)));
        assertArrayEquals(
                new double[] {0, 1, 0, 1}, row(close.withNormalizeEach().of(images)));
        // All the same: not divided by zero.
        assertArrayEquals(
                new double[] {0, 0, 0, 0}, row(close.withNormalize().of(Tensor.full(new long[] {2, 1, 1, 2}, 7))));
    }

    private static double[] row(Tensor grid) {
        return Arrays.copyOf(grid.toDoubles(), 4);
    }

    @Test
    void gridsAreWritten() throws IOException {
        Tensor images = Tensor.of(0, .2, .4, .6, .8, 1, 1, 1, 1, 0, 0, 0).reshape(2, 3, 1, 2);
        UnknownFieldSet i = EventFiles.message(one(w -> w.addImages("batch", images, 6)), 4);
        assertEquals(
                List.of(5L, 10L, 3L),
                List.of(EventFiles.integer(i, 1), EventFiles.integer(i, 2), EventFiles.integer(i, 3)));
        var png = ImageIO.read(new ByteArrayInputStream(EventFiles.bytes(i, 4).toByteArray()));
        int[] expected = {0, 0, 0x0066cc, 0x3399ff, 0, 0, 0xffff00, 0xff0000, 0, 0};
        for (int x = 0; x < 10; x++) {
            assertEquals(expected[x], png.getRGB(x, 2) & 0xffffff, "pixel " + x);
            for (int y : new int[] {0, 1, 3, 4}) assertEquals(0, png.getRGB(x, y) & 0xffffff, "border");
        }
    }

    @Test
    void texts() throws IOException {
        UnknownFieldSet v = one(w -> w.addText("notes", "größer **als** Null", 4));
        assertEquals("notes/text_summary", EventFiles.text(v, 1));
        assertEquals("text", EventFiles.text(EventFiles.message(EventFiles.message(v, 9), 1), 1));
        UnknownFieldSet tensor = EventFiles.message(v, 8);
        assertEquals(7, EventFiles.integer(tensor, 1));
        assertEquals("größer **als** Null", EventFiles.text(tensor, 8));
    }

    @Test
    void aRunThatGoesOnVoidsWhatCameAfter() throws IOException {
        WriterOptions options = WriterOptions.DEFAULT.withPurgeStep(70).withFilenameSuffix(".again");
        List<UnknownFieldSet> events = written(options, w -> w.addScalar("x", 1, 70));
        assertEquals(70, EventFiles.integer(events.getFirst(), 2));
        assertEquals(1, EventFiles.integer(EventFiles.message(events.getFirst(), 7), 1), "SessionLog.START");
        assertTrue(EventFiles.only(folder).toString().endsWith(".again"));
    }

    @Test
    void eventsAreInTheFileWhenFlushed() throws IOException {
        try (SummaryWriter w = new SummaryWriter(folder)) {
            w.addScalar("x", 1, 1);
            w.flush();
            assertEquals(2, EventFiles.read(EventFiles.only(folder)).size());
        }
        // At once, if wanted.
        Path other = folder.resolve("other");
        try (SummaryWriter w = new SummaryWriter(other, WriterOptions.DEFAULT.withFlushSeconds(0))) {
            w.addScalar("x", 1, 1);
            assertEquals(2, EventFiles.read(EventFiles.only(other)).size());
        }
    }

    @Test
    void wrongUseIsRefused() {
        try (SummaryWriter w = new SummaryWriter(folder)) {
            refused("element 1 of 2 is NaN", () -> w.addHistogram("h", new double[] {1, Double.NaN}, 0));
            refused("element 1 of 2 is NaN", () -> w.addHistogram("h", Tensor.of(new double[] {1, Double.NaN}), 0));
            refused("of no values", () -> w.addHistogram("h", new double[0], 0));
            refused("must be [C, H, W]", () -> w.addImage("i", Tensor.zeros(2, 4, 4), 0));
            refused(
                    "images 'i': images are f32[3, 4, 4]; they must be",
                    () -> w.addImages("i", Tensor.zeros(3, 4, 4), 0));
            refused("they must be [N, C, H, W]", () -> w.addImages("i", Tensor.zeros(0, 3, 4, 4), 0));
            refused("they must be [N, C, H, W]", () -> w.addImages("i", Tensor.zeros(1, 2, 4, 4), 0));
            Tensor bytes = Tensor.zeros(1, 3, 4, 4).to(DType.U8);
            ImageGrid mapped = ImageGrid.DEFAULT.withNormalize();
            refused("must be floats", () -> w.addImages("i", bytes, mapped, 0));
            refused("0 columns", () -> ImageGrid.DEFAULT.withColumns(0));
            refused("must not be negative", () -> ImageGrid.DEFAULT.withPadding(-1, 0));
            refused("no range", () -> ImageGrid.DEFAULT.withNormalize(1, 1));
            refused("with normalize only", () -> new ImageGrid(8, 2, 0, false, null, true));
            refused("'opt' is a java.util", () -> w.addHparams(Map.of("opt", List.of()), Map.of()));
        }
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> closed().addScalar("x", 1, 0));
        assertTrue(e.getMessage().contains("was closed"));
        assertThrows(IllegalArgumentException.class, () -> WriterOptions.DEFAULT.withPurgeStep(-1));
    }

    private static void refused(String why, Runnable what) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, what::run);
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }
}
