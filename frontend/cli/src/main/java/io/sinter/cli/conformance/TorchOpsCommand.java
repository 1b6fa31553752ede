// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter conformance torch-ops ZIP}: samples of PyTorch's operators, values and gradients. */
@Command(
        name = "torch-ops",
        description =
                "Run samples of PyTorch's operators, values and gradients, through the public API (torch-ops.zip).")
public final class TorchOpsCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ZIP", description = "The samples: cases.jsonl and tensors.safetensors.")
    private Path zip;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Device to compute on: jvm, cuda, cuda:1, …, ptx-sim (default: the best there is).")
    private String device;

    @Option(names = "--only", paramLabel = "REGEX", description = "Only operators or sample ids that match entirely.")
    private String only;

    @Option(names = "--json", paramLabel = "FILE", description = "Write counts and failures to this file.")
    private Path json;

    @Option(
            names = "--every",
            paramLabel = "N",
            description = "Only each operator's first sample and every N-th after it (default: all).",
            defaultValue = "1")
    private int every;

    @Option(
            names = "--failures",
            paramLabel = "N",
            description = "Failures to print for each operator (default: ${DEFAULT-VALUE}).",
            defaultValue = "3")
    private int failures;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Summary summary = new Summary();
        try (Suite suite = Suite.open(zip);
                Session session = Session.open(options());
                var _ = session.use()) {
            TorchOps runner = new TorchOps(Registry.all(), suite);
            for (Suite.Case c : chosen(suite.cases())) {
                TorchOps.Outcome o = runner.run(c);
                if (summary.add(o) <= failures && o.verdict() == TorchOps.Verdict.FAILED) {
                    out.println("FAILED  " + c.id() + ": " + o.message());
                    out.flush();
                }
            }
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        summary.print(out);
        out.flush();
        if (json != null) write(summary);
        return summary.failed() == 0 ? 0 : 1;
    }

    private List<Suite.Case> chosen(List<Suite.Case> cases) {
        if (every < 1) throw new ParameterException(spec.commandLine(), "--every must be at least 1, not " + every);
        Map<String, Integer> count = new HashMap<>();
        List<Suite.Case> some = cases.stream()
                .filter(c -> (count.merge(c.operator(), 1, Integer::sum) - 1) % every == 0)
                .toList();
        return only == null ? some : matching(some);
    }

    private List<Suite.Case> matching(List<Suite.Case> cases) {
        try {
            Pattern p = Pattern.compile(only);
            return cases.stream()
                    .filter(c -> p.matcher(c.operator()).matches()
                            || p.matcher(c.id()).matches())
                    .toList();
        } catch (PatternSyntaxException e) {
            throw new ParameterException(spec.commandLine(), "--only: " + e.getMessage(), e);
        }
    }

    private Options options() {
        try {
            Options o = Options.fromProperties();
            return device == null ? o : o.withDevice(Device.parse(device));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private void write(Summary summary) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        summary.write(root);
        try {
            new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(json.toFile(), root);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + json + ": " + Reason.of(e), e);
        }
    }
}
