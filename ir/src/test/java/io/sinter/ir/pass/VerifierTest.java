// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Unary;
import io.sinter.ir.text.GraphParser;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerifierTest {
    private static final Type F3 = Type.of(DType.F32, 3);
    private final Node x = new Node(new Input(0, F3, false), List.of(), List.of(F3), -1);
    private final Node exp = new Node(Unary.EXP, List.of(x), List.of(F3), 4);

    @Test
    void goodGraphsPass() {
        Verifier.verify(GraphParser.parse("%0: f32[3] = input\n%1: f32[3] = exp(%0)\nreturn %1 -> %0"));
        Verifier.verify(GraphParser.parse("%0: f32[3] = input\nreturn %0 -> %0"));
    }

    @Test
    void operandsComeFirst() {
        Node neg = new Node(Unary.NEG, List.of(exp), List.of(F3), -1);
        fails(
                new Graph(List.of(x), List.of(neg, exp), List.of(neg), List.of(-1)),
                "%1: f32[3] = neg(%2)",
                "operand 0 is not defined before it");
        fails(new Graph(List.of(x), List.of(exp, exp), List.of(exp), List.of(-1)), "occurs twice");
    }

    @Test
    void typesAreInferredAgain() {
        Node wrong = new Node(Unary.EXP, List.of(x), List.of(Type.of(DType.F64, 3)), -1);
        fails(
                new Graph(List.of(x), List.of(wrong), List.of(wrong), List.of(-1)),
                "%1: f64[3] = exp(%0)",
                "infers [f32[3]]");
        Node refused = new Node(Binary.AND, List.of(x, x), List.of(F3), 12);
        fails(
                new Graph(List.of(x), List.of(refused), List.of(refused), List.of(-1)),
                "and(%0, %0)  # @12",
                "takes bool");
    }

    @Test
    void inputsAreNumbered() {
        Node second = new Node(new Input(2, F3, false), List.of(), List.of(F3), -1);
        fails(new Graph(List.of(x, second), List.of(), List.of(x), List.of(-1)), "is input 2 but stands at place 1");
        fails(new Graph(List.of(x), List.of(), List.of(exp), List.of(-1)), "output 0 but not in the graph");
    }

    @Test
    void severalResultsAreProjected() {
        Node sort = new Node(new Sort(0, false), List.of(x), new Sort(0, false).infer(List.of(F3)), -1);
        Node neg = new Node(Unary.NEG, List.of(sort), List.of(F3), -1);
        fails(new Graph(List.of(x), List.of(sort, neg), List.of(neg), List.of(-1)), "several results");
        Node third = new Node(new Project(2, F3), List.of(sort), List.of(F3), -1);
        fails(
                new Graph(List.of(x), List.of(sort, third), List.of(third), List.of(-1)),
                "result 2 of a node with 2 results");
        fails(new Graph(List.of(x), List.of(sort), List.of(sort), List.of(-1)), "output 0 has several results");
    }

    @Test
    void donationsFit() {
        fails(new Graph(List.of(x), List.of(exp), List.of(exp, exp), List.of(0, 0)), "donated twice");
        fails(new Graph(List.of(x), List.of(exp), List.of(exp), List.of(1)), "input 1, which does not exist");
        fails(new Graph(List.of(x), List.of(exp), List.of(exp, x), List.of(0, -1)), "another output overwrites it");
        Type wide = Type.of(DType.F32, 4);
        Node y = new Node(new Input(1, wide, false), List.of(), List.of(wide), -1);
        fails(new Graph(List.of(x, y), List.of(exp), List.of(exp), List.of(1)), "takes over input 1 of type f32[4]");
    }

    private static void fails(Graph g, String... parts) {
        String message =
                assertThrows(VerifyException.class, () -> Verifier.verify(g)).getMessage();
        for (String p : parts) assertTrue(message.contains(p), message);
    }
}
