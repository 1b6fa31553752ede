// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of the safetensors format: name → dtype, shape, and where the bytes lie after the header;
 * beside them, under {@code __metadata__}, text by name.
 *
 * @param entries by name, in the order of the header
 * @param metadata may be empty
 * @param dataBytes length of the data that the entries cover, without gaps
 */
record SafeTensorsHeader(Map<String, Entry> entries, Map<String, String> metadata, long dataBytes) {
    /** The format's own limit. */
    static final long MAX_BYTES = 100_000_000;

    private static final String METADATA = "__metadata__";
    private static final int MAX_RANK = 64;
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxNumberLength(20)
                    .build())
            .build();

    /** One tensor; {@code begin} and {@code end} count bytes from the end of the header. */
    record Entry(DType dtype, Shape shape, long begin, long end) {}

    /**
     * Reads and checks a header.
     *
     * @param dataBytes how many bytes follow the header in the file
     * @throws SafeTensorsException if the header is malformed, or its offsets do not cover the data exactly,
     *     each tensor with the bytes of its dtype and shape
     */
    static SafeTensorsHeader parse(byte[] header, long dataBytes) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(header))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new SafeTensorsException("the header is not UTF-8", e);
        }
        if (!text.startsWith("{")) throw new SafeTensorsException("the header does not start with '{'");
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (JsonParser p = JSON.createParser(text)) {
            p.nextToken();
            while (p.nextToken() == JsonToken.FIELD_NAME) {
                String name = p.currentName();
                p.nextToken();
                if (name.equals(METADATA)) metadata.putAll(metadata(p));
                else entries.put(name, entry(name, p));
            }
            if (p.nextToken() != null) throw new SafeTensorsException("the header goes on after its JSON object");
        } catch (JsonProcessingException e) {
            throw new SafeTensorsException("the header is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new SafeTensorsException("the header cannot be read: " + e.getMessage(), e);
        }
        checkCover(entries, dataBytes);
        return new SafeTensorsHeader(entries, metadata, dataBytes);
    }

    private static Map<String, String> metadata(JsonParser p) throws IOException {
        if (p.currentToken() != JsonToken.START_OBJECT) throw new SafeTensorsException(METADATA + " is not an object");
        Map<String, String> out = new LinkedHashMap<>();
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String key = p.currentName();
            if (p.nextToken() != JsonToken.VALUE_STRING) {
                throw new SafeTensorsException(METADATA + "." + key + " is not a string");
            }
            out.put(key, p.getText());
        }
        return out;
    }

    private static Entry entry(String name, JsonParser p) throws IOException {
        if (p.currentToken() != JsonToken.START_OBJECT) throw bad(name, "is not an object");
        DType dtype = null;
        long[] dims = null;
        long[] offsets = null;
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String key = p.currentName();
            p.nextToken();
            switch (key) {
                case "dtype" -> {
                    if (p.currentToken() != JsonToken.VALUE_STRING) throw bad(name, "has a dtype that is no string");
                    dtype = dtype(name, p.getText());
                }
                case "shape" -> dims = longs(name, key, p, MAX_RANK);
                case "data_offsets" -> offsets = longs(name, key, p, 2);
                default -> throw bad(name, "has an unknown key '" + key + "'");
            }
        }
        if (dtype == null) throw bad(name, "has no dtype");
        if (dims == null) throw bad(name, "has no shape");
        if (offsets == null) throw bad(name, "has no data_offsets");
        if (offsets.length != 2) throw bad(name, "has " + offsets.length + " data_offsets, not 2");
        Shape shape;
        long bytes;
        try {
            shape = Shape.of(dims);
            bytes = Math.multiplyExact(shape.numel(), (long) dtype.bytes());
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new SafeTensorsException(
                    "tensor '" + name + "': shape " + Arrays.toString(dims) + " is too large", e);
        }
        if (offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes) {
            throw bad(
                    name,
                    dtype + shape.toString() + " needs " + bytes + " bytes, its data_offsets "
                            + Arrays.toString(offsets) + " say " + (offsets[1] - offsets[0]));
        }
        return new Entry(dtype, shape, offsets[0], offsets[1]);
    }

    private static long[] longs(String name, String key, JsonParser p, int most) throws IOException {
        if (p.currentToken() != JsonToken.START_ARRAY) throw bad(name, "has a " + key + " that is no list");
        List<Long> out = new ArrayList<>();
        while (p.nextToken() != JsonToken.END_ARRAY) {
            if (p.currentToken() != JsonToken.VALUE_NUMBER_INT
                    || p.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || p.getLongValue() < 0) {
                throw bad(name, "has " + p.getText() + " in its " + key + ", where a size is due");
            }
            if (out.size() == most) throw bad(name, "has more than " + most + " numbers in its " + key);
            out.add(p.getLongValue());
        }
        return out.stream().mapToLong(Long::longValue).toArray();
    }

    /** Every byte belongs to one tensor: no gap, no overlap, nothing beyond the end. */
    private static void checkCover(Map<String, Entry> entries, long dataBytes) {
        List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
        sorted.sort(Comparator.comparingLong(
                        (Map.Entry<String, Entry> e) -> e.getValue().begin())
                .thenComparingLong(e -> e.getValue().end()));
        long at = 0;
        for (var e : sorted) {
            Entry t = e.getValue();
            if (t.end() > dataBytes) {
                throw bad(
                        e.getKey(),
                        "ends at byte " + t.end() + " of the data, which has only " + dataBytes
                                + ": the file is truncated or its header wrong");
            }
            if (t.begin() < at) throw bad(e.getKey(), "overlaps the tensor before it (byte " + t.begin() + ")");
            if (t.begin() > at) throw bad(e.getKey(), "leaves bytes " + at + " to " + t.begin() + " to no tensor");
            at = t.end();
        }
        if (at != dataBytes) {
            throw new SafeTensorsException("the last " + (dataBytes - at) + " bytes of the file belong to no tensor");
        }
    }

    /** The header as bytes, padded with spaces so that the data after it is aligned to 8 bytes. */
    byte[] toBytes() {
        StringWriter text = new StringWriter();
        try (JsonGenerator g = JSON.createGenerator(text)) {
            g.writeStartObject();
            if (!metadata.isEmpty()) {
                g.writeObjectFieldStart(METADATA);
                for (var m : metadata.entrySet()) g.writeStringField(m.getKey(), m.getValue());
                g.writeEndObject();
            }
            for (var e : entries.entrySet()) {
                g.writeObjectFieldStart(e.getKey());
                g.writeStringField("dtype", name(e.getValue().dtype()));
                g.writeFieldName("shape");
                long[] dims = e.getValue().shape().toArray();
                g.writeArray(dims, 0, dims.length);
                g.writeFieldName("data_offsets");
                g.writeArray(new long[] {e.getValue().begin(), e.getValue().end()}, 0, 2);
                g.writeEndObject();
            }
            g.writeEndObject();
        } catch (IOException e) {
            throw new SafeTensorsException("the header cannot be written: " + e.getMessage(), e);
        }
        byte[] json = text.toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }

    private static DType dtype(String tensor, String name) {
        for (DType d : DType.values()) {
            if (name(d).equals(name)) return d;
        }
        throw bad(tensor, "has dtype '" + name + "', which Sinter does not have");
    }

    /** The format's name of a dtype. */
    private static String name(DType d) {
        return switch (d) {
            case F64 -> "F64";
            case F32 -> "F32";
            case F16 -> "F16";
            case BF16 -> "BF16";
            case I64 -> "I64";
            case I32 -> "I32";
            case I16 -> "I16";
            case I8 -> "I8";
            case U8 -> "U8";
            case BOOL -> "BOOL";
        };
    }

    private static SafeTensorsException bad(String tensor, String what) {
        return new SafeTensorsException("tensor '" + tensor + "' " + what);
    }
}
