// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.sinter.ir.DType;
import io.sinter.ir.ref.GradCheck;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEmitter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every operator that decomposes: its parts compute what it computes, and differentiate to what its own gradient rule says. */
class DecompositionTest {
    private static Stream<Sample> samples() {
        return Operators.samples().stream()
                .filter(s -> s.op() instanceof Composite || s.op() instanceof Gather || s.op() instanceof Scatter);
    }

    private static <V> List<V> decompose(Op op, Emitter<V> e, List<V> in) {
        return switch (op) {
            case Composite c -> c.decompose(e, in);
            case Gather g -> g.decompose(e, in);
            case Scatter s -> s.decompose(e, in);
            default -> throw new IllegalArgumentException(op.name());
        };
    }

    @TestFactory
    Stream<DynamicTest> computesTheSame() {
        return samples()
                .map(s -> DynamicTest.dynamicTest(s.toString(), () -> {
                    List<RefArray> expected = s.op().evaluate(s.inputs());
                    List<RefArray> actual = decompose(s.op(), new RefEmitter(), s.inputs());
                    assertEquals(expected.size(), actual.size());
                    for (int i = 0; i < expected.size(); i++)
                        assertClose(expected.get(i), actual.get(i), s + ", result " + i);
                }));
    }

    @TestFactory
    Stream<DynamicTest> hasTheSameSlopes() {
        return samples()
                .filter(s -> s.smooth() && s.inputs().stream().anyMatch(x -> x.dtype() == DType.F64))
                .map(s -> DynamicTest.dynamicTest(
                        s.toString(), () -> GradCheck.check((tape, in) -> decompose(s.op(), tape, in), s.inputs())
                                .ifPresent(m -> fail(s + ": " + m))));
    }

    /** Same types; values equal up to the rounding of the dtype that intermediate results have. */
    private static void assertClose(RefArray expected, RefArray actual, String what) {
        assertEquals(expected.type(), actual.type(), what);
        double tolerance =
                switch (expected.dtype()) {
                    case F64 -> 1e-11;
                    case F32 -> 2e-5;
                    case F16 -> 2e-3;
                    case BF16 -> 1.6e-2;
                    case I64, I32, I16, I8, U8, BOOL -> 0;
                };
        for (int i = 0; i < expected.size(); i++) {
            double x = expected.getDouble(i);
            double y = actual.getDouble(i);
            int at = i;
            assertTrue(
                    Double.compare(x, y) == 0 || Math.abs(x - y) <= tolerance * (1 + Math.abs(x)),
                    () -> what
                            + ", element "
                            + at
                            + ": "
                            + x
                            + " expected, "
                            + y
                            + " by the parts; all: "
                            + expected
                            + " and "
                            + actual);
        }
    }
}
