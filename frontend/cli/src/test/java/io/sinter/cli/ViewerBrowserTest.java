// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.cli.bench.DumpedModels;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of a dump in a real browser ({@code ./sinter test --browser}): it is clicked, typed at, measured. */
class ViewerBrowserTest {
    private static final String MEASURE = """
            (() => {
              const luminance = c => {
                const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const probe = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
              const rgb = css => {
                probe.clearRect(0, 0, 1, 1);
                probe.fillStyle = css;
                probe.fillRect(0, 0, 1, 1);
                return [...probe.getImageData(0, 0, 1, 1).data];
              };
              const contrast = (a, b) => {
                const [x, y] = [luminance(rgb(a)), luminance(rgb(b))];
                return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
              };
              const behind = e => {
                for (let x = e; x; x = x.parentElement) {
                  const c = getComputedStyle(x).backgroundColor;
                  if (rgb(c)[3] > 0) return c;
                }
                return 'white';
              };
              const problems = [];
              const texts = [];
              for (const e of document.querySelectorAll('body *')) {
                const own = [...e.childNodes].filter(n => n.nodeType === 3 && n.data.trim()).map(n => n.data.trim()).join(' ');
                if (!own || /^(SCRIPT|STYLE|OPTION)$/.test(e.tagName) || !e.checkVisibility()) continue;
                const style = getComputedStyle(e);
                const back = behind(e);
                if (parseFloat(style.fontSize) < 12) problems.push('small: ' + own + ' ' + style.fontSize);
                const front = e instanceof SVGElement ? style.fill : style.color;
                if (contrast(front, back) < 4.5) problems.push('contrast ' + contrast(front, back).toFixed(2) + ': ' + own);
                const range = document.createRange();
                range.selectNodeContents(e);
                const r = range.getBoundingClientRect();
                const t = {own, e, l: r.left, r: r.right, t: r.top, b: r.bottom};
                // What is scrolled out of its box is not seen.
                for (let x = e; x; x = x.parentElement) {
                  if (x !== e && getComputedStyle(x).overflow === 'visible') continue;
                  const c = x.getBoundingClientRect();
                  t.l = Math.max(t.l, c.left);
                  t.r = Math.min(t.r, c.right);
                  t.t = Math.max(t.t, c.top);
                  t.b = Math.min(t.b, c.bottom);
                }
                if (t.r > t.l && t.b > t.t && !e.closest('pre')) texts.push(t);
              }
              for (let i = 0; i < texts.length; i++)
                for (let j = i + 1; j < texts.length; j++) {
                  const a = texts[i], b = texts[j];
                  if (a.e.contains(b.e) || b.e.contains(a.e)) continue;
                  if (a.l < b.r - 1 && b.l < a.r - 1 && a.t < b.b - 3 && b.t < a.b - 3 && !a.e.closest('#found') && !b.e.closest('#found'))
                    problems.push('overlap: ' + a.own + ' / ' + b.own);
                }
              const c = sinter.colours();
              for (const f of c.fills) if (contrast(c.text, f) < 4.5) problems.push('contrast in the graph: ' + f);
              if (sinter.font() !== null && sinter.font() < 12) problems.push('small font in the graph');
              return problems;
            })()""";

    @TempDir
    static Path folder;

    private static Path digits;
    private static Browser browser;

    @BeforeAll
    static void start() throws IOException {
        assumeTrue(
                Boolean.getBoolean("sinter.test.browser"),
                "opens a browser: run ./sinter test --browser ViewerBrowserTest");
        Files.createDirectories(Path.of("target/viewer"));
        String program = Browser.find();
        assumeTrue(
                program != null, "no Chromium on the path: install it (apt install chromium) for the browser's tests");
        String playwright = System.getProperty("sinter.test.playwright", "");
        assumeTrue(!playwright.isEmpty(), "no playwright-core: ./sinter test --browser installs it, with node and npm");
        run("run", "digits", "--steps", "1", "--dump", folder.resolve("d"), "--weights", folder.resolve("w"));
        digits = largest(folder.resolve("d"));
        browser = new Browser(program, Path.of(playwright), Path.of("target/viewer/browser.log"));
    }

    @AfterAll
    static void end() throws IOException {
        if (browser != null) browser.close();
    }

