// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Gelu;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RandomGraphs;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.ir.text.GraphParser;
import io.sinter.ir.text.GraphPrinter;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Passes, text in, text out; and the same values before and after on random programs. */
class PassTest {
    private static final Map<String, UnaryOperator<Graph>> PASSES = Map.of(
            "Simplify",
            Simplify::apply,
            "FoldConstants",
            FoldConstants::apply,
            "CommonSubexpressions",
            CommonSubexpressions::apply,
            "DeadCode",
            DeadCode::apply,
            "TransposedProducts",
            TransposedProducts::apply,
            "InvariantTransposes",
            g -> InvariantTransposes.apply(g, true),
            "Decompose",
            g -> Decompose.apply(g, _ -> false));

    private static void becomes(UnaryOperator<Graph> pass, String before, String after) {
        Graph in = Verifier.verify(GraphParser.parse(before));
        Graph out = Verifier.verify(pass.apply(in));
        // Numbering aside: the expected text is read and printed too.
        assertEquals(GraphPrinter.print(GraphParser.parse(after)), GraphPrinter.print(out));
    }

    /**
     * A body over a: f32[2,3], b: f32[2,3], i: i64[3], m: bool[3], with whole-tensor constants
     * given by name.
     */
    private static void simplifies(String body, String after) {
        String inputs = "%a: f32[2,3] = input\n%b: f32[2,3] = input\n%i: i64[3] = input\n%m: bool[3] = input\n";
        becomes(
                g -> DeadCode.apply(Simplify.apply(g)),
                inputs + constants(body) + body,
                inputs + constants(after) + after);
    }

    /**
     * Definitions of the constants that a text names: {@code %f1} is 1.0 as f32[2,3], {@code %n1}
     * is -1.0, {@code %i0} is 0 as i64[3].
     */
    private static String constants(String body) {
        StringBuilder b = new StringBuilder();
        Map<String, String> floats =
                Map.of("f0", "0.0", "fz", "-0.0", "f1", "1.0", "fn", "-1.0", "f2", "2.0", "f4", "4.0", "fq", "0.25");
        floats.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .filter(e -> body.contains("%" + e.getKey()))
                .forEach(e -> b.append(
                        "%c0: f32[] = constant(V)\n%c1: f32[1,1] = reshape(%c0) {shape=[1,1]}\n%c: f32[2,3] = expand(%c1) {shape=[2,3]}\n"
                                .replace("%c", "%" + e.getKey() + "x")
                                .replace("%" + e.getKey() + "x:", "%" + e.getKey() + ":")
                                .replace("V", e.getValue())));
        for (String v : List.of("0", "1")) {
            for (String t : List.of("i64", "bool")) {
                String name = "%" + t.charAt(0) + v;
                if (!body.contains(name)) continue;
                b.append(
                        "%c0: T[] = constant(V)\n%c1: T[1] = reshape(%c0) {shape=[1]}\n%c: T[3] = expand(%c1) {shape=[3]}\n"
                                .replace("%c", name + "x")
                                .replace(name + "x:", name + ":")
                                .replace("T", t)
                                .replace("V", v));
            }
        }
        return b.toString();
    }

    @Test
    void neutralElements() {
        simplifies("%x: f32[2,3] = add(%a, %fz)\nreturn %x", "return %a");
        simplifies("%x: f32[2,3] = sub(%a, %f0)\nreturn %x", "return %a");
        simplifies("%x: f32[2,3] = mul(%f1, %a)\nreturn %x", "return %a");
        simplifies("%x: f32[2,3] = div(%a, %f1)\nreturn %x", "return %a");
        simplifies("%x: i64[3] = add(%i, %i0)\nreturn %x", "return %i");
        simplifies("%x: i64[3] = mul(%i, %i0)\nreturn %x", "return %i0");
        simplifies("%x: bool[3] = and(%m, %b1)\nreturn %x", "return %m");
        simplifies("%x: bool[3] = xor(%m, %b1)\nreturn %x", "%x: bool[3] = not(%m)\nreturn %x");
    }

    @Test
    void signedZeroAndNanForbidThese() {
        for (String body : List.of(
                "%x: f32[2,3] = add(%a, %f0)\nreturn %x", // -0 + 0 is 0
                "%x: f32[2,3] = sub(%f0, %a)\nreturn %x", // 0 - 0 is 0, not -0
                "%x: f32[2,3] = mul(%a, %f0)\nreturn %x",
                "%x: f32[2,3] = sub(%a, %a)\nreturn %x",
                "%x: f32[2,3] = div(%a, %a)\nreturn %x",
                "%x: bool[2,3] = eq(%a, %a)\nreturn %x",
                "%x: bool[2,3] = lt(%a, %b)\n%y: bool[2,3] = not(%x)\nreturn %y")) {
            simplifies(body, body);
        }
    }

