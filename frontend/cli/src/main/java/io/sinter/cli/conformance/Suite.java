// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.Index;
import io.sinter.Tensor;
import io.sinter.io.SafeTensorsFile;
import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.runtime.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A zip of operator samples: {@code cases.jsonl}, one case a line, and {@code tensors.safetensors}, every
 * tensor by name.
 */
final class Suite implements AutoCloseable {
    /**
     * One sample.
     *
     * @param dtype the dtype that the sample was drawn for
     * @param leaves gradients by the number of the tensor among {@code args}, flattened
     */
    record Case(
            String id,
            String operator,
            String dtype,
            JsonNode args,
            JsonNode kwargs,
            JsonNode out,
            List<Integer> gradOfOutputs,
            JsonNode gradOut,
            Map<Integer, String> leaves) {}

    private final Path copy;
    private final SafeTensorsFile tensors;
    private final List<Case> cases;

    private Suite(Path copy, SafeTensorsFile tensors, List<Case> cases) {
        this.copy = copy;
        this.tensors = tensors;
        this.cases = cases;
    }

    /**
     * Opens a suite. The tensors are copied to a temporary file, which {@link #close} deletes, to be mapped.
     *
     * @throws UncheckedIOException if it cannot be read
     */
    static Suite open(Path zip) {
        Path copy = null;
        try (ZipFile file = new ZipFile(zip.toFile())) {
            List<Case> cases = cases(file);
            copy = Files.createTempFile("sinter-conformance", ".safetensors");
            try (InputStream in = entry(file, "tensors.safetensors")) {
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
            }
            Suite s = new Suite(copy, SafeTensorsFile.open(copy), cases);
            copy = null;
            return s;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + zip + ": " + Reason.of(e), e);
        } finally {
            if (copy != null) delete(copy);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + file, e);
        }
    }

    private static InputStream entry(ZipFile file, String name) throws IOException {
        ZipEntry e = file.getEntry(name);
        if (e == null) throw new IOException("it has no " + name);
        return file.getInputStream(e);
    }

    private static List<Case> cases(ZipFile file) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<Case> cases = new ArrayList<>();
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(entry(file, "cases.jsonl"), StandardCharsets.UTF_8))) {
            for (String line; (line = in.readLine()) != null; )
                if (!line.isBlank()) cases.add(parse(json.readTree(line)));
        }
        return cases;
    }

    private static Case parse(JsonNode n) {
        List<Integer> outputs = new ArrayList<>();
        n.path("grad_of_outputs").forEach(i -> outputs.add(i.asInt()));
        Map<Integer, String> leaves = new LinkedHashMap<>();
        // An operand that PyTorch has no gradient for ("none") is not compared.
        n.path("grad_in").forEach(g -> {
            if (g.has("tensor"))
                leaves.put(g.path("leaf").asInt(), g.path("tensor").asText());
        });
        return new Case(
                n.path("id").asText(),
                n.path("op").asText(),
                n.path("dtype").asText(),
                n.path("args"),
                n.path("kwargs"),
                n.path("out"),
                outputs,
                n.path("grad_out"),
                leaves);
    }

    List<Case> cases() {
        return cases;
    }

    Tensor tensor(String name) {
        Type type = tensors.type(name);
        return Tensor.fromBytes(tensors.bytes(name), type.dtype(), type.shape().toArray());
    }

    /**
     * A value as Java has it: Tensor, Long, Double, Boolean, String, null, List, Map, DType, slice or
     * ellipsis.
     *
     * @param found gets the tensors in order; may be null
     */
    Object decode(JsonNode n, List<Tensor> found) {
        if (n.isNull()) return null;
        if (n.isBoolean()) return n.booleanValue();
        if (n.isIntegralNumber()) return n.longValue();
        if (n.isNumber()) return n.doubleValue();
        if (n.isTextual()) return n.textValue();
        if (n.isArray()) {
            List<Object> list = new ArrayList<>();
            n.forEach(e -> list.add(decode(e, found)));
            return list;
        }
        String kind = n.fieldNames().next();
        JsonNode v = n.get(kind);
        return switch (kind) {
            case "tensor" -> {
                Tensor t = tensor(v.textValue());
                if (found != null) found.add(t);
                yield t;
            }
            case "dtype" -> dtype(v.textValue());
            case "float" ->
                switch (v.textValue()) {
                    case "inf" -> Double.POSITIVE_INFINITY;
                    case "-inf" -> Double.NEGATIVE_INFINITY;
                    case "nan" -> Double.NaN;
                    default -> throw new Unsupported("number " + v);
                };
            case "slice" -> slice(v);
            case "ellipsis" -> Index.ELLIPSIS;
            case "dict" -> {
                Map<String, Object> map = new LinkedHashMap<>();
                v.properties().forEach(e -> map.put(e.getKey(), decode(e.getValue(), found)));
                yield map;
            }
            default -> throw new Unsupported("a value of kind '" + kind + "'");
        };
    }

    private static Index.Slice slice(JsonNode v) {
        Long start = v.get(0).isNull() ? null : Long.valueOf(v.get(0).longValue());
        Long stop = v.get(1).isNull() ? null : Long.valueOf(v.get(1).longValue());
        return new Index.Slice(start, stop, v.get(2).isNull() ? 1 : v.get(2).longValue());
    }

    static DType dtype(String name) {
        return switch (name) {
            case "float64", "double" -> DType.F64;
            case "float32", "float" -> DType.F32;
            case "float16", "half" -> DType.F16;
            case "bfloat16" -> DType.BF16;
            case "int64", "long" -> DType.I64;
            case "int32", "int" -> DType.I32;
            case "int16", "short" -> DType.I16;
            case "int8" -> DType.I8;
            case "uint8" -> DType.U8;
            case "bool" -> DType.BOOL;
            default -> throw new Unsupported("dtype " + name);
        };
    }

    @Override
    public void close() {
        tensors.close();
        delete(copy);
    }
}
