// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.cli.CommandFailure;
import io.sinter.cli.Version;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sinter gpu-check}: whether this machine's GPU computes right, and how fast. */
@Command(
        name = "gpu-check",
        description = {
            "Check this machine's GPU: device and driver; every operator, values and gradients, against the reference; then times: memory-bound operators"
                    + " as fractions of the copy bandwidth, matrix products and attention beside PyTorch's, training steps beside PyTorch eager and"
                    + " compiled (if python3 here has torch).",
            "",
            "Under 8 minutes, with --quick under 2. On --device ptx-sim everything runs small, as a test of this command: its times mean nothing."
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:all is right", "1:something is wrong", "2:wrong command line", "3:there is no such GPU here"
        })
public final class GpuCheckCommand implements Callable<Integer> {
    private static final int NO_GPU = 3;
    private static final long TORCH_SECONDS = 180;
    private static final long SECONDS_FOR_A_FIGURE = 60;
    private static final long SECONDS_FOR_A_TRAINING = 120;
    private static final int MOST_PROCESSES = 8;
    /** The largest first: where time runs out, those are left out that say least about a GPU. */
    private static final String[] TRAININGS = {
        "train_gpt2_124m", "train_resnet18", "train_gpt_small", "train_cnn", "train_mlp", "train_lstm"
    };

    @Spec
    private CommandSpec spec;

    @Option(names = "--device", defaultValue = "cuda", paramLabel = "NAME", description = "cuda, cuda:1, … or ptx-sim.")
    private String device;

    @Option(names = "--quick", description = "Fewer samples, fewer sizes, the small training cases.")
    private boolean quick;

    /** What it does, in this order. */
    enum Part {
        OPERATORS,
        MEMORY,
        PRODUCTS,
        TRAINING,
        /** Only if it is named: what the tables of the generator are made by. */
        TILES
    }

    @Option(
            names = "--parts",
            split = ",",
            paramLabel = "PART",
            description =
                    "Only these parts, of ${COMPLETION-CANDIDATES} (default: all but tiles, the times of all forms that a matrix product may take).")
    private Set<Part> parts = EnumSet.complementOf(EnumSet.of(Part.TILES));

    @Option(names = "--json", paramLabel = "FILE", description = "Write everything to this file.")
    private Path json;

    @Option(
            names = "--python",
            defaultValue = "python3",
            paramLabel = "COMMAND",
            description = "A python that may have torch (default: ${DEFAULT-VALUE}).")
    private String python;

    private final long begun = System.nanoTime();
    private GpuCheckReport report;
    private Device gpu;
    private boolean hasCublas = true;

    @Override
    public Integer call() {
        report = new GpuCheckReport(spec.commandLine().getOut());
        try {
            gpu = Device.parse(device);
        } catch (IllegalArgumentException e) {
            return none(e.getMessage());
        }
        if (gpu.kind() == Device.Kind.JVM) return none("the jvm device is no GPU");
        report.section("Device");
        report.fact("sinter", Version.text());
        report.fact("device", gpu.toString());
        report.fact("what it is", gpu.describe());
        if (!simulated()) report.fact("cuBLAS", Device.cublas());
        part(Part.OPERATORS, this::operators);
        part(Part.MEMORY, this::memory);
        part(Part.PRODUCTS, this::products);
        part(Part.TRAINING, this::trainings);
        part(Part.TILES, this::tiles);
        return finish();
    }

    /** What breaks a part off is a failure, and what has been found is told all the same. */
    private void part(Part part, Runnable check) {
        if (!parts.contains(part)) return;
        try {
            check.run();
        } catch (RuntimeException e) {
            report.failure(part.name().toLowerCase(Locale.ROOT) + " broke off: " + e);
            e.printStackTrace(spec.commandLine().getErr());
        }
    }

    private int none(String why) {
        spec.commandLine().getErr().println("sinter: gpu-check: " + why);
        return NO_GPU;
    }

    private boolean simulated() {
        return gpu.kind() == Device.Kind.PTX_SIM;
    }

    private double elapsed() {
        return (System.nanoTime() - begun) / 1e9;
    }

    /** Whether another measurement of some seconds fits into the time that is promised. */
    private boolean hasTime(double seconds) {
        return elapsed() + seconds < (quick ? 115 : 470);
    }

    /** Processes that do the work: a fault of the GPU ends all that one can do, and a kernel may hang. */
    private GpuCheckProcess worker(String... flags) {
        String name = gpu.toString();
        List<String> command =
                Rivals.ourselves(Options.fromProperties().threads(), name, "gpu-check-worker", "--device", name);
        command.addAll(1, List.of(flags));
        return new GpuCheckProcess(command);
    }

    // ---- operators

