// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.Sinter;
import io.sinter.cli.CommandFailure;
import io.sinter.cli.Version;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sinter bench}: the cases of {@code tests/peers/torch_peer.py}, ours and the peers' in turn. */
@Command(
        name = "bench",
        description = {
            "Time operators and training steps; with --peer beside others in the same call.",
            "",
            "Each case runs in a process of its own and prints one JSON line: case, median_ms, min_ms, first_ms (the first call in a process that has"
                    + " not seen the case, inputs and networks made), reps, peak_rss_mb, tensor_mb (of it, tensors and temporaries at most), gflops, gbps, lib, mode, device, threads. A repetition ends when"
                    + " every output is computed.",
            "",
            "After timing, the case's process compares its outputs with a plain evaluation, operator by operator in plain Java: single operators on"
                    + " parts of their outputs at the timed shapes (the first, the last and a middle range, or everything), networks on a small instance"
                    + " of the same code (losses of three steps, gradients of the first), and the loss of the timed network must have fallen. A wrong"
                    + " output is an error line, and the exit status is 1.",
            "",
            "Example:",
            "  sinter bench --only softmax --peer \"python3 tests/peers/torch_peer.py --threads 2\""
        })
public final class BenchCommand implements Runnable {
    /** What is set against the peers. */
    enum Modes {
        TRACED,
        COMPILED,
        /** Traced beside peers in eager mode, compiled beside peers that say that their mode is compile. */
        BOTH
    }

    @Spec
    private CommandSpec spec;

    @Option(names = "--only", paramLabel = "REGEX", defaultValue = ".", description = "Cases whose name has a match.")
    private Pattern only;

