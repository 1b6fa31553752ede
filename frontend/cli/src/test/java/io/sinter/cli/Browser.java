// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A headless Chromium with one page, spoken to by the DevTools protocol over a pipe. */
final class Browser implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final OutputStream out;
    private final InputStream in;
    private final List<JsonNode> events = new ArrayList<>();
    private String session;
    private int last;

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

    /** Starts it; {@code profile} is an empty folder for its files. */
    Browser(String program, Path profile) throws IOException {
        // The browser reads commands from descriptor 3 and answers on 4.
        String command = "exec \"$0\" --headless=new --no-sandbox --disable-gpu --no-first-run --remote-debugging-pipe"
                + " --user-data-dir=\"$1\" about:blank 3<&0 4>&1 >/dev/null 2>/dev/null </dev/null";
        process = new ProcessBuilder("bash", "-c", command, program, profile.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        out = process.getOutputStream();
        in = process.getInputStream();
        String target = call("Target.createTarget", Map.of("url", "about:blank"))
                .get("targetId")
                .asText();
        session = call("Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                .get("sessionId")
                .asText();
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) call(domain + ".enable", Map.of());
    }

    JsonNode call(String method, Map<String, ?> parameters) throws IOException {
        ObjectNode message = JSON.createObjectNode().put("id", ++last).put("method", method);
        message.set("params", JSON.valueToTree(parameters));
        if (session != null) message.put("sessionId", session);
        out.write(JSON.writeValueAsBytes(message));
        out.write(0);
        out.flush();
        while (true) {
            JsonNode answer = read();
            if (answer.path("id").asInt(-1) != last) {
                events.add(answer);
                continue;
            }
            if (answer.has("error")) throw new IOException(method + ": " + answer.get("error"));
            return answer.get("result");
        }
    }

    private JsonNode read() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int b = in.read(); b != 0; b = in.read()) {
            if (b < 0) throw new IOException("the browser has ended");
            bytes.write(b);
        }
        return JSON.readTree(bytes.toByteArray());
    }

    /** Opens a file, and waits until its script has run. */
    void open(Path page, int width, int height) throws IOException {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
        events.clear();
        call("Page.navigate", Map.of("url", page.toUri().toString()));
        eval("new Promise(r => { const f = () => window.sinter ? r(true) : setTimeout(f, 20); f(); })");
    }

    /** The value of an expression, promises awaited. */
    JsonNode eval(String expression) throws IOException {
        JsonNode answer =
                call("Runtime.evaluate", Map.of("expression", expression, "awaitPromise", true, "returnByValue", true));
        if (answer.has("exceptionDetails")) throw new IOException(expression + ": " + answer.get("exceptionDetails"));
        return answer.get("result").path("value");
    }

    /** Waits until an expression is true. */
    void await(String expression) throws IOException {
        eval("new Promise((r, no) => { let n = 0; const f = () => (" + expression
                + ") ? r(true) : ++n > 500 ? no(new Error('never: ' + " + JSON.writeValueAsString(expression)
                + ")) : setTimeout(f, 20); f(); })");
    }

    /** Clicks in the middle of the first element of a selector. */
    void click(String selector) throws IOException {
        JsonNode at = eval("(() => { const e = document.querySelector(" + JSON.writeValueAsString(selector)
                + "); e.scrollIntoView({block: 'nearest'}); const r = e.getBoundingClientRect();"
                + " return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()");
        click(at.get("x").asDouble(), at.get("y").asDouble(), 1);
    }

    void click(double x, double y, int times) throws IOException {
        for (String type : List.of("mousePressed", "mouseReleased"))
            call(
                    "Input.dispatchMouseEvent",
                    Map.of("type", type, "x", x, "y", y, "button", "left", "clickCount", times));
    }

    /** Presses a key such as {@code Enter}, {@code Tab} or {@code n}. */
    void key(String key) throws IOException {
        int code = Map.of("Enter", 13, "Tab", 9, "Escape", 27, "ArrowRight", 39, "ArrowLeft", 37, "ArrowDown", 40)
                .getOrDefault(key, (int) Character.toUpperCase(key.charAt(0)));
        String text = key.length() == 1 ? key : key.equals("Enter") ? "\r" : "";
        call(
                "Input.dispatchKeyEvent",
                Map.of("type", "keyDown", "key", key, "windowsVirtualKeyCode", code, "text", text));
        call("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key, "windowsVirtualKeyCode", code));
    }

    void type(String text) throws IOException {
        call("Input.insertText", Map.of("text", text));
    }

    void screenshot(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        String data = call("Page.captureScreenshot", Map.of("format", "png"))
                .get("data")
                .asText();
        Files.write(file, Base64.getDecoder().decode(data));
    }

    /** Addresses that were asked for since the page was opened, and what its script complained of. */
    List<String> happened() {
        List<String> all = new ArrayList<>();
        for (JsonNode e : events) {
            switch (e.path("method").asText()) {
                case "Network.requestWillBeSent" ->
                    all.add(e.at("/params/request/url").asText());
                case "Runtime.exceptionThrown" ->
                    all.add(e.at("/params/exceptionDetails").toString());
                case "Log.entryAdded" -> all.add(e.at("/params/entry/text").asText());
                default -> {}
            }
        }
        return all;
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS))
                process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
