// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.faults.Fault;
import io.sinter.codegen.ptx.sim.SimOptions;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
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

    @Option(names = "--only", paramLabel = "TEMPLATE", description = "Only templates whose name begins so.")
    private String only = "";

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        out.println("seed " + seed + ", at most " + max + " faults of each kind and template");
        Equivalents equivalents = Equivalents.load();
        List<String> survivors = new ArrayList<>();
        List<String> proven = new ArrayList<>();
        List<String> unsound = new ArrayList<>();
        int caught = 0;
        for (MutantCase c : MutantCases.all()) {
            if (!c.template().startsWith(only)) continue;
            int before = survivors.size();
            Mutants mutants;
            try {
                mutants = new Mutants(c, SimOptions.DEFAULT.withSeed(seed));
            } catch (IllegalStateException e) {
                unsound.add(e.getMessage());
                continue;
            }
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-24s", c.template()));
            for (Map.Entry<Fault.Kind, List<Mutants.Mutant>> e :
                    mutants.sample(max, seed).entrySet()) {
                int total = 0;
                int here = 0;
                for (Mutants.Mutant m : e.getValue()) {
                    String proof = equivalents.proof(m.key());
                    switch (mutants.run(m)) {
                        case INVALID -> {
                            continue;
                        }
                        case CAUGHT -> {
                            here++;
                            if (proof != null)
                                survivors.add(m.key() + " (caught, although its proof says: " + proof + ")");
                        }
                        case SURVIVED -> {
                            if (proof == null) {
                                survivors.add(m.key());
                            } else {
                                proven.add(m.key() + "\n    " + proof);
                                continue;
                            }
                        }
                    }
                    total++;
                }
                caught += here;
                line.append(String.format(Locale.ROOT, "  %s %d/%d", e.getKey(), here, total));
            }
            out.println(line);
            survivors.subList(before, survivors.size()).forEach(x -> out.println("    survived: " + x));
            out.flush();
        }
        proven.forEach(p -> out.println("equivalent: " + p));
        unsound.forEach(s -> out.println("not tried, for it is wrong " + s));
        int survived = survivors.size();
        int all = caught + survived;
        out.printf(
                Locale.ROOT,
                "%d mutants, %d caught, %d survived (%.1f%%)%n",
                all,
                caught,
                survived,
                all == 0 ? 0 : 100.0 * caught / all);
        out.flush();
        return unsound.isEmpty() && survived * 20 <= all ? 0 : 1;
    }
}