    @Option(names = "--threads", paramLabel = "N", description = "Worker threads (default: one for each processor).")
    private Integer threads;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "2",
            description = "Time per case (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--mode",
            defaultValue = "TRACED",
            description =
                    "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}): traced at every repetition, through Sinter.compile, or both:"
                            + " compiled beside peers whose lines say mode compile, traced beside all others.")
    private Modes mode;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "jvm",
            description = "Device: jvm, cuda, cuda:1, …, ptx-sim (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--json", paramLabel = "FILE", description = "Write all lines to this file, too.")
    private Path json;

    @Option(
            names = "--peer",
            paramLabel = "COMMAND",
            description = "A rival that takes --only and --seconds and prints such lines; may be repeated.")
    private List<String> peers = List.of();

    @Option(
            names = "--sweep",
            description =
                    "Instead of cases: training steps of train_gpt_small's network at 50 sequence lengths, the sweep's time"
                            + " beside that of the same steps once more, and the kernels generated during it; figure: at most 1.3.")
    private boolean sweep;

    @Option(
            names = "--overhead",
            description =
                    "Instead of times: what it costs to look. Each case's repetitions with a profile and without in turn, its"
                            + " compilation dumped and not dumped in turn, in one process; figures: a step at most 1.1 times, a compilation twice.")
    private boolean overhead;

    @Option(
            names = "--profile",
            paramLabel = "FILE",
            description =
                    "Record where the time of the timed repetitions goes: .json is a time line for ui.perfetto.dev, .jfr a recording"
                            + " for JDK Mission Control, .txt tables. Of several cases, their names stand before the ending.")
    private Path profile;

    @Option(
            names = "--dump",
            paramLabel = "DIR",
            description = "Dump the programs that are timed; of several cases, each into a folder of its name.")
    private Path dump;

    @Option(names = "--list", description = "List the cases.")
    private boolean list;

    @Option(
            names = "--here",
            description = "Run the cases in this process, one after the other: for profilers and debuggers.")
    private boolean here;

    private final List<String> lines = new ArrayList<>();
    private final List<String> failed = new ArrayList<>();
    private Watching watching;
    private boolean several;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        List<BenchCase> cases = cases();
        watching = new Watching(profile, dump);
        several = cases.size() > 1 || mode == Modes.BOTH;
        check(cases);
        if (sweep) {
            sweep(out);
        } else if (list) {
            cases.forEach(c -> out.println(c.name()));
        } else if (here) {
            Mode m = mode == Modes.COMPILED ? Mode.COMPILED : Mode.TRACED;
            for (BenchCase c : cases) report(measure(c, m), out);
        } else {
            compare(cases, out);
        }
        out.flush();
        if (!failed.isEmpty()) throw new CommandFailure("failed: " + String.join("; ", failed));
    }

    /** All cases, in the order of the peer's. */
    static List<BenchCase> all() {
        List<BenchCase> cases = new ArrayList<>(Kernels.all());
        cases.addAll(Trainings.all());
        return cases;
    }

    /** Those that a device is fast enough for. */
    static List<BenchCase> all(String device) {
        List<BenchCase> cases = all();
        if (device.startsWith("cuda")) cases.addAll(Trainings.forGpus());
        return cases;
    }

    private List<BenchCase> cases() {
        return all(device).stream().filter(c -> only.matcher(c.name()).find()).toList();
    }

    private void check(List<BenchCase> cases) {
        if (cases.isEmpty()) throw wrong("no case matches --only " + only + "; --list lists them");
        if (threads != null && threads < 1) throw wrong("--threads must be at least 1, not " + threads);
        if (!(seconds > 0)) throw wrong("--seconds must be positive, not " + seconds);
        if (watching.anything() && (sweep || list || overhead))
            throw wrong("--profile and --dump are for cases that are timed, not for --sweep, --list or --overhead");
        if (overhead && !peers.isEmpty()) throw wrong("--overhead compares nothing with peers");
        if (Boolean.getBoolean("sinter.profile") && (overhead || profile != null))
            throw wrong("-Dsinter.profile=true profiles already: leave it, --profile or --overhead out");
        try {
            watching.check();
        } catch (IllegalArgumentException e) {
            throw wrong("--profile: " + e.getMessage());
        }
        if ((here || overhead) && mode == Modes.BOTH) throw wrong("--here and --overhead measure in one mode");
        for (String p : peers) if (Rivals.words(p).isEmpty()) throw wrong("--peer needs a command");
        try {
            Device.parse(device);
        } catch (IllegalArgumentException e) {
            throw wrong("--device: " + e.getMessage());
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private Watching watching(BenchCase c, Mode m) {
        return several ? watching.of(c, m, mode == Modes.BOTH) : watching;
    }

    private JsonNode measure(BenchCase c, Mode m) {
        Map<String, Object> r;
        try {
            r = overhead ? Overhead.of(c, m, seconds) : measured(c, m);
        } catch (WrongOutput e) {
            r = error(c, "wrong output: " + e.getMessage());
        } catch (RuntimeException e) {
            e.printStackTrace(spec.commandLine().getErr());
            r = error(c, e.toString());
        }
        r.put("lib", "sinter-" + Version.text());
        r.put("mode", m.name().toLowerCase(Locale.ROOT));
        r.put("device", device);
        r.put("threads", Session.current().options().threads());
        return Rivals.node(r);
    }

    private Map<String, Object> measured(BenchCase c, Mode m) {
        Watching what = watching(c, m);
        if (what.dump() == null) return Measurement.of(c, m, seconds, what);
        // Programs that a session has compiled already are not compiled again, so they would not be in the dump.
        Sinter.flush();
        try (Session own = Session.open(Session.current().options());
                var _ = own.use()) {
            Map<String, Object> r = Measurement.of(c, m, seconds, what);
            Sinter.flush();
            return r;
        }
    }

    private static Map<String, Object> error(BenchCase c, String message) {
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("case", c.name());
        r.put("error", message);
        return r;
    }

    private void sweep(PrintWriter out) {
        Options options = Options.fromProperties().withDevice(Device.parse(device));
        if (threads != null) options = options.withThreads(threads);
        try (Session session = Session.open(options);
                var _ = session.use()) {
            Map<String, Object> r = Sweep.measure();
            r.put("threads", options.threads());
            report(Rivals.node(r), out);
        }
    }

    private void compare(List<BenchCase> cases, PrintWriter out) {
        int n = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        List<String> ourselves = Rivals.ourselves(n, device);
        if (overhead) {
            ourselves.add("--overhead");
            for (BenchCase c : cases) ours(ourselves, c, mode == Modes.COMPILED ? Mode.COMPILED : Mode.TRACED, out);
            if (json != null) write();
            return;
        }
        Comparison table = new Comparison(peers.size());
        for (BenchCase c : cases) {
            Map<Mode, JsonNode> ours = new EnumMap<>(Mode.class);
            if (mode != Modes.COMPILED) ours.put(Mode.TRACED, ours(ourselves, c, Mode.TRACED, out));
            if (mode != Modes.TRACED) ours.put(Mode.COMPILED, ours(ourselves, c, Mode.COMPILED, out));
            List<JsonNode> beside = new ArrayList<>();
            List<JsonNode> theirs = new ArrayList<>();
            for (String p : peers) {
                JsonNode line = line(Rivals.words(p), c.name(), List.of(), out);
                boolean compiled = line.path("mode").asText().equals("compile");
                theirs.add(line);
                beside.add(ours.get(
                        mode == Modes.COMPILED || mode == Modes.BOTH && compiled ? Mode.COMPILED : Mode.TRACED));
            }
            table.add(c.name(), peers.isEmpty() ? List.copyOf(ours.values()) : beside, theirs);
        }
        out.println();
        out.print(table.table());
        out.flush();
        if (json != null) write();
    }

    private JsonNode ours(List<String> ourselves, BenchCase c, Mode m, PrintWriter out) {
        List<String> more = new ArrayList<>(List.of("--mode", m.name(), "--device", device));
        more.addAll(watching(c, m).words());
        return line(ourselves, c.name(), more, out);
    }

    /** A case that fails is reported, and the others go on. */
    private JsonNode line(List<String> command, String name, List<String> more, PrintWriter out) {
        JsonNode n;
        try {
            n = Rivals.run(command, name, seconds, more);
        } catch (IllegalStateException e) {
            n = Rivals.node(Map.of("case", name, "error", String.valueOf(e.getMessage())));
        }
        report(n, out);
        return n;
    }

    private void report(JsonNode line, PrintWriter out) {
        lines.add(line.toString());
        out.println(line);
        out.flush();
        if (line.has("error")) {
            String lib = line.has("lib")
                    ? line.path("lib").asText() + " " + line.path("mode").asText() + ": "
                    : "";
            failed.add(
                    line.path("case").asText() + ": " + lib + line.path("error").asText());
        }
    }

    private void write() {
        try {
            Files.write(json, lines);
        } catch (IOException e) {
            throw new CommandFailure("cannot write " + json + ": " + Reason.of(e), e);
        }
    }
}
