// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import io.sinter.Tensor;
import io.sinter.ir.Type;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tensors by name in the safetensors format, as state dicts are kept: {@code SafeTensors.save(path,
 * net.stateDict())} and {@code net.loadStateDict(SafeTensors.load(path))}.
 */
public final class SafeTensors {
    private SafeTensors() {}

    /**
     * Writes a file, whole or not at all. The same tensors always give the same bytes.
     *
     * @throws UncheckedIOException if it cannot be written; the old file, if there was one, is still there
     */
    public static void save(Path path, Map<String, Tensor> tensors) {
        save(path, tensors, Map.of());
    }

    /** The same, with text beside the tensors. */
    public static void save(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
        try (Arena arena = Arena.ofConfined()) {
            List<SafeTensorsFile.Item> items = new ArrayList<>();
            tensors.forEach((name, t) -> {
                Type type = t.type();
                MemorySegment bytes =
                        arena.allocate(Math.max(1, type.bytes()), 64).asSlice(0, type.bytes());
                t.copyTo(bytes);
                items.add(new SafeTensorsFile.Item(name, type, bytes));
            });
            SafeTensorsFile.write(path, items, metadata);
        }
    }

    /**
     * Reads all tensors of a file, in the order of its header.
     *
     * @throws UncheckedIOException if it cannot be read
     * @throws SafeTensorsException if it is not a whole and valid safetensors file
     */
    public static Map<String, Tensor> load(Path path) {
        try (SafeTensorsFile file = SafeTensorsFile.open(path)) {
            Map<String, Tensor> out = new LinkedHashMap<>();
            for (String name : file.names()) {
                Type type = file.type(name);
                out.put(
                        name,
                        Tensor.fromBytes(
                                file.bytes(name), type.dtype(), type.shape().toArray()));
            }
            return out;
        }
    }
}
