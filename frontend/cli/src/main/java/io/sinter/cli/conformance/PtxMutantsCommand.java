// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.faults.Fault;
import io.sinter.codegen.ptx.sim.SimOptions;
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
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sinter conformance ptx-mutants}: how many faults seeded into emitted PTX are caught. */
@Command(
        name = "ptx-mutants",
        description =
                "Seed single faults into emitted PTX, and count those that the simulator or wrong results give away.")
public final class PtxMutantsCommand implements Callable<Integer> {
    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Chooses the faults (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private long seed;

    @Option(
            names = "--max",
            paramLabel = "N",
            description = "At most so many faults of each kind and template (default: ${DEFAULT-VALUE}).",
            defaultValue = "20")
    private int max;

    @Option(
            names = "--only",
            paramLabel = "TEMPLATE",
            description = "Only this template or, if none has that name, those whose names begin so.")
    private String only = "";

    @Option(names = "--threads", paramLabel = "N", description = "So many at a time (default: one for each processor).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--markdown",
            paramLabel = "FILE",
            description = "Write the table, survivors and equivalents to it.")
    private Path markdown;

    @Spec
    private CommandSpec spec;

    /** Of one template and kind. */
    private record Count(int caught, int all) {}

    /** What came of one template's faults. */
    private record Outcome(
            String template, Map<Fault.Kind, Count> counts, List<String> survivors, Map<String, List<String>> proven) {
        int caught() {
            return counts.values().stream().mapToInt(Count::caught).sum();
        }

        int all() {
            return counts.values().stream().mapToInt(Count::all).sum();
        }

        int equivalent() {
            return proven.values().stream().mapToInt(List::size).sum();
        }
    }

    private final Equivalents equivalents = Equivalents.load();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        out.println("seed " + seed + ", at most " + max + " faults of each kind and template");
        List<Outcome> outcomes = new ArrayList<>();
        List<String> unsound = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(Math.max(1, threads))) {
            for (Supplier<MutantCase> made : chosen()) {
                MutantCase c = made.get();
                try {
                    Outcome o = run(new Mutants(c, SimOptions.DEFAULT.withSeed(seed)), c.template(), pool);
                    outcomes.add(o);
                    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-24s", o.template));
                    o.counts.forEach(
                            (kind, n) -> line.append(String.format(Locale.ROOT, "  %s %d/%d", kind, n.caught, n.all)));
                    out.println(line);
                    o.survivors.forEach(x -> out.println("    survived: " + x));
                } catch (IllegalStateException e) {
                    unsound.add(e.getMessage());
                }
                out.flush();
            }
        }
        for (Outcome o : outcomes) {
            o.proven.forEach((proof, keys) -> {
                keys.forEach(k -> out.println("equivalent: " + k));
                out.println("    " + proof);
            });
        }
        unsound.forEach(s -> out.println("not tried, for it is wrong " + s));
        int all = outcomes.stream().mapToInt(Outcome::all).sum();
        int caught = outcomes.stream().mapToInt(Outcome::caught).sum();
        String sum = String.format(
                Locale.ROOT,
                "%d mutants, %d caught, %d survived (%.1f%%)",
                all,
                caught,
                all - caught,
                all == 0 ? 0 : 100.0 * caught / all);
        if (markdown != null) Files.writeString(markdown, markdown(outcomes, sum));
        out.println(sum);
        out.flush();
        return unsound.isEmpty() && (all - caught) * 20 <= all ? 0 : 1;
    }

    private List<Supplier<MutantCase>> chosen() {
        List<Supplier<MutantCase>> exact = new ArrayList<>();
        List<Supplier<MutantCase>> begun = new ArrayList<>();
        for (Supplier<MutantCase> c : MutantCases.all()) {
            String name = only.isEmpty() ? "" : c.get().template();
            if (name.equals(only)) exact.add(c);
            if (name.startsWith(only)) begun.add(c);
        }
        return exact.isEmpty() ? begun : exact;
    }

    private Outcome run(Mutants mutants, String template, ExecutorService pool) {
        Map<Fault.Kind, Count> counts = new EnumMap<>(Fault.Kind.class);
        List<String> survivors = new ArrayList<>();
        Map<String, List<String>> proven = new LinkedHashMap<>();
        Map<Fault.Kind, List<Mutants.Mutant>> sample = mutants.sample(max, seed);
        Map<Fault.Kind, List<Future<Mutants.Verdict>>> verdicts = new EnumMap<>(Fault.Kind.class);
        sample.forEach((kind, some) -> verdicts.put(
                kind, some.stream().map(m -> pool.submit(() -> mutants.run(m))).toList()));
        sample.forEach((kind, some) -> {
            int caught = 0;
            int all = 0;
            for (int i = 0; i < some.size(); i++) {
                String key = some.get(i).key();
                String proof = equivalents.proof(some.get(i));
                switch (get(verdicts.get(kind).get(i))) {
                    case INVALID -> {}
                    case CAUGHT -> {
                        all++;
                        if (proof == null) caught++;
                        else survivors.add(key + " (caught, although its proof says: " + proof + ")");
                    }
                    case SURVIVED -> {
                        if (proof != null) {
                            proven.computeIfAbsent(proof, _ -> new ArrayList<>())
                                    .add(key);
                        } else {
                            all++;
                            survivors.add(key);
                        }
                    }
                }
            }
            counts.put(kind, new Count(caught, all));
        });
        return new Outcome(template, counts, survivors, proven);
    }

    private static Mutants.Verdict get(Future<Mutants.Verdict> verdict) {
        try {
            return verdict.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException r ? r : new IllegalStateException(e.getCause());
        }
    }

    private String markdown(List<Outcome> outcomes, String sum) {
        StringBuilder b = new StringBuilder();
        b.append("`./sinter conformance ptx-mutants --seed " + seed + " --max " + max + "`: " + sum
                + ".\n\n| template |");
        for (Fault.Kind k : Fault.Kind.values()) b.append(' ').append(k).append(" |");
        b.append(" equivalent |\n|---|")
                .append("---|".repeat(Fault.Kind.values().length + 1))
                .append('\n');
        for (Outcome o : outcomes) {
            b.append("| ").append(o.template).append(" |");
            for (Fault.Kind k : Fault.Kind.values()) {
                Count n = o.counts.get(k);
                b.append(n == null || n.all == 0 ? " |" : " " + n.caught + "/" + n.all + " |");
            }
            b.append(o.equivalent() == 0 ? " |\n" : " " + o.equivalent() + " |\n");
        }
        b.append("\nSurvivors:\n\n");
        outcomes.forEach(o -> o.survivors.forEach(s -> b.append("- ").append(s).append('\n')));
        b.append("\nEquivalent, with the proof:\n\n");
        Map<String, List<String>> proven = new LinkedHashMap<>();
        outcomes.forEach(o -> o.proven.forEach((proof, keys) ->
                proven.computeIfAbsent(proof, _ -> new ArrayList<>()).addAll(keys)));
        proven.forEach((proof, keys) -> {
            b.append("- ").append(proof).append('\n');
            keys.forEach(k -> b.append("  - ").append(k).append('\n'));
        });
        return b.toString();
    }
}