    /** Gradients of a split, in any order. */
    @Test
    void padsThatFillAnAxisAreParts() {
        String pads = """
                %p: f32[2,9] = pad(%a) {low=[0,6], high=[0,0]}
                %q: f32[2,9] = pad(%b) {low=[0,0], high=[0,6]}
                %s: f32[2,9] = add(%p, %q)
                """;
        simplifies(
                pads + "%r: f32[2,9] = pad(%a) {low=[0,3], high=[0,3]}\n%t: f32[2,9] = add(%s, %r)\nreturn %t",
                "%c: f32[2,9] = concat(%b, %a, %a) {axis=1}\nreturn %c");
        // One that leaves a gap, and one that overlaps.
        simplifies(pads + "return %s", pads + "return %s");
        String twice = pads + "%r: f32[2,9] = pad(%a) {low=[0,5], high=[0,1]}\n%t: f32[2,9] = add(%s, %r)\nreturn %t";
        simplifies(twice, twice);
    }

    @Test
    void concatenationsOfConcatenations() {
        simplifies(
                "%c: f32[2,6] = concat(%a, %b) {axis=1}\n%d: f32[2,9] = concat(%c, %a) {axis=1}\nreturn %d",
                "%d: f32[2,9] = concat(%a, %b, %a) {axis=1}\nreturn %d");
    }

    @Test
    void plusZeroGoesWhereTheOtherSideIsNeverMinusZero() {
        simplifies(
                "%e: f32[2,3] = exp(%a)\n%x: f32[2,3] = add(%e, %f0)\nreturn %x", "%e: f32[2,3] = exp(%a)\nreturn %e");
    }

    @Test
    void negations() {
        simplifies("%n: f32[2,3] = neg(%a)\n%x: f32[2,3] = neg(%n)\nreturn %x", "return %a");
        simplifies(
                "%n: f32[2,3] = neg(%b)\n%x: f32[2,3] = add(%a, %n)\nreturn %x",
                "%x: f32[2,3] = sub(%a, %b)\nreturn %x");
        simplifies("%n: i64[3] = neg(%i)\n%x: i64[3] = abs(%n)\nreturn %x", "%x: i64[3] = abs(%i)\nreturn %x");
        String unsigned = "%u: u8[3] = cast(%i) {to=u8}\n%n: u8[3] = neg(%u)\n%x: u8[3] = abs(%n)\nreturn %x";
        simplifies(unsigned, unsigned);
        simplifies("%x: f32[2,3] = mul(%a, %fn)\nreturn %x", "%x: f32[2,3] = neg(%a)\nreturn %x");
        simplifies("%n: bool[3] = not(%m)\n%x: bool[3] = not(%n)\nreturn %x", "return %m");
        simplifies(
                "%n: bool[3] = lt(%i, %i1)\n%x: bool[3] = not(%n)\nreturn %x", "%x: bool[3] = ge(%i, %i1)\nreturn %x");
    }

    @Test
    void powersAndQuotients() {
        simplifies("%x: f32[2,3] = pow(%a, %f2)\nreturn %x", "%x: f32[2,3] = mul(%a, %a)\nreturn %x");
        simplifies("%x: f32[2,3] = pow(%a, %f0)\nreturn %x", "return %f1");
        simplifies("%x: f32[2,3] = pow(%a, %fn)\nreturn %x", "%x: f32[2,3] = reciprocal(%a)\nreturn %x");
        simplifies("%x: f32[2,3] = div(%a, %f4)\nreturn %x", "%x: f32[2,3] = mul(%a, %fq)\nreturn %x");
    }

    @Test
    void casts() {
        simplifies("%w: f64[2,3] = cast(%a) {to=f64}\n%x: f32[2,3] = cast(%w) {to=f32}\nreturn %x", "return %a");
        simplifies(
                "%w: f64[2,3] = cast(%a) {to=f64}\n%x: i32[2,3] = cast(%w) {to=i32}\nreturn %x",
                "%x: i32[2,3] = cast(%a) {to=i32}\nreturn %x");
        String narrowing = "%w: f16[2,3] = cast(%a) {to=f16}\n%x: f32[2,3] = cast(%w) {to=f32}\nreturn %x";
        simplifies(narrowing, narrowing);
    }

