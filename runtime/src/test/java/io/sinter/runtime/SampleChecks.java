// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.fail;

import io.sinter.ir.op.Op;
import java.util.List;

/** The {@link OperatorTable} as tests. */
final class SampleChecks {
    private final OperatorTable table;

    SampleChecks(Session session) {
        table = new OperatorTable(session, Integer.MAX_VALUE);
    }

    /** All samples of {@code op}. */
    void check(Op op) {
        report(table.problems(op));
    }

    /** The first few smooth samples of {@code op}: the gradient rule as a program. */
    void checkGradients(Op op) {
        report(table.gradientProblems(op));
    }

    private static void report(List<String> problems) {
        if (!problems.isEmpty()) fail(problems.size() + " samples:\n" + String.join("\n", problems));
    }
}