    private void operators() {
        report.section("Operators, against the reference");
        List<Op> all = Operators.all();
        OperatorTally tally = new OperatorTally(report, all, !quick ? Integer.MAX_VALUE : simulated() ? 1 : 3);
        // Each assembles its own kernels, on one core; the GPU is shared.
        int processes = simulated() ? 1 : Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, MOST_PROCESSES);
        tally.run(processes, this::worker, () -> hasTime(30));
        report.fact("operators right", tally.right() + " of " + all.size());
        report.fact("samples", tally.checked());
    }

    private double secondsEach() {
        return simulated() ? 0 : quick ? 0.2 : 0.5;
    }

    // ---- single kernels

    /** A figure of a process's own; NaN if there is none, which is a failure unless the process says why. */
    private double figure(GpuCheckProcess worker, String what, Map<String, ?> task) {
        if (!hasTime(10)) return Double.NaN;
        try {
            JsonNode answer = worker.ask(task, SECONDS_FOR_A_FIGURE);
            if (answer.has("value")) return answer.path("value").asDouble();
            if (answer.has("none")) {
                hasCublas = false;
                report.note(
                        "cuBLAS is not compared with: " + answer.path("none").asText());
                return Double.NaN;
            }
            report.failure(what + ": " + answer.path("error").asText());
            spec.commandLine().getErr().println(answer.path("trace").asText());
        } catch (IllegalStateException e) {
            report.failure(what + ": " + e.getMessage());
        }
        return Double.NaN;
    }

    private void memory() {
        report.section("Memory: GB/s, and the fraction of the copy bandwidth");
        long elements = simulated() ? 256 : 1L << 26;
        try (GpuCheckProcess worker = worker()) {
            double copy = figure(worker, "copy", Map.of("task", "copy", "n", simulated() ? 4096 : 1L << 30));
            report.row("memory", "copy", Map.of("GB/s", copy));
            for (String name : GpuTimings.MEMORY_BOUND) {
                double rate = figure(
                        worker, name, Map.of("task", "memory", "case", name, "n", elements, "seconds", secondsEach()));
                Map<String, Double> cells = new LinkedHashMap<>();
                cells.put("GB/s", rate);
                cells.put("of copy", rate / copy);
                report.row("memory", name, cells);
            }
            report.section("Launches: the host's microseconds");
            report.row("launches", "empty kernel", Map.of("us", figure(worker, "launch", Map.of("task", "launch"))));
            for (int n : simulated() ? new int[] {1} : new int[] {1, 100}) {
                String name = "graph of " + n;
                report.row("launches", name, Map.of("us", figure(worker, name, Map.of("task", "graph", "n", n))));
            }
        }
    }

    // ---- matrix products, attention

    private void products() {
        report.section("Matrix products and attention: TFLOP/s");
        long[] sizes =
                simulated() ? new long[] {48} : quick ? new long[] {1024, 8192} : new long[] {1024, 2048, 4096, 8192};
        Map<String, Double> torch = torch(sizes);
        try (GpuCheckProcess worker = worker()) {
            for (long n : sizes) {
                for (String kind : new String[] {"f32", "tf32", "bf16"}) {
                    String name = "matmul " + n + " " + kind;
                    Map<String, Double> ms = new LinkedHashMap<>();
                    ms.put("own", matmul(worker, name, n, kind, "own"));
                    if (!simulated() && hasCublas) ms.put("cuBLAS", matmul(worker, name, n, kind, "cublas"));
                    ms.put("torch", torch.getOrDefault(name, Double.NaN));
                    flops(name, 2.0 * n * n * n, ms);
                }
            }
            for (long length : simulated() ? new long[] {16} : new long[] {1024, 4096}) {
                long batch = simulated() ? 1 : 4;
                long heads = simulated() ? 2 : 16;
                String name = "attention " + length + " bf16";
                Map<String, Double> ms = new LinkedHashMap<>();
                ms.put(
                        "own",
                        figure(
                                worker,
                                name,
                                Map.of(
                                        "task",
                                        "attention",
                                        "n",
                                        length,
                                        "batch",
                                        batch,
                                        "heads",
                                        heads,
                                        "seconds",
                                        secondsEach())));
                ms.put("torch", torch.getOrDefault(name, Double.NaN));
                // Two products of length × length × 64, of which a causal mask needs half.
                flops(name, 2.0 * batch * heads * length * length * 64, ms);
            }
        }
    }

    /** Every form that our own products may take, and whether those that add in the same order have the same result. */
    private void tiles() {
        report.section("Forms of matrix products: TFLOP/s");
        long[] sizes = simulated() ? new long[] {72} : quick ? new long[] {8192} : new long[] {4096, 8192};
        try (GpuCheckProcess worker = worker()) {
            for (String kind : new String[] {"bf16", "tf32"}) {
                for (long n : sizes) {
                    String name = "matmul " + n + " " + kind;
                    double flops = 2.0 * n * n * n;
                    if (!simulated()) flops(name, flops, Map.of("cuBLAS", matmul(worker, name, n, kind, "cublas")));
                    if (!hasTime(20)) continue;
                    JsonNode answer = worker.ask(
                            Map.of("task", "tiles", "n", n, "kind", kind, "seconds", secondsEach()),
                            SECONDS_FOR_A_FIGURE);
                    if (answer.has("error"))
                        report.failure(name + ": " + answer.path("error").asText());
                    for (JsonNode form : answer.path("forms")) {
                        String what = name + ", " + form.path("form").asText();
                        report.row(
                                "tiles",
                                what,
                                Map.of("TFLOP/s", flops / form.path("ms").asDouble() / 1e9));
                        if (!form.path("agrees").asBoolean())
                            report.failure(what + ": other bits than another form that adds in the same order");
                    }
                }
            }
        }
    }

    /** @param by who is to do it, as {@code -Dsinter.matmul} has it; NaN if it is not there */
    private double matmul(GpuCheckProcess worker, String name, long n, String kind, String by) {
        return figure(
                worker,
                name + " by " + by,
                Map.of("task", "matmul", "n", n, "kind", kind, "by", by, "seconds", secondsEach()));
    }

    private void flops(String name, double flops, Map<String, Double> millis) {
        Map<String, Double> cells = new LinkedHashMap<>();
        millis.forEach((who, ms) -> cells.put(who, flops / ms / 1e9));
        report.row("products", name, cells);
    }

    /** PyTorch's milliseconds by case; empty if there is no PyTorch with CUDA. */
    private Map<String, Double> torch(long[] sizes) {
        Map<String, Double> millis = new HashMap<>();
        if (simulated()) return millis;
        List<String> list = new ArrayList<>();
        for (long n : sizes) list.add(Long.toString(n));
        try (InputStream script = GpuCheckCommand.class.getResourceAsStream("gpu_check_torch.py")) {
            Path file = Files.createTempFile("sinter-gpu-check", ".py");
            try {
                Files.copy(script, file, StandardCopyOption.REPLACE_EXISTING);
                for (String line : Rivals.lines(
                        List.of(
                                python,
                                file.toString(),
                                Integer.toString(gpu.index()),
                                String.join(",", list),
                                "" + secondsEach()),
                        TORCH_SECONDS)) {
                    if (!line.startsWith("{")) continue;
                    JsonNode n = new ObjectMapper().readTree(line);
                    if (n.has("torch"))
                        report.fact(
                                "torch",
                                n.path("torch").asText() + ", CUDA "
                                        + n.path("cuda").asText());
                    else millis.put(n.path("case").asText(), n.path("ms").asDouble());
                }
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            report.note("PyTorch is not compared with: " + e.getMessage());
        }
        return millis;
    }

    // ---- training

    private void trainings() {
        report.section("Training steps: milliseconds; ours, PyTorch eager and compiled");
        if (simulated()) {
            report.note("skipped: the simulator is too slow for them");
            return;
        }
        String peer = System.getProperty("sinter.torch.peer");
        boolean compare = peer != null && report.json().containsKey("torch") && gpu.index() == 0;
        if (!compare)
            report.note("PyTorch is not compared with: no torch with CUDA for " + gpu
                    + ", or no torch_peer.py beside Sinter");
        double seconds = quick ? 1 : 2;
        List<String> ourselves = Rivals.ourselves(Options.fromProperties().threads(), gpu.toString());
        for (String name : TRAININGS) {
            if (quick && (name.equals("train_gpt2_124m") || name.equals("train_resnet18"))) continue;
            if (!hasTime(quick ? 15 : 45)) {
                report.note(name + " is skipped: out of time");
                continue;
            }
            Map<String, Double> cells = new LinkedHashMap<>();
            cells.put("ours", median(ourselves, name, seconds, List.of("--device", gpu.toString())));
            if (compare) {
                List<String> rival = List.of(python, peer, "--device", "cuda");
                cells.put("eager", median(rival, name, seconds, List.of("--mode", "eager")));
                cells.put(
                        "compiled",
                        hasTime(60) ? median(rival, name, seconds, List.of("--mode", "compile")) : Double.NaN);
                cells.put("ours/eager", cells.get("ours") / cells.get("eager"));
                cells.put("ours/compiled", cells.get("ours") / cells.get("compiled"));
            }
            report.row("training", name, cells);
        }
    }

    private double median(List<String> command, String name, double seconds, List<String> more) {
        try {
            JsonNode line = Rivals.run(command, name, seconds, more, SECONDS_FOR_A_TRAINING);
            if (!line.has("error")) return line.path("median_ms").asDouble();
            report.failure(name + ": " + line.path("lib").asText() + ": "
                    + line.path("error").asText());
        } catch (IllegalStateException e) {
            report.failure(name + ": " + e.getMessage());
        }
        return Double.NaN;
    }

    private int finish() {
        report.section("Summary");
        report.fact("seconds", String.format(Locale.ROOT, "%.0f", elapsed()));
        List<String> failures = report.failures();
        report.note(failures.isEmpty() ? "All is right." : failures.size() + " failed.");
        if (json != null) {
            try {
                new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(json.toFile(), report.json());
            } catch (IOException e) {
                throw new CommandFailure("cannot write " + json + ": " + Reason.of(e), e);
            }
        }
        return failures.isEmpty() ? 0 : 1;
    }
}
