// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

/**
 * Whatever bytes come: a file that opens keeps every promise, any other is refused by a {@link
 * SafeTensorsException}.
 */
class SafeTensorsFuzzTest {
    /** Opens, and if that works reads every byte that the file promises. */
    private static void openOrRefuse(byte[] bytes) throws IOException {
        Path path = Files.createTempFile("fuzz", ".safetensors");
        try {
            Files.write(path, bytes);
            try (SafeTensorsFile in = SafeTensorsFile.open(path)) {
                long total = 0;
                for (String name : in.names()) {
                    MemorySegment s = in.bytes(name);
                    assertEquals(in.type(name).bytes(), s.byteSize());
                    total += s.byteSize();
                }
                assertTrue(total <= bytes.length - 8);
            } catch (SafeTensorsException e) {
                assertTrue(e.getMessage().contains(path.toString()));
            }
        } finally {
            Files.delete(path);
        }
    }

    @Property(tries = 300)
    void randomBytes(@ForAll @Size(max = 64) byte[] bytes) throws IOException {
        openOrRefuse(bytes);
    }

    @Property(tries = 300)
    void randomHeaders(@ForAll @StringLength(max = 60) String text, @ForAll @Size(max = 8) byte[] data)
            throws IOException {
        byte[] header = ("{" + text).getBytes(StandardCharsets.UTF_8);
        openOrRefuse(SafeTensorsFileTest.file(header.length, header, data));
    }

    @Property(tries = 500)
    void changedBytes(@ForAll @IntRange(max = 200) int at, @ForAll byte value) throws IOException {
        Path path = Files.createTempFile("whole", ".safetensors");
        byte[] bytes;
        try {
            SafeTensorsFile.write(
                    path,
                    List.of(
                            new SafeTensorsFile.Item(
                                    "weight", Type.of(DType.F32, 2, 3), MemorySegment.ofArray(new byte[24])),
                            new SafeTensorsFile.Item(
                                    "bias", Type.of(DType.F32, 3), MemorySegment.ofArray(new byte[12]))),
                    Map.of());
            bytes = Files.readAllBytes(path);
        } finally {
            Files.delete(path);
        }
        bytes[at % bytes.length] = value;
        openOrRefuse(bytes);
    }
}