    @Test
    void viewsComposeAndCancel() {
        simplifies(
                "%x: f32[6] = reshape(%a) {shape=[6]}\n%y: f32[2,3] = reshape(%x) {shape=[2,3]}\nreturn %y",
                "return %a");
        simplifies(
                "%x: f32[3,2] = permute(%a) {perm=[1,0]}\n%y: f32[2,3] = permute(%x) {perm=[1,0]}\nreturn %y",
                "return %a");
        simplifies(
                "%x: f32[2,1,3] = reshape(%a) {shape=[2,1,3]}\n%y: f32[1,2,3] = permute(%x) {perm=[1,0,2]}\nreturn %y",
                "%y: f32[1,2,3] = reshape(%a) {shape=[1,2,3]}\nreturn %y");
        simplifies(
                "%x: f32[2,2] = slice(%a) {axis=1, start=2, size=2, step=-1, live=false}\n"
                        + "%y: f32[2,1] = slice(%x) {axis=1, start=1, size=1, step=1, live=false}\nreturn %y",
                "%y: f32[2,1] = slice(%a) {axis=1, start=1, size=1, step=1, live=false}\nreturn %y");
        simplifies(
                "%x: f32[4,5] = pad(%a) {low=[1,2], high=[1,0]}\n"
                        + "%y: f32[2,5] = slice(%x) {axis=0, start=1, size=2, step=1, live=false}\n"
                        + "%z: f32[2,3] = slice(%y) {axis=1, start=2, size=3, step=1, live=false}\nreturn %z",
                "return %a");
        simplifies(
                "%x: f32[4,3] = concat(%a, %b) {axis=0}\n"
                        + "%y: f32[2,3] = slice(%x) {axis=0, start=2, size=2, step=1, live=false}\nreturn %y",
                "return %b");
    }

    @Test
    void elementwiseOfCopiesIsComputedOnce() {
        becomes(Simplify::apply, """
                %0: f32[2,1] = input
                %1: f32[2,3] = expand(%0) {shape=[2,3]}
                %2: f32[2,3] = exp(%1)  # @5
                return %2
                """, """
                %0: f32[2,1] = input
                %2: f32[2,1] = exp(%0)  # @5
                %3: f32[2,3] = expand(%2) {shape=[2,3]}  # @5
                return %3
                """);
    }

    @Test
    void transposedProductsAreComputedTransposed() {
        becomes(TransposedProducts::apply, """
                %0: f32[32,64] = input
                %1: f32[32,10] = input
                %2: f32[64,32] = permute(%0) {perm=[1,0]}
                %3: f32[64,10] = matmul(%2, %1)  # @3
                %4: f32[10,64] = permute(%3) {perm=[1,0]}
                %5: f32[64,10] = matmul(%2, %1)
                %6: f32[10,64] = permute(%5) {perm=[1,0]}
                return %4, %6, %5
                """, """
                %0: f32[32,64] = input
                %1: f32[32,10] = input
                %2: f32[10,32] = permute(%1) {perm=[1,0]}  # @3
                %3: f32[10,64] = matmul(%2, %0)  # @3
                %4: f32[64,32] = permute(%0) {perm=[1,0]}
                %5: f32[64,10] = matmul(%4, %1)
                %6: f32[10,64] = permute(%5) {perm=[1,0]}
                return %3, %6, %5
                """);
    }

