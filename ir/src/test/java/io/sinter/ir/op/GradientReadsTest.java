// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Type;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Which operands and results a gradient rule computes with is a property of the operator (and of a mode): not
 * of extents, nor of which results are differentiated. A tape that saves values relies on it.
 */
class GradientReadsTest {
    @TestFactory
    Stream<DynamicTest> doNotDependOnExtents() {
        return Operators.all().stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> checkSamples(op)));
    }

    private static void checkSamples(Op op) {
        Map<Object, BitSet> known = new HashMap<>();
        for (Sample s : op.samples()) {
            List<Type> in = s.inputs().stream().map(a -> a.type()).toList();
            if (in.isEmpty() || !in.get(0).dtype().isFloat()) continue;
            Object mode =
                    switch (s.op()) {
                        case Put p -> p.mode();
                        case Scatter p -> p.mode();
                        case Slice p -> p.live();
                        case Loop p -> p;
                        default -> in.size();
                    };
            List<Type> out = s.op().infer(in);
            BitSet all = reads(s.op(), in, out, -1);
            assertEquals(known.computeIfAbsent(mode, _ -> all), all, s::toString);
            if (s.op() instanceof Loop l) {
                long floats = 0;
                for (int i = 0; i < in.size(); i++) if (in.get(i).dtype().isFloat()) floats |= 1L << i;
                // Asked twice: the second time it remembers.
                for (int i = 0; i < 2; i++) {
                    assertEquals(GradientReads.bits(all), l.gradientReads(floats), s::toString);
                    assertEquals(GradientReads.bits(reads(l, in, out, -1, 1)), l.gradientReads(1), s::toString);
                }
            }
            for (int i = 0; i < out.size(); i++) {
                if (!out.get(i).dtype().isFloat()) continue;
                BitSet more = reads(s.op(), in, out, i);
                more.andNot(all);
                assertTrue(more.isEmpty(), s + ": with result " + i + " alone it reads " + more + " too");
            }
        }
    }

    /** @param only the result that a gradient flows into, -1: all */
    private static BitSet reads(Op op, List<Type> in, List<Type> out, int only) {
        return reads(op, in, out, only, -1);
    }

    /** @param needs a bit per operand; those of float types among them are differentiated */
    private static BitSet reads(Op op, List<Type> in, List<Type> out, int only, long needs) {
        return GradientReads.of(
                op, in, out, i -> in.get(i).dtype().isFloat() && (needs >> i & 1) != 0, i -> only < 0 || only == i);
    }
}
