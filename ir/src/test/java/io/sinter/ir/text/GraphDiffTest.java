// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.Graph;
import java.util.List;
import org.junit.jupiter.api.Test;

class GraphDiffTest {
    private static final String STEP = """
            %0: f32[4,8] = input
            %1: f32[8] = input
            %2: f32[] = scalar
            %3: f32[1,8] = reshape(%1) {shape=[1,8]}
            %4: f32[4,8] = expand(%3) {shape=[4,8]}
            %5: f32[4,8] = add(%0, %4)
            %6: f32[4,8] = tanh(%5)
            %7: f32[4] = sum(%6) {axes=[1]}
            return %7, %5
            """;

    private static Graph parse(String text) {
        return GraphParser.parse(text);
    }

    private static List<String> diff(String a, String b) {
        return GraphDiff.of(parse(a), parse(b)).stream()
                .map(c -> c.kind() + ": " + c.text())
                .toList();
    }

    @Test
    void equalProgramsDoNotDiffer() {
        assertEquals(List.of(), diff(STEP, STEP));
        assertEquals(1, GraphDiff.likeness(parse(STEP), parse(STEP)));
    }

    /** All that follows from an argument's shape is left out. */
    @Test
    void anotherBatchSizeIsOneDifference() {
        assertEquals(
                List.of("ARGUMENT: argument 0 is f32[5,8], was f32[4,8]"),
                diff(STEP, STEP.replace("f32[4", "f32[5").replace("shape=[4,8]", "shape=[5,8]")));
    }

    @Test
    void attributesAndConstantsAreNamed() {
        assertEquals(
                List.of("ATTRIBUTES: sum {axes=[0]}, was {axes=[1]}"),
                diff(STEP, STEP.replace("%7: f32[4] = sum(%6) {axes=[1]}", "%7: f32[8] = sum(%6) {axes=[0]}")));
        String constant = "%0: f32[] = constant(0.5)\n%1: f32[1] = reshape(%0) {shape=[1]}\n"
                + "%2: f32[3] = expand(%1) {shape=[3]}\nreturn %2\n";
        assertEquals(
                List.of("ATTRIBUTES: constant f32 0.25, was f32 0.5"), diff(constant, constant.replace("0.5", "0.25")));
        // Nothing that is given differs.
        assertEquals(
                List.of("ATTRIBUTES: expand {shape=[4]}, was {shape=[3]}"),
                diff(constant, constant.replace("[3]", "[4]")));
    }

    @Test
    void operatorsComeAndGo() {
        String more = STEP.replace(
                "%7: f32[4] = sum(%6)", "%8: f32[4,8] = exp(%6)\n%9: f32[4,8] = neg(%8)\n%7: f32[4] = sum(%9)");
        assertEquals(List.of("ADDED: exp is new", "ADDED: neg is new"), diff(STEP, more));
        assertEquals(
                List.of(
                        "REMOVED: exp is gone",
                        "REMOVED: neg is gone",
                        "OPERANDS: sum reads another value as operand 0"),
                diff(more, STEP));
        assertEquals(
                List.of("REMOVED: tanh is gone", "ADDED: sigmoid is new"), diff(STEP, STEP.replace("tanh", "sigmoid")));
    }

    @Test
    void operandsAndResultsAreNamed() {
        String swapped = STEP.replace("add(%0, %4)", "sub(%0, %4)");
        assertEquals(
                List.of("OPERANDS: sub reads another value as operand 0"),
                diff(swapped, swapped.replace("sub(%0, %4)", "sub(%4, %0)")));
        assertEquals(List.of("RESULTS: result 1 is another value"), diff(STEP, STEP.replace("%7, %5", "%7, %6")));
        assertEquals(List.of("RESULTS: the program has 1 results, had 2"), diff(STEP, STEP.replace("%7, %5", "%7")));
        assertEquals(
                List.of("RESULTS: result 1 takes over the memory of argument 0, and had its own"),
                diff(STEP, STEP.replace("%7, %5", "%7, %5 -> %0")));
        String number = STEP.replace("%2: f32[] = scalar", "%2: f32[] = input");
        assertEquals(List.of("ARGUMENT: argument 2 is f32[], was f32[] (a number of the host)"), diff(STEP, number));
    }

    @Test
    void likenessCountsOperators() {
        Graph a = parse(STEP);
        Graph b = parse(STEP.replace("tanh", "sigmoid"));
        assertEquals(0.8, GraphDiff.likeness(a, b), 1e-9);
        assertEquals(0, GraphDiff.likeness(a, parse("%0: f32[2] = input\n%1: f32[2] = exp(%0)\nreturn %1\n")));
    }
}
