// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Sample;
import io.sinter.ir.text.GraphParser;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditioningTest {
    /** Whether rounding explains that the first element of the first result is off by so much of its scale. */
    private static boolean explained(String text, double off, RefArray... arguments) {
        Graph g = GraphParser.parse(text);
        List<RefArray> want = RefEvaluator.run(g, List.of(arguments));
        return Conditioning.explains(g, List.of(arguments), want, new Closeness.Difference(0, 0, 0, 0, off));
    }

    @Test
    void ordinaryProgramsAreOffByLittle() {
        RefArray x = Sample.uniform(Type.of(DType.F32, 30), -2, 2, 1);
        String text = "%0: f32[30] = input\n%1: f32[30] = exp(%0)\n%2: f32[] = sum(%1) {axes=[0]}\nreturn %2\n";
        assertTrue(explained(text, 1e-6, x));
        assertFalse(explained(text, 1e-3, x));
        String integers = "%0: i64[2] = input\n%1: i64[2] = neg(%0)\nreturn %1\n";
        assertFalse(explained(integers, 1, RefArray.ofLongs(DType.I64, Shape.of(2), 4, 5)));
    }

    @Test
    void differencesOfEqualNumbersAreAllRounding() {
        RefArray x = Sample.uniform(Type.of(DType.F32, 64, 96), 1000, 2000, 1);
        assertTrue(explained("""
                %0: f32[64,96] = input
                %1: f32[64] = sum(%0) {axes=[1]}
                %2: f32[] = sum(%1) {axes=[0]}
                %3: f32[96] = sum(%0) {axes=[0]}
                %4: f32[] = sum(%3) {axes=[0]}
                %5: f32[] = sub(%2, %4)
                return %5
                """, 1, x));
    }

    /** The place of the greatest of equals is anybody's guess, and a whole number off. */
    @Test
    void choicesThatRoundingMakesAreNoFaults() {
        RefArray x = RefArray.of(DType.F32, Shape.of(4), 1, 1, 1, 1);
        assertTrue(explained(
                "%0: f32[4] = input\n%1: f32[4] = exp(%0)\n%2: i64[1] = argmax(%1) {axes=[0]}\nreturn %2\n"
                        .replace("i64[1]", "i64[]"),
                3,
                x));
    }
}
