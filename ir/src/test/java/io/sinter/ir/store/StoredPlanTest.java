// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Capabilities;
import io.sinter.ir.Compiler;
import io.sinter.ir.CompilerWatch;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.TopK;
import io.sinter.ir.plan.Origins;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.PlanInterpreter;
import io.sinter.ir.ref.RandomGraphs;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.text.GraphParser;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Plans survive being stored: same kernels, same memory, same results. */
class StoredPlanTest {
    private static Graph graph(Sample s) {
        GraphBuilder b = new GraphBuilder();
        List<Node> in = new ArrayList<>();
        for (RefArray a : s.inputs()) in.add(b.input(a.type()));
        return b.build(b.emit(s.op(), in).toArray(Node[]::new));
    }

    private static StoredPlan check(Graph graph, List<RefArray> args, String what) {
        StoredPlan made = StoredPlan.of(Compiler.plan(graph));
        byte[] bytes = made.toBytes();
        StoredPlan read = StoredPlan.read(bytes);
        assertArrayEquals(bytes, read.toBytes(), what);
        List<Kernel> before = StoredPlan.kernels(made.plan());
        List<Kernel> after = StoredPlan.kernels(read.plan());
        assertEquals(before.size(), after.size(), what);
        for (int i = 0; i < before.size(); i++) {
            assertEquals(KernelText.print(before.get(i)), KernelText.print(after.get(i)), what);
            assertEquals(made.codeName(before.get(i)), read.codeName(after.get(i)), what);
            assertEquals(StoredPlan.name(after.get(i)), read.codeName(after.get(i)), what);
        }
        List<RefArray> expected;
        try {
            expected = PlanInterpreter.run(made.plan(), args);
        } catch (IndexOutOfBoundsException e) {
            assertEquals(
                    e.getMessage(),
                    assertThrows(IndexOutOfBoundsException.class, () -> PlanInterpreter.run(read.plan(), args))
                            .getMessage());
            return read;
        }
        List<RefArray> actual = PlanInterpreter.run(read.plan(), args);
        for (int i = 0; i < expected.size(); i++) assertTrue(expected.get(i).sameAs(actual.get(i)), what);
        return read;
    }

    @TestFactory
    Stream<DynamicTest> everyOperatorsSamples() {
        return Operators.all().stream()
                .map(op -> DynamicTest.dynamicTest(op.name(), () -> {
                    for (Sample s : op.samples()) check(graph(s), s.inputs(), s.toString());
                }));
    }

    @Test
    void randomPrograms() {
        for (long seed = 1; seed <= 60; seed++) {
            Graph g = RandomGraphs.graph(seed, 4 + (int) (seed % 24));
            check(g, RandomGraphs.arguments(g, seed), "seed " + seed);
        }
    }

