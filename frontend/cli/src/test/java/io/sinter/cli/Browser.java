// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A headless Chromium with one page, driven by playwright-core ({@code browser.cjs}), so that a click waits until its element is there, stands still and is
 * covered by nothing.
 */
final class Browser implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final BufferedWriter out;
    private final BufferedReader in;
    private final Path log;

    /** The program, or null if there is none on the path. */
    static String find() {
        String path = System.getenv().getOrDefault("PATH", "");
        for (String folder : path.split(File.pathSeparator)) {
            for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
                Path p = Path.of(folder, name);
                if (Files.isExecutable(p)) return p.toString();
            }
        }
        return null;
    }

    /**
     * Starts it.
     *
     * @param playwright folder of playwright-core
     * @param log file for what it complains of
     */
    Browser(String program, Path playwright, Path log) throws IOException {
        this.log = log;
        Path script;
        try {
            script = Path.of(Browser.class.getResource("browser.cjs").toURI());
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
        process = new ProcessBuilder("node", script.toString(), playwright.toString(), program)
                .redirectError(log.toFile())
                .start();
        out = process.outputWriter(StandardCharsets.UTF_8);
        in = process.inputReader(StandardCharsets.UTF_8);
    }

    private JsonNode call(String command, Map<String, ?> arguments) throws IOException {
        ObjectNode message = JSON.valueToTree(arguments);
        try {
            out.write(message.put("command", command).toString());
            out.newLine();
            out.flush();
            String line = in.readLine();
            if (line == null) throw new IOException("the browser has ended");
            JsonNode answer = JSON.readTree(line);
            if (answer.has("error")) throw new IOException(command + " " + arguments + ": " + answer.get("error"));
            return answer.get("value");
        } catch (IOException e) {
            throw new IOException(e.getMessage() + "\n" + Files.readString(log), e);
        }
    }

    /** Opens a file, and waits until its script has run. */
    void open(Path page, int width, int height) throws IOException {
        call("open", Map.of("url", page.toUri().toString(), "width", width, "height", height));
    }

    /** The value of an expression, promises awaited. */
    JsonNode eval(String expression) throws IOException {
        return call("eval", Map.of("expression", expression));
    }

    /** Waits until an expression is true. */
    void await(String expression) throws IOException {
        call("await", Map.of("expression", expression));
    }

    /** Clicks in the middle of the first element of a selector. */
    void click(String selector) throws IOException {
        call("click", Map.of("selector", selector));
    }

    void click(double x, double y, int times) throws IOException {
        call("clickAt", Map.of("x", x, "y", y, "times", times));
    }

    /** Presses a key such as {@code Enter}, {@code Tab} or {@code n}. */
    void key(String key) throws IOException {
        call("key", Map.of("key", key));
    }

    void type(String text) throws IOException {
        call("type", Map.of("text", text));
    }

    void screenshot(Path file) throws IOException {
        call("screenshot", Map.of("file", file.toAbsolutePath().toString()));
    }

    /** Addresses that were asked for since the page was opened, and what its script complained of. */
    List<String> happened() throws IOException {
        List<String> all = new ArrayList<>();
        call("happened", Map.of()).forEach(h -> all.add(h.asText()));
        return all;
    }

    @Override
    public void close() throws IOException {
        out.close(); // which ends the script, and with it the browser
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS))
                process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
