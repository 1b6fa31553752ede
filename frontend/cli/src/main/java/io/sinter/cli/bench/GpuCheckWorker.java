// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sinter.Sinter;
import io.sinter.ir.DType;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.runtime.Device;
import io.sinter.runtime.DeviceMeter;
import io.sinter.runtime.GpuFaultException;
import io.sinter.runtime.OperatorTable;
import io.sinter.runtime.Options;
import io.sinter.runtime.ProductForms;
import io.sinter.runtime.Session;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What {@code gpu-check} does in processes of their own: a fault ends all work that a process has on a GPU, and a kernel may hang. Reads tasks, a line of
 * JSON each, and answers each with a line of JSON; ends after a fault, or with its input.
 */
@Command(name = "gpu-check-worker", hidden = true, description = "The processes of gpu-check.")
public final class GpuCheckWorker implements Runnable {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Spec
    private CommandSpec spec;

    @Option(names = "--device", required = true, paramLabel = "NAME", description = "As gpu-check has it.")
    private String device;

    private Session table;

    @Override
    public void run() {
        Options options =
                Options.fromProperties().withDevice(Device.parse(device)).withBackend(Options.Backend.GENERATED);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintWriter out = spec.commandLine().getOut();
        try {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                JsonNode task = JSON.readTree(line);
                ObjectNode answer = JSON.createObjectNode();
                boolean usable = true;
                try {
                    answer(task, options, answer);
                    usable = !answer.path("fault").asBoolean();
                } catch (RuntimeException e) {
                    StringWriter trace = new StringWriter();
                    e.printStackTrace(new PrintWriter(trace, true));
                    answer.put("error", e.toString()).put("trace", trace.toString());
                    usable = !(e instanceof GpuFaultException);
                }
                out.println(answer);
                out.flush();
                if (!usable) break;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // Sessions are not closed: after a fault that would be another one, and else the process ends here.
        Runtime.getRuntime().halt(0);
    }

    private void answer(JsonNode task, Options options, ObjectNode answer) {
        double seconds = task.path("seconds").asDouble();
        long n = task.path("n").asLong();
        switch (task.path("task").asText()) {
            case "operator" -> operator(task, options, answer);
            case "copy" -> answer.put("value", with(options, s -> DeviceMeter.copyRate(s, n) / 1e9));
            case "launch" -> answer.put("value", with(options, s -> DeviceMeter.launchNanos(s) / 1e3));
            case "graph" -> answer.put("value", with(options, s -> DeviceMeter.graphNanos(s, (int) n) / 1e3));
            case "memory" -> {
                String name = task.path("case").asText();
                answer.put("value", with(options, _ -> new GpuTimings(seconds)
                        .memoryBound(n)
                        .get(name)
                        .getAsDouble()));
            }
            case "matmul" -> matmul(task, options, answer);
            case "tiles" -> tiles(task, options, answer);
            case "attention" ->
                answer.put("value", with(options, _ -> {
                    Sinter.setMatmulPrecision("highest");
                    return new GpuTimings(seconds)
                            .attention(
                                    task.path("batch").asLong(),
                                    task.path("heads").asLong(),
                                    n,
                                    64);
                }));
            default -> throw new IllegalArgumentException("no such task: " + task);
        }
    }

    private void operator(JsonNode task, Options options, ObjectNode answer) {
        Op op = Operators.all().stream()
                .filter(o -> o.name().equals(task.path("name").asText()))
                .findFirst()
                .orElseThrow();
        if (table == null) table = Session.open(options);
        OperatorTable t = new OperatorTable(table, task.path("samples").asInt());
        List<String> values = t.problems(op);
        List<String> gradients = t.faulted() ? List.of() : t.gradientProblems(op);
        var problems = answer.putArray("problems");
        values.forEach(problems::add);
        gradients.forEach(p -> problems.add("gradient: " + p));
        answer.put("checked", t.checked()).put("fault", t.faulted());
    }

    private static void tiles(JsonNode task, Options options, ObjectNode answer) {
        boolean tf32 = task.path("kind").asText().equals("tf32");
        var forms = answer.putArray("forms");
        with(options, session -> {
            Sinter.setMatmulPrecision(tf32 ? "high" : "highest");
            for (ProductForms.Timed t : ProductForms.measure(
                    session,
                    task.path("n").asLong(),
                    tf32 ? DType.F32 : DType.BF16,
                    task.path("seconds").asDouble()))
                forms.addObject().put("form", t.text()).put("ms", t.millis()).put("agrees", t.agrees());
            return 0;
        });
    }

    private static void matmul(JsonNode task, Options options, ObjectNode answer) {
        String kind = task.path("kind").asText();
        String by = task.path("by").asText();
        System.setProperty("sinter.matmul", by); // which a session reads when it is opened
        try {
            answer.put("value", with(options, _ -> {
                Sinter.setMatmulPrecision(kind.equals("tf32") ? "high" : "highest");
                GpuTimings timings = new GpuTimings(task.path("seconds").asDouble());
                long n = task.path("n").asLong();
                return switch (kind) {
                    case "bf16" -> timings.matmul(n, DType.BF16, 0.01);
                    case "tf32" -> timings.matmul(n, DType.F32, 2e-3);
                    default -> timings.matmul(n, DType.F32, 1e-5);
                };
            }));
        } catch (IllegalStateException e) {
            if (by.equals("own")) throw e;
            answer.put("none", e.getMessage());
        }
    }

    private static double with(Options options, ToDoubleFunction<Session> measure) {
        try (Session session = Session.open(options);
                var _ = session.use()) {
            Sinter.manualSeed(0);
            double value = measure.applyAsDouble(session);
            Sinter.flush();
            return value;
        }
    }
}