    private static void run(Object... arguments) {
        StringWriter err = new StringWriter();
        int status = Main.commandLine()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(err))
                .execute(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
        assertEquals(0, status, err.toString());
    }

    /** The page of the largest program of a dump. */
    private static Path largest(Path dump) throws IOException {
        try (Stream<Path> all = Files.list(dump)) {
            return all.map(p -> p.resolve("index.html"))
                    .max(Comparator.comparingLong(p -> p.toFile().length()))
                    .orElseThrow();
        }
    }

    private static void openDigits() throws IOException {
        browser.open(digits, 1400, 900);
    }

    private static String text(String selector) throws IOException {
        return browser.eval("document.querySelector('" + selector + "').textContent")
                .asText();
    }

    private static void measure() throws IOException {
        List<String> problems = new ArrayList<>();
        browser.eval(MEASURE).forEach(p -> problems.add(p.asText()));
        assertEquals(List.of(), problems);
    }

    /** No two boxes of the picture overlap, so no two labels do. */
    private static int boxes() throws IOException {
        JsonNode all = browser.eval("sinter.boxes()");
        List<JsonNode> list = new ArrayList<>();
        all.forEach(list::add);
        list.sort(Comparator.<JsonNode>comparingDouble(b -> b.get("y").asDouble())
                .thenComparingDouble(b -> b.get("x").asDouble()));
        for (int i = 1; i < list.size(); i++) {
            JsonNode a = list.get(i - 1);
            JsonNode b = list.get(i);
            boolean apart = a.get("y").asDouble() + a.get("height").asDouble()
                            <= b.get("y").asDouble()
                    || a.get("x").asDouble() + a.get("width").asDouble()
                            <= b.get("x").asDouble();
            assertTrue(apart, a + " and " + b);
        }
        return list.size();
    }

    @Test
    void thePageNeedsNothingButItself() throws IOException {
        openDigits();
        List<String> happened = browser.happened();
        assertEquals(List.of(digits.toUri().toString()), happened);
    }

    @Test
    void aLineShowsItsNodesKernelsAndCode() throws IOException {
        openDigits();
        browser.click("#lines button[data-line^='DigitsCommand.java:64']");
        browser.await("document.querySelector('#code')");
        assertTrue(text("#details").contains("00-conv_add_relu"), text("#details"));
        assertTrue(browser.eval("sinter.chosen().length").asInt() >= 5);
        assertTrue(text("#loop").contains("conv_add_relu: gemm"));
        assertTrue(text("#code").contains("class version"), "bytecode beside it");
        assertTrue(text("#refusals").contains("reads its operands from memory"), text("#refusals"));
        // A line of the one side marks lines of the other: of a product, then of a loop.
        browser.await("document.querySelector('#loop [role=button]')");
        browser.click("#loop [role=button]");
        browser.await("document.querySelectorAll('#code .mark').length > 0");
        browser.click("#lines button[data-line^='ClassifierTraining.java:']");
        browser.await("document.querySelector('#loop')?.textContent.includes(': loop slots')");
        browser.await("document.querySelector('#loop [role=button]')");
        browser.click("#loop [role=button]");
        browser.await("document.querySelectorAll('#code .mark').length > 0");
        browser.screenshot(Path.of("target/viewer/line.png"));
        measure();
    }

    @Test
    void modulesOpenAndClose() throws IOException {
        openDigits();
        int before = boxes();
        browser.click("#modules button.fold[data-path='DigitsNet/conv1']");
        int opened = boxes();
        assertTrue(opened > before, before + " to " + opened);
        assertEquals(
                "true",
                browser.eval("document.activeElement.getAttribute('aria-expanded')")
                        .asText());
        browser.click("#modules button.fold[data-path='DigitsNet/conv1']");
        assertEquals(before, boxes());
        browser.click("#expand");
        assertTrue(boxes() > 200, "all nodes");
        browser.click("#arguments");
        assertTrue(boxes() > 287, "and arguments");
        browser.click("#arguments");
        browser.click("#collapse");
        int closed = boxes();
        assertTrue(closed < before, closed + " boxes");
        // A double click on a closed module opens it.
        JsonNode box = browser.eval("sinter.boxes().find(b => b.label.includes('DigitsNet'))");
        JsonNode canvas =
                browser.eval("(r => ({x: r.x, y: r.y}))(document.querySelector('#canvas').getBoundingClientRect())");
        double x = canvas.get("x").asDouble() + box.get("left").asDouble() + 20;
        double y = canvas.get("y").asDouble() + box.get("top").asDouble() + 20;
        browser.click(x, y, 1);
        assertTrue(text("#details").contains("Open module"), text("#details"));
        browser.click(x, y, 2);
        assertTrue(boxes() > closed, "DigitsNet is open");
    }

