// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** Whether a {@code program.json} is what {@code docs/dump-schema.json} says: the part of JSON Schema that it uses. */
public final class DumpSchema {
    private static final JsonNode SCHEMA = load();

    private DumpSchema() {}

    private static JsonNode load() {
        try (InputStream in = DumpSchema.class.getResourceAsStream("dump-schema.json")) {
            if (in == null)
                throw new IllegalStateException("dump-schema.json is not on the class path: the build is incomplete");
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @throws IllegalArgumentException if it is not; the message names the place */
    public static void check(JsonNode program) {
        check(program, SCHEMA, "program");
    }

    private static void check(JsonNode value, JsonNode schema, String where) {
        switch (schema.path("type").asText()) {
            case "object" -> object(value, schema, where);
            case "array" -> {
                demand(value.isArray(), where, "is no list");
                int i = 0;
                for (JsonNode v : value) check(v, schema.get("items"), where + "[" + i++ + "]");
            }
            case "string" -> demand(value.isTextual(), where, "is no text");
            case "integer" -> demand(value.isIntegralNumber(), where, "is no integer");
            default -> demand(schema.has("enum") || schema.has("const"), where, "has a schema without a type");
        }
        if (schema.has("const"))
            demand(schema.get("const").equals(value), where, "is " + value + ", not " + schema.get("const"));
        if (schema.has("pattern"))
            demand(value.asText().matches(schema.get("pattern").asText()), where, "is " + value);
        if (schema.has("enum")) {
            boolean found = false;
            for (JsonNode e : schema.get("enum")) found |= e.equals(value);
            demand(found, where, "is " + value + ", not one of " + schema.get("enum"));
        }
    }

    private static void object(JsonNode value, JsonNode schema, String where) {
        demand(value.isObject(), where, "is no object");
        for (JsonNode r : schema.path("required")) demand(value.has(r.asText()), where, "lacks '" + r.asText() + "'");
        for (Map.Entry<String, JsonNode> f : value.properties()) {
            JsonNode property = schema.path("properties").path(f.getKey());
            demand(!property.isMissingNode(), where, "has a '" + f.getKey() + "' that the schema does not know");
            check(f.getValue(), property, where + "." + f.getKey());
        }
    }

    private static void demand(boolean fits, String where, String what) {
        if (!fits) throw new IllegalArgumentException(where + " " + what);
    }
}
