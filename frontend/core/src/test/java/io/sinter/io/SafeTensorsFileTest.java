// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafeTensorsFileTest {
    @TempDir
    Path folder;

    private static SafeTensorsFile.Item item(String name, Type type, int seed) {
        byte[] bytes = new byte[(int) type.bytes()];
        new Random(seed).nextBytes(bytes);
        return new SafeTensorsFile.Item(name, type, MemorySegment.ofArray(bytes));
    }

    @Test
    void everyDtypeComesBack() throws IOException {
        Path path = folder.resolve("all.safetensors");
        List<SafeTensorsFile.Item> items = Stream.of(DType.values())
                .map(d -> item("t." + d, Type.of(d, 2, 3), d.ordinal()))
                .toList();
        SafeTensorsFile.write(path, items, Map.of("format", "sinter", "quote", "a \"b\" \n ü"));
        try (SafeTensorsFile in = SafeTensorsFile.open(path)) {
            assertEquals(items.stream().map(SafeTensorsFile.Item::name).collect(Collectors.toSet()), in.names());
            assertEquals(Map.of("format", "sinter", "quote", "a \"b\" \n ü"), in.metadata());
            for (SafeTensorsFile.Item i : items) {
                assertEquals(i.type(), in.type(i.name()));
                assertArrayEquals(
                        i.bytes().toArray(ValueLayout.JAVA_BYTE),
                        in.bytes(i.name()).toArray(ValueLayout.JAVA_BYTE));
            }
            assertThrows(IllegalArgumentException.class, () -> in.type("no such tensor"));
        }
        assertEquals(List.of("all.safetensors"), list());
    }

    @Test
    void emptyAndScalarTensors() {
        Path path = folder.resolve("small.safetensors");
        var items = List.of(
                item("empty", Type.of(DType.F32, 0, 4), 1),
                item("scalar", Type.scalar(DType.I64), 2),
                item("alsoEmpty", Type.of(DType.F64, 3, 0), 3));
        SafeTensorsFile.write(path, items, Map.of());
        try (SafeTensorsFile in = SafeTensorsFile.open(path)) {
            assertEquals(Type.of(DType.F32, 0, 4), in.type("empty"));
            assertEquals(0, in.bytes("empty").byteSize());
            assertEquals(8, in.bytes("scalar").byteSize());
        }
        SafeTensorsFile.write(path, List.of(), Map.of());
        try (SafeTensorsFile in = SafeTensorsFile.open(path)) {
            assertEquals(Set.of(), in.names());
        }
    }

    @Test
    void theSameTensorsGiveTheSameBytesInAnyOrder() throws IOException {
        var a = item("a", Type.of(DType.U8, 3), 1);
        var b = item("b", Type.of(DType.F32, 2), 2);
        SafeTensorsFile.write(folder.resolve("ab"), List.of(a, b), Map.of());
        SafeTensorsFile.write(folder.resolve("ba"), List.of(b, a), Map.of());
        assertArrayEquals(Files.readAllBytes(folder.resolve("ab")), Files.readAllBytes(folder.resolve("ba")));
    }

    /** Headers that lie; each over 8 bytes of data. Single quotes stand for double ones. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}}               | truncated",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,12]}}               | needs 8 bytes",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}                | needs 8 bytes",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}                | belong to no tensor",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}                | to no tensor",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | overlaps",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | Duplicate field",
                "{'a':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}}  | Duplicate field",
                "{'a':{'dtype':'F33','shape':[2],'data_offsets':[0,8]}}                | dtype 'F33'",
                "{'a':{'dtype':4,'shape':[2],'data_offsets':[0,8]}}                    | no string",
                "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}               | where a size is due",
                "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}}              | where a size is due",
                "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}} | where a size is due",
                "{'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,8]}} | too large",
                "{'a':{'dtype':'F32','shape':[4611686018427387904],'data_offsets':[0,8]}} | too large",
                "{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}}                  | no list",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}}                  | not 2",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,8]}}              | more than 2",
                "{'a':{'dtype':'F32','shape':[2]}}                                     | no data_offsets",
                "{'a':{'shape':[2],'data_offsets':[0,8]}}                              | no dtype",
                "{'a':{'dtype':'F32','data_offsets':[0,8]}}                            | no shape",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':1}}          | unknown key 'x'",
                "{'a':3}                                                               | not an object",
                "{'__metadata__':{'a':1},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | not a string",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} x              | not valid JSON",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} {}             | goes on",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}                 | not valid JSON",
                "[]                                                                    | does not start with",
                "{'a':{'dtype':'F32','shape':[[[[[[2]]]]]],'data_offsets':[0,8]}}      | where a size is due",
            })
    void lyingHeaders(String header, String message) throws IOException {
        Path path = folder.resolve("lie.safetensors");
        byte[] json = header.strip().replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        Files.write(path, file(json.length, json, new byte[8]));
        var e = assertThrows(
                SafeTensorsException.class, () -> SafeTensorsFile.open(path).close());
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains("lie.safetensors"), e.getMessage());
    }

    @Test
    void lyingLengths() throws IOException {
        Path path = folder.resolve("lie.safetensors");
        byte[] json = "{}".getBytes(StandardCharsets.UTF_8);
        for (long length : new long[] {3, 1, 0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_000, 1L << 32}) {
            Files.write(path, file(length, json, new byte[0]));
            assertThrows(
                    SafeTensorsException.class, () -> SafeTensorsFile.open(path).close(), "length " + length);
        }
        for (int size = 0; size < 8; size++) {
            Files.write(path, new byte[size]);
            assertThrows(
                    SafeTensorsException.class, () -> SafeTensorsFile.open(path).close());
        }
        byte[] notUtf8 = {'{', '"', (byte) 0xc3, '"', '}'};
        Files.write(path, file(notUtf8.length, notUtf8, new byte[0]));
        assertThrows(
                SafeTensorsException.class, () -> SafeTensorsFile.open(path).close());
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        Path path = folder.resolve("whole.safetensors");
        SafeTensorsFile.write(
                path, List.of(item("w", Type.of(DType.F32, 3), 1), item("b", Type.of(DType.I16, 1), 2)), Map.of());
        byte[] whole = Files.readAllBytes(path);
        Path cut = folder.resolve("cut.safetensors");
        for (int n = 0; n < whole.length; n++) {
            Files.write(cut, Arrays.copyOf(whole, n));
            assertThrows(
                    SafeTensorsException.class, () -> SafeTensorsFile.open(cut).close(), "cut at " + n);
        }
    }

    @Test
    void aFailedWriteLeavesTheOldFile() throws IOException {
        Path path = folder.resolve("kept.safetensors");
        SafeTensorsFile.write(path, List.of(item("w", Type.of(DType.F32, 3), 1)), Map.of());
        byte[] before = Files.readAllBytes(path);
        var fault = new IllegalStateException("power cut");
        assertEquals(
                fault,
                assertThrows(
                        IllegalStateException.class,
                        () -> AtomicFile.write(path, out -> {
                            out.write(ByteBuffer.wrap(new byte[100]));
                            throw fault;
                        })));
        assertThrows(
                UncheckedIOException.class,
                () -> AtomicFile.write(path, out -> {
                    out.write(ByteBuffer.wrap(new byte[100]));
                    throw new IOException("disk full");
                }));
        assertArrayEquals(before, Files.readAllBytes(path));
        assertEquals(List.of("kept.safetensors"), list());
        var twice = List.of(item("w", Type.of(DType.F32, 3), 1), item("w", Type.of(DType.F32, 3), 1));
        assertThrows(SafeTensorsException.class, () -> SafeTensorsFile.write(path, twice, Map.of()));
        assertThrows(
                SafeTensorsException.class,
                () -> new SafeTensorsFile.Item("w", Type.of(DType.F32, 3), MemorySegment.ofArray(new byte[11])));
    }

    @Test
    void missingFilesAndFolders() {
        assertThrows(UncheckedIOException.class, () -> SafeTensorsFile.open(folder.resolve("nothing")));
        var e = assertThrows(
                UncheckedIOException.class,
                () -> SafeTensorsFile.write(folder.resolve("no/where"), List.of(), Map.of()));
        assertTrue(e.getMessage().contains("there is no folder"), e.getMessage());
    }

    private List<String> list() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    static byte[] file(long headerLength, byte[] header, byte[] data) {
        return ByteBuffer.allocate(8 + header.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(header)
                .put(data)
                .array();
    }
}