    @Test
    void searchFinds() throws IOException {
        openDigits();
        browser.key("/");
        browser.type("max_pool");
        browser.await("document.querySelectorAll('#found button').length > 0");
        browser.key("Enter");
        assertTrue(text("#details").contains("02-max_pool"), text("#details"));
        browser.eval("document.querySelector('#search').focus()");
        browser.key("Escape");
        browser.type("nothing of the kind");
        assertEquals("Nothing found.", text("#found"));
    }

    @Test
    void everythingIsReachedByKeys() throws IOException {
        openDigits();
        browser.eval("document.querySelector('#canvas').focus()");
        double before = browser.eval("sinter.view.x").asDouble();
        browser.key("ArrowRight");
        assertTrue(browser.eval("sinter.view.x").asDouble() > before);
        browser.key("n");
        assertTrue(browser.eval("sinter.chosen().length").asInt() > 0);
        int boxes = boxes();
        for (int i = 0;
                i < 200 && !browser.eval("!!document.querySelector('#toggle')").asBoolean();
                i++) browser.key("n");
        browser.eval("document.querySelector('#canvas').focus()");
        browser.key("Enter");
        assertTrue(boxes() > boxes, "Enter opens a module");
        browser.eval("document.querySelector('#tab-graph').focus()");
        browser.key("ArrowRight");
        assertEquals("tab-kernels", browser.eval("document.activeElement.id").asText());
        assertFalse(browser.eval("document.querySelector('#kernels').hidden").asBoolean());
        // Tab goes through every control.
        browser.eval("document.querySelector('#search').focus()");
        List<String> reached = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            browser.key("Tab");
            reached.add(browser.eval("document.activeElement.id || document.activeElement.className")
                    .asText());
        }
        assertTrue(reached.containsAll(List.of("theme", "tab-kernels", "fold")), reached.toString());
    }

    @Test
    void passesKernelsAndMemoryAreShown() throws IOException {
        openDigits();
        browser.click("#tab-passes");
        browser.await("document.querySelector('#after div')");
        browser.eval("(p => { p.value = [...p.options].find(o => o.value.includes('decompose')).value;"
                + " p.dispatchEvent(new Event('change')); })(document.querySelector('#pass'))");
        browser.await(
                "document.querySelector('#before .removed') && document.querySelector('#before .removed').textContent.includes('cross_entropy')");
        assertTrue(browser.eval("document.querySelectorAll('#after .added').length")
                        .asInt()
                > 5);
        measure();
        browser.screenshot(Path.of("target/viewer/passes.png"));
        browser.click("#tab-kernels");
        assertEquals(
                24,
                browser.eval("document.querySelectorAll('#kernels tbody tr').length")
                        .asInt());
        browser.eval(
                "[...document.querySelectorAll('#kernels th button')].find(b => b.textContent === 'FLOPs').click()");
        assertEquals(
                "descending",
                browser.eval("document.querySelector('#kernels th[aria-sort]').ariaSort")
                        .asText());
        assertTrue(text("#kernels tbody tr").contains("conv"), text("#kernels tbody tr"));
        browser.click("#kernels tbody button");
        browser.await("document.querySelector('#code')");
        measure();
        browser.screenshot(Path.of("target/viewer/kernels.png"));
        browser.click("#tab-memory");
        assertTrue(
                browser.eval("document.querySelectorAll('#memory rect').length").asInt() > 10);
        assertTrue(text("#memory").contains("peak"), text("#memory"));
        measure();
        browser.screenshot(Path.of("target/viewer/memory.png"));
    }

    /** A dump of a run that was profiled has the kernels' times. */
    @Test
    void timesOfKernelsAreShown() throws IOException {
        Path dump = folder.resolve("t");
        run(
                "run",
                "digits",
                "--steps",
                "40",
                "--dump",
                dump,
                "--weights",
                folder.resolve("tw"),
                "--profile",
                folder.resolve("t.txt"));
        browser.open(largest(dump), 1400, 900);
        browser.click("#tab-kernels");
        assertTrue(text("#machine").contains("measured peaks: "), text("#machine"));
        browser.eval("[...document.querySelectorAll('#kernels th button')].find(b => b.textContent === 'ms').click()");
        List<Double> millis = new ArrayList<>();
        browser.eval(
                        "[...document.querySelectorAll('#kernels tbody tr')].map(r => parseFloat(r.children[2].textContent.replace(',', '')))")
                .forEach(v -> millis.add(v.asDouble()));
        assertTrue(millis.getFirst() > 0, millis.toString());
        assertEquals(millis.stream().sorted(Comparator.reverseOrder()).toList(), millis);
        assertTrue(text("#kernels thead").contains("roofline %"), text("#kernels thead"));
        assertEquals(
                40,
                browser.eval("+document.querySelector('#kernels tbody tr').children[3].textContent")
                        .asInt());
        measure();
        browser.screenshot(Path.of("target/viewer/profile.png"));
    }

    @Test
    void bothThemesCanBeRead() throws IOException {
        openDigits();
        boolean dark = browser.eval("document.documentElement.classList.contains('dark')")
                .asBoolean();
        for (int i = 0; i < 2; i++) {
            browser.click("#lines button");
            browser.await("document.querySelector('#code')");
            measure();
            browser.screenshot(Path.of("target/viewer/" + (dark ? "dark" : "light") + ".png"));
            browser.click("#theme");
            dark = !dark;
            assertEquals(
                    dark,
                    browser.eval("document.documentElement.classList.contains('dark')")
                            .asBoolean());
        }
    }

    @Test
    void aCharacterGptAndAResnetOpen() throws IOException {
        Path text = folder.resolve("text");
        Files.writeString(text, "to be or not to be, that is the question\n".repeat(400));
        run(
                "run",
                "chargpt",
                "--text",
                text,
                "--steps",
                "1",
                "--dump",
                folder.resolve("g"),
                "--weights",
                folder.resolve("gw"));
        Path resnet = folder.resolve("r");
        Sinter.flush();
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            session.dumpTo(resnet);
            DumpedModels.trainResnet18();
        }
        for (Path page : List.of(largest(folder.resolve("g")), largest(resnet))) {
            browser.open(page, 1400, 900);
            assertEquals(List.of(page.toUri().toString()), browser.happened());
            assertTrue(boxes() > 5, "boxes");
            browser.click("#expand");
            assertTrue(boxes() > 300, boxes() + " boxes of " + page);
            browser.click("#lines button");
            browser.await("document.querySelector('#loop')");
            measure();
            assertTrue(
                    browser.eval("(right => [...document.querySelectorAll('#lines small')]"
                                    + ".every(s => s.getBoundingClientRect().right <= right))"
                                    + "(document.querySelector('aside').getBoundingClientRect().right)")
                            .asBoolean(),
                    "the numbers beside long lines");
            browser.screenshot(Path.of("target/viewer/" + (page.startsWith(resnet) ? "resnet18" : "chargpt") + ".png"));
        }
        assertTrue(text("#modules").contains("Sequential"), text("#modules"));
    }

    /** Five thousand operators, all shown. */
    @Test
    void largeProgramsOpen() throws IOException {
        Path large = folder.resolve("large");
        Sinter.flush();
        try (Session session = Session.open(Options.fromProperties().withBackend(Options.Backend.INTERPRETED));
                var _ = session.use()) {
            session.dumpTo(large);
            Tensor x = Tensor.randn(4, 4);
            Tensor y = x;
            for (int i = 0; i < 1700; i++) y = y.matmul(x).tanh().add(x);
            y.sum().item();
        }
        browser.open(largest(large), 1400, 900);
        browser.click("#expand");
        assertTrue(boxes() >= 5000, boxes() + " boxes");
        // Not asserted, since machines differ: until the script has run, and a frame while panning, in milliseconds.
        JsonNode frames = browser.eval("(() => { const t = performance.now();"
                + " for (let i = 0; i < 50; i++) { sinter.view.y += 300; sinter.paint(); }"
                + " return {ready: sinter.ready, frame: (performance.now() - t) / 50}; })()");
        Files.writeString(Path.of("target/viewer/large.json"), frames.toString());
        assertEquals(
                List.of(),
                browser.happened().stream().filter(h -> !h.startsWith("file:")).toList());
    }
}
