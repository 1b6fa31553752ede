// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

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
        StringBuilder packed = new StringBuilder("{");
        for (Map.Entry<String, String> t : texts.entrySet()) {
            packed.append(packed.length() == 1 ? "\n" : ",\n");
            packed.append('"')
                    .append(t.getKey())
                    .append("\":\"")
                    .append(pack(t.getValue()))
                    .append('"');
        }
        packed.append("\n}");
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

    private static String pack(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException(name + " is missing: the build is incomplete");
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
