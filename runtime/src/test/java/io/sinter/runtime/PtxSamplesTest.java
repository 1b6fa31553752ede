// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.op.Take;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every operator's samples as PTX on the simulator, forward and gradient, against the operator's own reference evaluation. */
class PtxSamplesTest {
    private static Session session;
    private static SampleChecks checks;

    @BeforeAll
    static void open() {
        session = Session.open(Options.fromProperties()
                .withThreads(2)
                .withBackend(Options.Backend.GENERATED)
                .withDevice(Device.PTX_SIM));
        checks = new SampleChecks(session);
    }

    @AfterAll
    static void close() {
        session.close();
    }

    @TestFactory
    Stream<DynamicTest> kernelsAgreeWithTheReference() {
        return Operators.all().stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> checks.check(op)));
    }

    /** What is added in any order agrees, too, where samples scatter: forward, or backward. */
    @TestFactory
    Stream<DynamicTest> scattersAgreeInAnyOrder() {
        return Operators.all().stream()
                .filter(op -> op instanceof Scatter || op instanceof Put || op instanceof Gather || op instanceof Take)
                .map(op -> DynamicTest.dynamicTest(op.name(), () -> {
                    session.setDeterministic(false);
                    try {
                        checks.check(op);
                        checks.checkGradients(op);
                    } finally {
                        session.setDeterministic(true);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> gradientsAgreeWithTheReference() {
        return Operators.all().stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> checks.checkGradients(op)));
    }
}
