// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.Tensor;
import io.sinter.io.SafeTensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The suite's runner on small suites made here, and on PyTorch's own samples where they are. */
class TorchOpsTest {
    @TempDir
    Path folder;

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final StringBuilder cases = new StringBuilder();
    private final StringWriter out = new StringWriter();

    private void sample(String id, String operator, String args, String kwargs, String outputs, String gradients) {
        cases.append(
                "{\"id\":\"%s\",\"op\":\"%s\",\"variant\":\"\",\"dtype\":\"float32\",\"args\":%s,\"kwargs\":%s,\"out\":%s%s}%n"
                        .formatted(id, operator, args, kwargs, outputs, gradients)
                        .replace('\'', '"'));
    }

    private int run(String... options) throws IOException {
        Path data = folder.resolve("t.safetensors");
        SafeTensors.save(data, tensors);
        Path zip = folder.resolve("suite.zip");
        try (ZipOutputStream z = new ZipOutputStream(Files.newOutputStream(zip))) {
            z.putNextEntry(new ZipEntry("cases.jsonl"));
            z.write(cases.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
            z.putNextEntry(new ZipEntry("tensors.safetensors"));
            z.write(Files.readAllBytes(data));
        }
        return command(zip, options);
    }

    private int command(Path zip, String... options) {
        String[] line = new String[options.length + 1];
        line[0] = zip.toString();
        System.arraycopy(options, 0, line, 1, options.length);
        return new CommandLine(new TorchOpsCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(out))
                .execute(line);
    }

    private String lastLine() {
        return out.toString().strip().lines().reduce((_, b) -> b).orElse("");
    }

    private void xAndItsSquare() {
        tensors.put("x", Tensor.of(1.0, -2.0, 3.0));
        tensors.put("square", Tensor.of(1.0, 4.0, 9.0));
        tensors.put("g", Tensor.of(1.0, 1.0, 0.5));
        tensors.put("dx", Tensor.of(2.0, -4.0, 3.0));
    }

    private static final String GRADIENT =
            ",'grad_of_outputs':[0],'grad_out':[{'tensor':'g'}],'grad_in':[{'leaf':0,'tensor':'%s'}]";

    @Test
    void rightValuesAndGradientsPass() throws IOException {
        xAndItsSquare();
        sample("square:0", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'square'}", GRADIENT.formatted("dx"));
        sample("mul:0", "mul", "[{'tensor':'x'},{'tensor':'x'}]", "{}", "{'tensor':'square'}", "");
        assertEquals(0, run(), out.toString());
        assertEquals("2 passed, 0 failed, 0 unsupported", lastLine());
    }

    @Test
    void wrongValuesGradientsAndExceptionsFailWithTheirNumbers() throws IOException {
        xAndItsSquare();
        tensors.put("close", Tensor.of(1.0, 4.0, 9.001));
        tensors.put("matrix", Tensor.ones(2, 2));
        sample("square:0", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'close'}", "");
        sample("square:1", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'square'}", GRADIENT.formatted("x"));
        sample("mm:0", "mm", "[{'tensor':'x'},{'tensor':'x'}]", "{}", "{'tensor':'matrix'}", "");
        sample("square:2", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'matrix'}", "");
        sample("square:3", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'square'}", "");
        assertEquals(
                1, run("--failures", "9", "--json", folder.resolve("r.json").toString()), out.toString());
        assertEquals("1 passed, 4 failed, 0 unsupported", lastLine());
        String text = out.toString();
        assertTrue(
                text.contains("square:0: output f32[3]: 1 of 3 differ, worst at 2: 9.00000000 instead of 9.00100040"),
                text);
        assertTrue(text.contains("square:1: gradient of tensor 0 f32[3]: 2 of 3 differ"), text);
        assertTrue(text.contains("mm:0: TensorException: mm(f32[3], f32[3])"), text);
        assertTrue(text.contains("square:2: output: f32[3] instead of f32[2,2]"), text);
        assertTrue(Files.readString(folder.resolve("r.json")).contains("\"failed\" : 4"));
    }

    @Test
    void whatIsNotThereIsUnsupported() throws IOException {
        xAndItsSquare();
        sample("nothing:0", "nothing", "[{'tensor':'x'}]", "{}", "{'tensor':'square'}", "");
        sample("square:0", "square", "[{'tensor':'x'}]", "{'mystery':3}", "{'tensor':'square'}", "");
        sample("zeros:0", "zeros", "[[2]]", "{'dtype':{'dtype':'complex64'}}", "{'tensor':'square'}", "");
        sample("square:1", "square", "[{'tensor':'x'}]", "{'device':'cpu'}", "{'tensor':'square'}", "");
        assertEquals(0, run(), out.toString());
        assertEquals("1 passed, 0 failed, 3 unsupported", lastLine());
        assertTrue(out.toString().contains("not there: nothing"), out.toString());
    }

    @Test
    void allFormsOfValuesAreDecoded() throws IOException {
        tensors.put("x", Tensor.from(new double[] {1, 2, 3, 4, 5, 6}, 2, 3).toFloat());
        tensors.put("max", Tensor.of(3.0, 6.0));
        tensors.put("where", Tensor.of(2L, 2L));
        tensors.put("column", Tensor.of(2.0, 5.0));
        sample(
                "norm:0",
                "norm",
                "[{'tensor':'x'},{'float':'inf'},[1]]",
                "{'keepdim':false,'dtype':null}",
                "{'tensor':'max'}",
                "");
        sample("max:0", "max", "[{'tensor':'x'}]", "{'dim':-1}", "[{'tensor':'max'},{'tensor':'where'}]", "");
        sample("select:0", "select", "[{'tensor':'x'},1,1]", "{}", "{'tensor':'column'}", "");
        sample("allclose:0", "allclose", "[{'tensor':'x'},{'tensor':'x'}]", "{'rtol':0.1}", "true", "");
        sample("broadcast_shapes:0", "broadcast_shapes", "[[2,1],[3]]", "{}", "[2,3]", "");
        assertEquals(0, run(), out.toString());
        assertEquals("5 passed, 0 failed, 0 unsupported", lastLine());
    }

    @Test
    void onlyChoosesOperatorsAndSamples() throws IOException {
        xAndItsSquare();
        sample("square:0", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'square'}", "");
        sample("square:1", "square", "[{'tensor':'x'}]", "{}", "{'tensor':'x'}", "");
        assertEquals(0, run("--only", "square:0"), out.toString());
        assertEquals(2, command(folder.resolve("suite.zip"), "--only", "("));
        assertEquals(2, command(folder.resolve("absent.zip")));
        out.getBuffer().setLength(0);
        assertEquals(0, command(folder.resolve("suite.zip"), "--every", "2"), out.toString());
        assertEquals("1 passed, 0 failed, 0 unsupported", lastLine());
    }

    /**
     * PyTorch's samples: of 461 operators more than 400 are there, and nearly all of their samples pass; here
     * a part of them, the command runs all.
     */
    @Test
    void torchSamplesPass() {
        String given = System.getProperty("sinter.data", System.getenv("SINTER_DATA"));
        Path zip = given != null ? Path.of(given, "torch-ops.zip") : inTheHouse();
        assumeTrue(Files.exists(zip), "no reference data: " + zip + " is absent (set SINTER_DATA)");
        command(zip, "--every", "12");
        String[] last = lastLine().replaceAll("[^0-9 ]", "").trim().split(" +");
        int passed = Integer.parseInt(last[0]);
        int failed = Integer.parseInt(last[1]);
        String there = out.toString()
                .lines()
                .filter(l -> l.endsWith("operators are there"))
                .findFirst()
                .orElse("0 of 0");
        int operators = Integer.parseInt(there.substring(0, there.indexOf(' ')));
        assertTrue(operators >= 400, there);
        assertTrue(passed >= 0.99 * (passed + failed), out.toString());
    }

    /** The data folder beside the repository, which is the nearest folder above that has the launcher. */
    private static Path inTheHouse() {
        Path p = Path.of("").toAbsolutePath();
        while (p.getParent() != null && !Files.exists(p.resolve("sinter"))) p = p.getParent();
        return p.resolveSibling("shared").resolve("data").resolve("torch-ops.zip");
    }
}