    /** h ← h · Wᵀ + h · V, of {@code n} rows; {@code turned} W is given as its transpose. */
    private static Graph recurrent(long n, boolean turned, boolean alsoAsItIs) {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, n, 5));
        Node first = b.input(Type.of(DType.F32, 5, 5));
        Node second = b.input(Type.of(DType.F32, 5, 5));
        Node w = turned ? second : first;
        Node v = turned ? first : second;
        Node next = b.add(b.matmul(h, turned ? w : b.permute(w, 1, 0)), b.matmul(h, v));
        if (alsoAsItIs) next = b.add(next, b.matmul(h, w));
        Loop loop = new Loop(b.build(next), 6, 1, 0, Set.of(), false);
        GraphBuilder outside = new GraphBuilder();
        Node start = outside.input(Type.of(DType.F32, n, 5));
        Node outerW = outside.input(Type.of(DType.F32, 5, 5));
        Node outerV = outside.input(Type.of(DType.F32, 5, 5));
        List<Node> operands =
                turned ? List.of(start, outerV, outside.permute(outerW, 1, 0)) : List.of(start, outerW, outerV);
        return outside.build(outside.emit(loop, operands).getFirst());
    }

    @Test
    void loopsTurnTheirWeightsOnce() {
        Graph turned = Verifier.verify(InvariantTransposes.apply(recurrent(4, false, false), true));
        assertEquals(GraphPrinter.print(recurrent(4, true, false)), GraphPrinter.print(turned));
    }

    /** h ← (h · Wᵀ)[:, :3], W of 192 rows: copied in three panels. */
    @Test
    void loopsTurnLargeWeightsIntoPanels() {
        GraphBuilder b = new GraphBuilder();
        Node h = b.input(Type.of(DType.F32, 4, 3));
        Node w = b.input(Type.of(DType.F32, 192, 3));
        Node all = b.matmul(h, b.permute(w, 1, 0));
        Loop loop = new Loop(b.build(b.slice(all, 1, 0, 3, 1)), 6, 1, 0, Set.of(), false);
        GraphBuilder outside = new GraphBuilder();
        List<Node> operands =
                List.of(outside.input(Type.of(DType.F32, 4, 3)), outside.input(Type.of(DType.F32, 192, 3)));
        Graph g = outside.build(outside.emit(loop, operands).getFirst());
        Node plain =
                Verifier.verify(InvariantTransposes.apply(g, false)).outputs().getFirst();
        assertEquals(Type.of(DType.F32, 3, 192), plain.input(1).type());
        Node panels =
                Verifier.verify(InvariantTransposes.apply(g, true)).outputs().getFirst();
        assertEquals(Type.of(DType.F32, 3, 3, 64), panels.input(1).type());
        assertTrue(panels.input(1).op() instanceof Permute, panels::toString);
    }

    @Test
    void loopsOfManyRowsOrThatReadTheWeightTooStayAsTheyAre() {
        for (Graph g : List.of(recurrent(65, false, false), recurrent(4, false, true)))
            assertEquals(GraphPrinter.print(g), GraphPrinter.print(InvariantTransposes.apply(g, true)));
    }

    @Test
    void constantsFoldThroughViewsAndKeepBeingDerived() {
        becomes(FoldConstants::apply, """
                %0: f32[3] = input
                %1: f32[] = constant(2.0)
                %2: f32[] = derived(0.25)
                %3: f32[] = mul(%1, %2)
                %4: f32[1] = reshape(%3) {shape=[1]}
                %5: f32[3] = expand(%4) {shape=[3]}
                %6: f32[3] = sqrt(%5)
                %7: f32[3] = mul(%0, %6)
                return %7
                """, """
                %0: f32[3] = input
                %1: f32[] = derived(0.7071067690849304)
                %2: f32[1] = reshape(%1) {shape=[1]}
                %3: f32[3] = expand(%2) {shape=[3]}
                %4: f32[3] = mul(%0, %3)
                return %4
                """);
    }

    @Test
    void derivedConstantsTriggerNoRule() {
        String text = """
                %0: f32[] = input
                %1: f32[] = derived(1.0)
                %2: f32[] = mul(%0, %1)
                return %2
                """;
        becomes(Simplify::apply, text, text);
    }

    @Test
    void equalThingsAreComputedOnce() {
        becomes(CommonSubexpressions::apply, """
                %0: f32[3] = input
                %1: f32[3] = input
                %2: f32[3] = sub(%0, %1)
                %3: f32[3] = sub(%1, %0)
                %4: f32[3] = add(%0, %1)
                %5: f32[3] = add(%1, %0)
                %6: (f32[3], i64[3]) = sort(%4) {axis=0, descending=false}
                %7: (f32[3], i64[3]) = sort(%5) {axis=0, descending=false}
                %8: f32[3] = %6.0
                %9: f32[3] = %7.0
                return %2, %3, %8, %9
                """, """
                %0: f32[3] = input
                %1: f32[3] = input
                %2: f32[3] = sub(%0, %1)
                %3: f32[3] = sub(%1, %0)
                %4: f32[3] = add(%0, %1)
                %5: (f32[3], i64[3]) = sort(%4) {axis=0, descending=false}
                %6: f32[3] = %5.0
                return %2, %3, %6, %6
                """);
    }

    @Test
    void deadNodesGoAndInputsAndDonationsStay() {
        becomes(DeadCode::apply, """
                %0: f32[3] = input
                %1: f32[3] = input
                %2: f32[3] = exp(%0)
                %3: f32[3] = neg(%1)
                return %3 -> %1
                """, """
                %0: f32[3] = input
                %1: f32[3] = input
                %3: f32[3] = neg(%1)
                return %3 -> %1
                """);
    }

    @Test
    void aDonationEndsWhereItsInputBecomesAnotherOutput() {
        becomes(Simplify::apply, """
                %0: f32[3] = input
                %1: f32[3] = neg(%0)
                %2: f32[3] = neg(%1)
                %3: f32[3] = exp(%0)
                return %2, %3 -> %0
                """, """
                %0: f32[3] = input
                %3: f32[3] = exp(%0)
                return %0, %3
                """);
    }

    @Test
    void decompositionKeepsWhatTheBackendTakes() {
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(io.sinter.ir.DType.F32, 2, 3));
        b.origin(9);
        Node y = b.apply(new io.sinter.ir.op.Softmax(1), b.apply(new Gelu(false), x));
        Graph g = b.build(y);
        Graph kept = Verifier.verify(Decompose.apply(g, op -> op instanceof Gelu));
        String text = GraphPrinter.print(kept);
        assertTrue(text.contains("gelu(%0)") && !text.contains("softmax"), text);
        assertTrue(kept.nodes().stream().allMatch(n -> n.origin() == 9), text);
        RefArray in = RandomGraphs.arguments(g, 3).get(0);
        RefArray want = RefEvaluator.run(g, List.of(in)).get(0);
        RefArray got =
                RefEvaluator.run(Decompose.apply(g, _ -> false), List.of(in)).get(0);
        assertTrue(close(want, got), want + " became " + got);
    }

    /** jqwik prints the seed of a failure. */
    @Property(tries = 150)
    void passesKeepTheValuesOfRandomPrograms(@ForAll long seed) {
        Graph g = Verifier.verify(RandomGraphs.graph(seed, 30));
        List<RefArray> arguments = RandomGraphs.arguments(g, seed);
        List<RefArray> want = RefEvaluator.run(g, arguments);
        Graph all = g;
        for (String name : PASSES.keySet().stream().sorted().toList()) {
            Graph one = Verifier.verify(PASSES.get(name).apply(g));
            same(name, g, one, want, RefEvaluator.run(one, arguments));
            all = Verifier.verify(PASSES.get(name).apply(all));
        }
        same("all passes", g, all, want, RefEvaluator.run(all, arguments));
    }

    private static void same(String pass, Graph before, Graph after, List<RefArray> want, List<RefArray> got) {
        for (int i = 0; i < want.size(); i++) {
            if (!close(want.get(i), got.get(i))) {
                throw new AssertionError(pass
                        + " changes output "
                        + i
                        + " from "
                        + want.get(i)
                        + " to "
                        + got.get(i)
                        + "\n"
                        + GraphPrinter.print(before)
                        + "became\n"
                        + GraphPrinter.print(after));
            }
        }
    }

    /**
     * Equal but for the rounding of decomposed composites and of powers; zeros keep their signs.
     */
    private static boolean close(RefArray a, RefArray b) {
        if (!a.type().equals(b.type())) return false;
        for (int i = 0; i < a.size(); i++) {
            double x = a.getDouble(i);
            double y = b.getDouble(i);
            if (Double.compare(x, y) == 0 || (x == 0 && y == 0 && !a.dtype().isFloat())) continue;
            if (!(Math.abs(x - y) <= 1e-5 * Math.abs(x))) return false;
        }
        return true;
    }

    @Test
    void deepProgramsNeedNoDeepStack() {
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(io.sinter.ir.DType.F32, 4));
        Node y = x;
        for (int i = 0; i < 25_000; i++) y = b.unary(Unary.SIN, b.add(y, x));
        Graph g = b.build(y);
        for (UnaryOperator<Graph> pass : PASSES.values())
            assertEquals(50_000, Verifier.verify(pass.apply(g)).nodes().size());
    }

    @Test
    void longSumsNeedNoDeepStack() {
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(io.sinter.ir.DType.F32, 4));
        Node y = x;
        for (int i = 0; i < 50_000; i++) y = b.add(y, x);
        Graph g = b.build(y);
        for (UnaryOperator<Graph> pass : PASSES.values())
            assertEquals(50_000, Verifier.verify(pass.apply(g)).nodes().size());
    }
}
