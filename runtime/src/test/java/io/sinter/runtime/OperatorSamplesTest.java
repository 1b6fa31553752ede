// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every operator's samples as programs of generated code, against the operator's own reference evaluation. */
class OperatorSamplesTest {
    private static Session session;

    @BeforeAll
    static void open() {
        session = Session.open(Options.fromProperties().withThreads(2).withBackend(Options.Backend.GENERATED));
    }

    @AfterAll
    static void close() {
        session.close();
    }

    @TestFactory
    Stream<DynamicTest> generatedCodeAgreesWithTheReference() {
        return Operators.all().stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> check(op)));
    }

    private static void check(Op op) {
        List<String> problems = new ArrayList<>();
        for (Sample sample : op.samples()) {
            try {
                compare(sample);
            } catch (RuntimeException | AssertionError e) {
                problems.add(sample + ": " + e);
            }
        }
        if (problems.isEmpty()) return;
        fail(problems.size() + " of " + op.samples().size() + " samples:\n" + String.join("\n", problems));
    }

    private static void compare(Sample sample) {
        GraphBuilder g = new GraphBuilder();
        List<Node> inputs = new ArrayList<>();
        List<Buffer> args = new ArrayList<>();
        for (RefArray a : sample.inputs()) {
            inputs.add(g.input(a.type()));
            Buffer b = session.allocator().allocate(a.type().bytes());
            Elements.store(a, b.address());
            args.add(b);
        }
        List<Node> results = g.emit(sample.op(), inputs);
        Executable program = Executable.compile(g.build(results.toArray(Node[]::new)), CompileContext.of(session));
        List<RefArray> want;
        try {
            want = sample.op().evaluate(sample.inputs());
        } catch (IndexOutOfBoundsException e) {
            try {
                program.run(args);
            } catch (IndexOutOfBoundsException _) {
                return;
            }
            throw new AssertionError("the reference reports " + e.getMessage() + ", generated code nothing");
        }
        Run run = program.run(args);
        for (int i = 0; i < want.size(); i++) {
            RefArray got = Elements.load(want.get(i).type(), run.result(i).address());
            compare("result " + i, want.get(i), got);
        }
    }

    private static void compare(String what, RefArray want, RefArray got) {
        double tolerance = switch (want.dtype()) {
            case F64 -> 1e-10;
            case F32 -> 2e-5;
            case F16 -> 4e-3;
            case BF16 -> 3e-2;
            case I64, I32, I16, I8, U8, BOOL -> 0;
        };
        for (int i = 0; i < want.size(); i++) {
            String where = what + " element " + i;
            if (want.dtype().isFloat()) {
                double w = want.getDouble(i);
                double v = got.getDouble(i);
                boolean same = Double.isNaN(w) ? Double.isNaN(v) : w == v || Math.abs(w - v) <= tolerance * Math.max(1, Math.abs(w));
                if (!same) fail(where + ": " + v + ", expected " + w);
            } else {
                assertEquals(want.getLong(i), got.getLong(i), where);
            }
        }
    }
}
