// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ReferenceData;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.io.ByteArrayInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetsTest {
    private static LabelledImages csv(String text) {
        return LabelledImages.csv(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), 1, 2);
    }

    @Test
    void imagesFromCsv() {
        LabelledImages images = csv("0,16,3\n8,4,9\n").scale(16, 0.5, 0.5);
        assertEquals(2, images.size());
        Batch b = images.batch(new long[] {1, 0, 1});
        assertEquals(3, b.size());
        assertArrayEquals(new long[] {3, 1, 1, 2}, b.x().shape());
        assertArrayEquals(new double[] {0, -0.5, -1, 1, 0, -0.5}, b.x().toDoubles());
        assertArrayEquals(new long[] {9, 3, 9}, b.y().toLongs());
        assertThrows(IndexOutOfBoundsException.class, () -> images.batch(new long[] {2}));
    }

    @Test
    void badCsvNamesTheLine() {
        for (String bad : new String[] {"1,2,3\n1,2", "1,2,3\n1,x,3", "1,2,3\n1,256,3", "1,2,3\n1,-1,3"}) {
            var e = assertThrows(IllegalArgumentException.class, () -> csv(bad));
            assertTrue(e.getMessage().startsWith("line 2"), e.getMessage());
        }
        assertThrows(IllegalArgumentException.class, () -> new LabelledImages(new byte[7], new byte[2], 2, 2));
    }

    @Test
    void mnist() {
        LabelledImages test = LabelledImages.mnist(ReferenceData.file("mnist"), false);
        assertEquals(10_000, test.size());
        Batch first = test.batch(new long[] {0, 1, 2, 3});
        assertArrayEquals(new long[] {4, 1, 28, 28}, first.x().shape());
        assertArrayEquals(new long[] {7, 2, 1, 0}, first.y().toLongs());
        assertEquals((0 - 0.1307) / 0.3081, first.x().min().item(), 1e-6);
        long[] all = new long[10_000];
        for (int i = 0; i < all.length; i++) all[i] = i;
        assertEquals(0.0, test.batch(all).x().mean().item(), 0.02);
    }

    @Test
    void missingMnist(@TempDir Path folder) throws Exception {
        var none = assertThrows(UncheckedIOException.class, () -> LabelledImages.mnist(folder.resolve("none"), true));
        assertTrue(none.getMessage().contains("there is no folder"), none.getMessage());
        var empty = assertThrows(UncheckedIOException.class, () -> LabelledImages.mnist(folder, true));
        assertTrue(empty.getMessage().contains("train-images-idx3-ubyte"), empty.getMessage());
        Files.write(
                folder.resolve("train-images-idx3-ubyte"),
                new byte[] {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5});
        Files.write(folder.resolve("train-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 2, 1, 2});
        assertThrows(IllegalArgumentException.class, () -> LabelledImages.mnist(folder, true));
        Files.write(folder.resolve("train-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 1, 1});
        assertEquals(1, LabelledImages.mnist(folder, true).size());
    }

    @Test
    void text() {
        CharText text = new CharText("abca€", 2);
        assertEquals(4, text.vocabularySize());
        assertEquals(3, text.size());
        Batch b = text.batch(new long[] {0, 2});
        assertArrayEquals(new long[] {0, 1, 2, 0}, b.x().toLongs());
        assertArrayEquals(new long[] {1, 2, 0, 3}, b.y().toLongs());
        assertEquals("ab€", text.decode(text.encode("ab€")));
        assertThrows(IllegalArgumentException.class, () -> text.encode("x"));
        assertThrows(IllegalArgumentException.class, () -> new CharText("ab", 2));
        assertThrows(IndexOutOfBoundsException.class, () -> text.batch(new long[] {3}));
    }

    @Test
    void tensors() {
        TensorDataset data = new TensorDataset(
                Tensor.from(new float[] {1, 2, 3, 4, 5, 6}, 3, 2), Tensor.from(new int[] {7, 8, 9}, 3));
        Batch b = data.batch(new long[] {2, 0});
        assertArrayEquals(new double[] {5, 6, 1, 2}, b.x().toDoubles());
        assertArrayEquals(new long[] {9, 7}, b.y().toLongs());
        assertEquals(DType.I32, b.y().dtype());
        assertThrows(IndexOutOfBoundsException.class, () -> data.batch(new long[] {3}));
        assertThrows(
                IllegalArgumentException.class,
                () -> new TensorDataset(Tensor.from(new float[3], 3), Tensor.from(new float[2], 2)));
        double sum = 0;
        for (Batch each : DataLoader.of(data, 2).shuffle(3).workers(2))
            sum += each.x().sum().item();
        assertEquals(21, sum);
    }
}
