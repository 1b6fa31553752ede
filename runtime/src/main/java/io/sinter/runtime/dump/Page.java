// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/** {@code index.html}: one page that needs nothing but itself. */
final class Page {
    private Page() {}

    /**
     * The page of a program.
     *
     * @param name of the folder
     * @param json what {@code program.json} says
     * @param texts contents of the files that the page shows, by their names in {@code json}; they are kept compressed
     */
    static String of(String name, String json, Map<String, String> texts) throws IOException {
        String packed = packed(texts);
        StringBuilder page = new StringBuilder();
        String template = resource("viewer.html");
        int at = 0;
        for (int mark = template.indexOf('@'); mark >= 0; mark = template.indexOf('@', at)) {
            int end = template.indexOf('@', mark + 1);
            page.append(template, at, mark);
            page.append(
                    switch (template.substring(mark + 1, end)) {
                        case "NAME" -> name;
                        case "CSS" -> resource("viewer.css");
                        case "SCRIPT" -> resource("viewer.js");
                        // No element may end within.
                        case "PROGRAM" -> json.replace("</", "<\\/");
                        case "TEXTS" -> packed;
                        default -> throw new IllegalStateException("the page's template has a mark too many");
                    });
            at = end + 1;
        }
        return page.append(template, at, template.length()).toString();
    }

    /** The texts by name, each by itself in zlib's format. One compressor makes them all: to begin with a new one takes longer than a short text. */
    private static String packed(Map<String, String> texts) throws IOException {
        StringBuilder json = new StringBuilder("{");
        try (Deflater deflater = new Deflater(Deflater.BEST_SPEED)) {
            for (Map.Entry<String, String> t : texts.entrySet()) {
                deflater.reset();
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                try (OutputStream out = new DeflaterOutputStream(bytes, deflater)) {
                    out.write(t.getValue().getBytes(StandardCharsets.UTF_8));
                }
                json.append(json.length() == 1 ? "\n" : ",\n");
                json.append('"').append(t.getKey()).append("\":\"");
                json.append(Base64.getEncoder().encodeToString(bytes.toByteArray()))
                        .append('"');
            }
        }
        return json.append("\n}").toString();
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException(name + " is missing: the build is incomplete");
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
