// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsTest {
    @Test
    void tensorsOfEveryDtypeComeBack(@TempDir Path folder) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Tensor x = Tensor.from(new double[] {0, 1, 2, 3, 1.5, 127}, 2, 3);
        for (DType d : DType.values()) tensors.put("t." + d, x.to(d));
        tensors.put("scalar", Tensor.scalar(2.5));
        tensors.put("empty", Tensor.zeros(0, 3));
        tensors.put("view", x.transpose(0, 1));
        Path file = folder.resolve("tensors.safetensors");
        SafeTensors.save(file, tensors, Map.of("who", "test"));
        Map<String, Tensor> back = SafeTensors.load(file);
        assertEquals(tensors.keySet(), back.keySet());
        tensors.forEach((name, t) -> {
            assertEquals(t.type(), back.get(name).type(), name);
            assertArrayEquals(t.toDoubles(), back.get(name).toDoubles(), name);
        });
        Path again = folder.resolve("again.safetensors");
        SafeTensors.save(again, back, Map.of("who", "test"));
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
    }

    @Test
    void aFileWrittenByTheFormatsOwnLibrary(@TempDir Path folder) throws IOException {
        // safetensors.numpy.save({"b": int16 [7], "a": float32 [[1, 2]]}) of the Python package
        String header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[8,10]}}";
        byte[] json = (header + " ".repeat((8 - header.length() % 8) % 8)).getBytes(StandardCharsets.UTF_8);
        byte[] data = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40, 7, 0};
        byte[] bytes = SafeTensorsFileTest.file(json.length, json, data);
        Path file = Files.write(folder.resolve("python.safetensors"), bytes);
        Map<String, Tensor> tensors = SafeTensors.load(file);
        assertEquals(List.of("a", "b"), List.copyOf(tensors.keySet()));
        assertArrayEquals(new double[] {1, 2}, tensors.get("a").toDoubles());
        assertArrayEquals(new long[] {7}, tensors.get("b").toLongs());
        SafeTensors.save(folder.resolve("ours"), tensors);
        assertArrayEquals(bytes, Files.readAllBytes(folder.resolve("ours")));
    }
}