    private static byte[] example() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 8, 16));
        Node w = g.input(Type.of(DType.F32, 16, 4));
        Node s = g.scalarInput(DType.F32);
        Node y = g.mul(g.apply(new io.sinter.ir.op.Matmul(), x, w), s);
        Node top = g.emit(new TopK(1, 2, true), List.of(y)).getFirst();
        Node pooled = g.emit(
                        new MaxPool(new long[] {2}, new long[] {1}, new long[] {0}, new long[] {0}, new long[] {1}),
                        List.of(y))
                .getFirst();
        return StoredPlan.of(Compiler.plan(g.build(y, g.sum(g.exp(y), 1), top, pooled)))
                .toBytes();
    }

    /** Entries of the trace that steps come from are stored with them, those of a loop's body too. */
    @Test
    void stepsKeepTheirOrigins() {
        Graph graph = GraphParser.parse("""
                %x: f32[16,8] = input  # @0
                %w: f32[8,4] = input  # @1
                %m: f32[16,4] = matmul(%x, %w)  # @2
                %e: f32[16,4] = exp(%m)  # @5
                %s: f32[4] = sum(%e) {axes=[0]}  # @7
                return %e, %s
                """);
        Origins origins = new Origins(CompilerWatch.NONE);
        Plan plan = Compiler.plan(graph, Fusion.MAX_WEIGHT, Capabilities.ALL, origins);
        StoredPlan made = StoredPlan.of(plan, origins.bySteps());
        StoredPlan read = StoredPlan.read(made.toBytes());
        List<List<Integer>> steps = new ArrayList<>();
        for (int i = 0; i < plan.steps().size(); i++) {
            int[] of = made.origins(plan.steps().get(i));
            assertArrayEquals(of, read.origins(read.plan().steps().get(i)));
            steps.add(java.util.Arrays.stream(of).boxed().toList());
        }
        assertEquals(List.of(List.of(2), List.of(5, 7)), steps);
        assertEquals(0, StoredPlan.of(plan).origins(plan.steps().getFirst()).length);
    }

    /** Code can be looked for before a plan has been read. */
    @Test
    void theNamesOfTheCodeStandFirst() {
        byte[] bytes = example();
        StoredPlan read = StoredPlan.read(bytes);
        Set<String> names = new HashSet<>();
        for (Kernel k : StoredPlan.kernels(read.plan())) names.add(read.codeName(k));
        assertEquals(names, new HashSet<>(StoredPlan.codeNames(bytes)));
        int first = 1 + names.size() * (2 + Sha256.DIGITS);
        assertEquals(names, new HashSet<>(StoredPlan.codeNames(java.util.Arrays.copyOf(bytes, first))));
        byte[] cut = java.util.Arrays.copyOf(bytes, first - 1);
        assertThrows(FormatException.class, () -> StoredPlan.codeNames(cut));
        bytes[5] = 'x';
        assertThrows(FormatException.class, () -> StoredPlan.codeNames(bytes));
    }

    @Test
    void everyTruncationIsRefused() {
        byte[] bytes = example();
        for (int n = 0; n < bytes.length; n++) {
            byte[] cut = java.util.Arrays.copyOf(bytes, n);
            assertThrows(FormatException.class, () -> StoredPlan.read(cut));
        }
        byte[] longer = java.util.Arrays.copyOf(bytes, bytes.length + 1);
        assertThrows(FormatException.class, () -> StoredPlan.read(longer));
    }

    @Test
    void damagedBytesAreRefusedOrArePlansWhosePartsFit() {
        byte[] bytes = example();
        Random random = new Random(7);
        int refused = 0;
        for (int n = 0; n < 5000; n++) {
            byte[] damaged = bytes.clone();
            for (int k = 1 + random.nextInt(3); k > 0; k--) {
                damaged[random.nextInt(damaged.length)] =
                        (byte) (random.nextBoolean() ? random.nextInt() : random.nextInt(4));
            }
            try {
                StoredPlan.read(damaged);
            } catch (FormatException e) {
                refused++;
            }
        }
        assertTrue(refused > 1000, "refused " + refused);
    }

    @Test
    void routinesThatDoNotFitTheirOperandsAreRefused() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 1_000_000_000));
        byte[] bytes = StoredPlan.of(Compiler.plan(g.build(
                        g.emit(new TopK(0, 1_000_000_000, true), List.of(x)).toArray(Node[]::new))))
                .toBytes();
        StoredPlan.read(bytes);
        for (TopK other : List.of(new TopK(0, 2_000_000_000, true), new TopK(1, 1_000_000_000, true))) {
            byte[] damaged = replace(bytes, new TopK(0, 1_000_000_000, true), other);
            assertThrows(FormatException.class, () -> StoredPlan.read(damaged), other::toString);
        }
    }

    /** A stored plan of one call of a routine, with another one in its place. */
    private static byte[] replace(byte[] bytes, Op routine, Op other) {
        Plan p = StoredPlan.read(bytes).plan();
        List<Plan.Step> steps = p.steps().stream()
                .map(s -> {
                    if (!(s instanceof Plan.LibraryCall c)) return s;
                    assertEquals(routine, c.op());
                    return new Plan.LibraryCall(other, c.inTypes(), c.in(), c.outTypes(), c.out());
                })
                .toList();
        Plan changed = p.withSteps(steps);
        return StoredPlan.of(changed).toBytes();
    }

    @Test
    void memoryOutsideOfItsWholeIsRefused() {
        Plan p = StoredPlan.read(example()).plan();
        Plan small = new Plan(
                p.graph(),
                List.of(
                        Type.of(DType.F32, 8, 2),
                        p.argTypes().get(1),
                        p.argTypes().get(2)),
                p.scalarArgs(),
                p.resultTypes(),
                p.resultPlaces(),
                List.of(new Plan.Copy(new Plan.Place.Argument(0), new Plan.Place.Result(0), 128)),
                0,
                p.sites());
        assertThrows(
                FormatException.class,
                () -> StoredPlan.read(StoredPlan.of(small).toBytes()));
    }

    @Test
    void kernelsOfOneStructureAndNameAreStoredOnce() {
        GraphBuilder g = new GraphBuilder();
        List<Node> out = new ArrayList<>();
        for (int i = 1; i <= 40; i++) out.add(g.exp(g.input(Type.of(DType.F32, 100 + i))));
        int forty =
                StoredPlan.of(Compiler.plan(g.build(out.toArray(Node[]::new)))).toBytes().length;
        GraphBuilder one = new GraphBuilder();
        int single = StoredPlan.of(Compiler.plan(one.build(one.exp(one.input(Type.of(DType.F32, 100))))))
                .toBytes()
                .length;
        assertTrue(forty < 40 * single / 2, forty + " bytes for forty, " + single + " for one");
    }
}
