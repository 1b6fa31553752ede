// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
            "Each case runs in a process of its own and prints one JSON line. Example:",
            "  sinter bench --only softmax --peer \"python3 tests/peers/torch_peer.py --threads 2\""
        })
public final class BenchCommand implements Runnable {
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
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Mode mode;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "jvm",
            description = "Device (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--json", paramLabel = "FILE", description = "Write all lines to this file, too.")
    private Path json;

    @Option(
            names = "--peer",
            paramLabel = "COMMAND",
            description = "A rival that takes --only and --seconds and prints such lines; may be repeated.")
    private List<String> peers = List.of();

    @Option(names = "--list", description = "List the cases.")
    private boolean list;

    @Option(names = "--here", hidden = true, description = "Run in this process.")
    private boolean here;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        List<BenchCase> cases = new ArrayList<>(Kernels.all());
        cases.addAll(Trainings.all());
        cases.removeIf(c -> !only.matcher(c.name()).find());
        if (cases.isEmpty())
            throw new ParameterException(spec.commandLine(), "no case matches --only " + only + "; --list lists them");
        if (list) {
            cases.forEach(c -> out.println(c.name()));
        } else if (here) {
            cases.forEach(c -> out.println(Rivals.text(measure(c))));
        } else {
            compare(cases, out);
        }
        out.flush();
    }

    private Map<String, Object> measure(BenchCase c) {
        Map<String, Object> r = Measurement.of(c, mode, seconds);
        r.put("lib", "sinter");
        r.put("mode", mode.name().toLowerCase(Locale.ROOT));
        r.put("device", device);
        r.put("threads", Session.current().options().threads());
        return r;
    }

    private void compare(List<BenchCase> cases, PrintWriter out) {
        int n = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        List<String> lines = new ArrayList<>();
        Comparison table = new Comparison(peers.size());
        List<String> more = List.of("--mode", mode.name(), "--device", device);
        for (BenchCase c : cases) {
            JsonNode ours = line(Rivals.ourselves(n), c.name(), more, lines, out);
            List<JsonNode> theirs = new ArrayList<>();
            for (String p : peers) theirs.add(line(Rivals.words(p), c.name(), List.of(), lines, out));
            table.add(c.name(), ours, theirs);
        }
        out.println();
        out.print(table.table());
        if (json != null) write(lines);
    }

    /** A case that fails is reported, and the others go on. */
    private JsonNode line(List<String> command, String name, List<String> more, List<String> lines, PrintWriter out) {
        try {
            JsonNode n = Rivals.run(command, name, seconds, more);
            lines.add(n.toString());
            out.println(n);
            out.flush();
            return n;
        } catch (IllegalStateException e) {
            String failed = Rivals.text(Map.of("case", name, "error", String.valueOf(e.getMessage())));
            lines.add(failed);
            out.println(failed);
            out.flush();
            return null;
        }
    }

    private void write(List<String> lines) {
        try {
            Files.write(json, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + json + ": " + e.getMessage(), e);
        }
    }
}
