// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.ref.RandomGraphs;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class GraphTextTest {
    private static final String EXAMPLE = """
            %0: f32[2,3] = input
            %1: f32[] = scalar
            %2: f32[] = constant(0.5)
            %3: f32[1,1] = reshape(%2) {shape=[1,1]}
            %4: f32[2,3] = expand(%3) {shape=[2,3]}
            %5: f32[2,3] = mul(%0, %4)  # @7
            %6: f32[2,3] = softmax(%5) {axis=1}
            %7: (f32[2,2], i64[2,2]) = topk(%6) {axis=1, k=2, largest=true}
            %8: i64[2,2] = %7.1
            %9: f32[] = derived(0.3333333432674408)
            %10: bool[] = isnan(%1)
            return %8, %6 -> %0, %10, %0
            """;

    @Test
    void printsWhatItParses() {
        assertEquals(EXAMPLE, GraphPrinter.print(GraphParser.parse(EXAMPLE)));
    }

    @Test
    void originsPrintAsTheSideTableSays() {
        String text = GraphPrinter.print(GraphParser.parse(EXAMPLE), o -> "Model.java:" + (o + 35));
        assertTrue(text.contains("%5: f32[2,3] = mul(%0, %4)  # Model.java:42\n"), text);
        assertEquals(GraphPrinter.print(GraphParser.parse(text)), EXAMPLE.replace("  # @7", ""));
    }

    @Test
    void specialNumbersSurvive() {
        String text = """
                %0: f64[] = constant(NaN)
                %1: f32[] = constant(-Infinity)
                %2: f64[] = constant(-0.0)
                %3: i64[] = constant(-9223372036854775808)
                %4: bf16[] = constant(1.3359375)
                %5: bool[] = constant(1)
                return %0, %1, %2, %3, %4, %5
                """;
        assertEquals(text, GraphPrinter.print(GraphParser.parse(text)));
    }

    /** A result may take over memory that no operator reads; the key says whose. */
    @Test
    void donatedArgumentsNeedNotBeRead() {
        String text = "%0: f32[2] = input\n%1: f32[2] = input\n%2: f32[2] = input\n%3: f32[2] = exp(%1)\nreturn %3";
        Graph unread = GraphParser.parse(text + " -> %2\n");
        RoundTrip.check(unread);
        RoundTrip.check(GraphParser.parse(text + " -> %1\n"));
        assertNotEquals(Canonical.of(GraphParser.parse(text + " -> %1\n")), Canonical.of(unread));
        assertNotEquals(Canonical.of(GraphParser.parse(text + "\n")), Canonical.of(unread));
    }

    @Property(tries = 60)
    void randomGraphsComeBack(@ForAll long seed) {
        Graph g = RandomGraphs.graph(seed, 40);
        String text = GraphPrinter.print(g);
        assertEquals(text, GraphPrinter.print(GraphParser.parse(text)));
    }

    @Test
    void errorsNameLineAndProblem() {
        assertError("%0: f32[2] = input\n%1: f32[2] = exp(%9)\nreturn %1", "line 2", "%9 is not defined above");
        assertError(
                "%0: f32[2] = input\n%1: f32[3] = exp(%0)\nreturn %1", "line 2", "the type is [f32[2]], not [f32[3]]");
        assertError("%0: f32[2] = input\n%1: f32[2] = expp(%0)\nreturn %1", "unknown operator 'expp'");
        assertError("%0: f33[2] = input\nreturn %0", "unknown dtype 'f33'");
        assertError("%0: f32[2] = input\n%1: f32[2] = softmax(%0)\nreturn %1", "no 'axis'");
        assertError("%0: f32[2] = input\n%1: f32[2] = softmax(%0) {axis=x}\nreturn %1", "'axis' is not an integer");
        assertError("%0: f32[2] = input\n%0: f32[2] = exp(%0)\nreturn %0", "defined twice");
        assertError("%0: f32[2] = input", "without 'return'");
        assertError("%0: f32[2] = input\nwhat\nreturn %0", "line 2", "neither");
        assertError("%0: f32[2] = input\n%1: f32[2] = exp(%0)\nreturn %1 -> %1", "%1 is not an input");
    }

    /** Of names, types, operators, operands, attributes and results alike, with blanks before them and between. */
    @Test
    void errorsNameTheColumn() {
        assertEquals("line 2, column 14", where("%0: f32[2] = input\n%1: f32[2] = expp(%0)\nreturn %1"));
        assertEquals("line 2, column 18", where("%0: f32[2] = input\n%1: f32[2] = exp(%9)\nreturn %1"));
        assertEquals("line 2, column 26", where("%0: f32[2] = input\n  %1: f32[2] = add( %0,  %9 )\nreturn %1"));
        assertEquals("line 2, column 5", where("%0: f32[2] = input\n%1: f32[3] = exp(%0)\nreturn %1"));
        assertEquals("line 2, column 20", where("%0: f32[2] = input\n%1: f32[2] = exp(%0\nreturn %1"));
        assertEquals("line 2, column 26", where("%0: f32[2] = input\n%1: f32[2] = softmax(%0) {axis=x}\nreturn %1"));
        assertEquals("line 2, column 13", where("%0: f32[2] = input\n%1: f32[] = sum(%0) {axes=[7]}\nreturn %1"));
        assertEquals("line 1, column 7", where("  %0: f33[2] = input\nreturn %0"));
        assertEquals("line 2, column 1", where("%0: f32[2] = input\n%0: f32[2] = exp(%0)\nreturn %0"));
        assertEquals("line 2, column 3", where("%0: f32[2] = input\n  what\nreturn %0"));
        assertEquals("line 2, column 12", where("%0: f32[2] = input\nreturn %0, %7"));
        assertEquals("line 3, column 15", where("%0: f32[2] = input\n%1: f32[2] = exp(%0)\n return %1 -> %1"));
    }

    private static String where(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> GraphParser.parse(text))
                .getMessage();
        return message.substring(0, message.indexOf(':'));
    }

    private static void assertError(String text, String... parts) {
        String message = assertThrows(IllegalArgumentException.class, () -> GraphParser.parse(text))
                .getMessage();
        for (String p : parts) assertTrue(message.contains(p), message);
    }

    /** Whatever is fed to it, the parser answers with a graph or with its own kind of exception. */
    @Property(tries = 300)
    void damagedTextIsRefusedCleanly(@ForAll long seed, @ForAll int place, @ForAll char c) {
        StringBuilder text = new StringBuilder(EXAMPLE);
        text.setCharAt(Math.floorMod(place, text.length()), c);
        int cut = (int) Math.floorMod(seed, (long) text.length());
        for (String damaged : new String[] {text.toString(), EXAMPLE.substring(0, cut), EXAMPLE.substring(cut)}) {
            try {
                GraphPrinter.print(GraphParser.parse(damaged));
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage() != null && !e.getMessage().isEmpty());
            }
        }
    }
}
