// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts of passed, failed and unsupported samples, for each operator and in all. */
final class Summary {
    /**
     * One operator's counts. An operator is there if it has an entry and at least one sample could be run.
     */
    private static final class Counts {
        int passed;
        int failed;
        int unsupported;
        String reason = "";

        boolean there() {
            return passed + failed > 0;
        }
    }

    private final Map<String, Counts> operators = new TreeMap<>();
    private final List<TorchOps.Outcome> failures = new ArrayList<>();

    /** Counts one sample; returns how many of its operator have failed so far. */
    int add(TorchOps.Outcome o) {
        Counts c = operators.computeIfAbsent(o.sample().operator(), _ -> new Counts());
        switch (o.verdict()) {
            case PASSED -> c.passed++;
            case FAILED -> {
                c.failed++;
                failures.add(o);
            }
            case UNSUPPORTED -> {
                c.unsupported++;
                c.reason = o.message();
            }
        }
        return c.failed;
    }

    int passed() {
        return operators.values().stream().mapToInt(c -> c.passed).sum();
    }

    int failed() {
        return operators.values().stream().mapToInt(c -> c.failed).sum();
    }

    int unsupported() {
        return operators.values().stream().mapToInt(c -> c.unsupported).sum();
    }

    /** Number of operators of which samples could be run. */
    int there() {
        return (int) operators.values().stream().filter(Counts::there).count();
    }

    void print(PrintWriter out) {
        int width = operators.keySet().stream().mapToInt(String::length).max().orElse(1);
        operators.forEach((name, c) -> {
            if (!c.there()) return;
            out.println(String.format(
                            "%-" + width + "s  %d passed, %d failed, %d unsupported",
                            name,
                            c.passed,
                            c.failed,
                            c.unsupported)
                    + (c.unsupported > 0 ? " (" + c.reason + ")" : ""));
        });
        List<String> missing = new ArrayList<>();
        operators.forEach((name, c) -> {
            if (!c.there()) missing.add(name);
        });
        if (!missing.isEmpty()) out.println("not there: " + String.join(", ", missing));
        out.println(there() + " of " + operators.size() + " operators are there");
        out.println(passed() + " passed, " + failed() + " failed, " + unsupported() + " unsupported");
    }

    void write(ObjectNode root) {
        root.put("passed", passed()).put("failed", failed()).put("unsupported", unsupported());
        root.put("operators_there", there()).put("operators_total", operators.size());
        ObjectNode each = root.putObject("operators");
        operators.forEach((name, c) -> each.putObject(name)
                .put("passed", c.passed)
                .put("failed", c.failed)
                .put("unsupported", c.unsupported));
        var list = root.putArray("failures");
        for (TorchOps.Outcome o : failures)
            list.addObject().put("id", o.sample().id()).put("message", o.message());
    }
}
