// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Capabilities;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.Closeness;
import io.sinter.ir.ref.Minimizer;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.ir.text.GraphParser;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.ProgramInputs;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code -Dsinter.check=reference}: a kernel that is wrong is found, and its program can be made small. */
class ReferenceCheckTest {
    @TempDir
    private Path folder;

    private static final Sources SOURCES =
            i -> new Sources.Source("Model.java:" + (100 + i) + " (forward)", "Model", "head");

    /** Rows of scores, their softmax, products with a matrix, and something beside. */
    private static final String PROGRAM = """
            %0: f32[6,8] = input  # @0
            %1: f32[8,5] = input  # @1
            %2: f32[] = scalar  # @2
            %3: f32[6,8] = tanh(%0)  # @3
            %4: f32[6,8] = softmax(%3) {axis=1}  # @4
            %5: f32[6,5] = matmul(%4, %1)  # @5
            %6: f32[6,5] = expand(%7) {shape=[6,5]}  # @6
            %8: f32[6,5] = mul(%5, %6)  # @8
            %9: f32[6,5] = sigmoid(%8)  # @9
            %10: f32[6,5] = sin(%9)  # @10
            %11: f32[6] = sum(%10) {axes=[1]}  # @11
            %12: f32[6,8] = cos(%3)  # @12
            return %11, %12, %5
            """.replace(
                    "%6: f32[6,5] = expand(%7)", "%7: f32[1,1] = reshape(%2) {shape=[1,1]}\n%6: f32[6,5] = expand(%7)");

    /** A generator that takes the sine for another function. */
    private static UnaryOperator<Kernel> sineIs(Prim1 other) {
        return new SeededFault(Prim1.SIN, other);
    }

    private static Session session(boolean faulty) {
        Session s = Session.open(Options.fromProperties().withChecks(Checks.NONE.withReference(true)));
        if (faulty) s.seedFault(sineIs(Prim1.COS));
        return s;
    }

    private static List<RefArray> arguments(Graph g) {
        List<RefArray> all = new ArrayList<>();
        for (Node n : g.inputs()) all.add(Sample.uniform(n.type(), -2, 2, 7 + all.size()));
        return all;
    }

    private static List<RefArray> run(Graph g, List<RefArray> args, Session session) {
        return ArrayRun.run(Executable.compile(g, CompileContext.of(session), SOURCES), g, args, session, SOURCES);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "ptx-sim"})
    void aRightProgramPasses(String device) {
        Graph g = GraphParser.parse(PROGRAM);
        Options options = Options.fromProperties().withDevice(Device.parse(device));
        try (Session s = Session.open(options.withChecks(Checks.NONE.withReference(true)))) {
            assertEquals(3, run(g, arguments(g), s).size());
        }
    }

    @Test
    void aWrongKernelIsFoundAndItsProgramMadeSmall() throws IOException {
        Graph g = GraphParser.parse(PROGRAM);
        try (Session s = session(true)) {
            s.dumpTo(folder.resolve("dump"));
            List<RefArray> args = arguments(g);
            MiscompiledException e = assertThrows(MiscompiledException.class, () -> run(g, args, s));
            assertTrue(e.kernel().contains("sin"), e.getMessage());
            assertTrue(e.getMessage().startsWith("kernel " + e.kernel() + " is wrong: "), e.getMessage());
            assertTrue(e.getMessage().contains(" by the reference evaluator\n  at Model.java:11"), e.getMessage());
            assertTrue(e.getMessage().contains(" in Model: head\n    %"), e.getMessage());
            assertTrue(e.getMessage().contains("./sinter dump replay " + e.folder() + " --kernel "), e.getMessage());
            assertTrue(e.getMessage().contains("./sinter dump minimize " + e.folder()), e.getMessage());

            // As the command does it: the dumped graph and arguments, run by the generator that is wrong.
            s.check(Checks.NONE);
            s.dumpTo(null);
            Graph dumped = GraphParser.parse(Files.readString(e.folder().resolve("00-trace.ir")));
            List<RefArray> stored = ProgramInputs.read(e.folder(), dumped);
            for (int i = 0; i < args.size(); i++) assertTrue(args.get(i).sameAs(stored.get(i)), "argument " + i);
            Graph small = Minimizer.minimize(dumped, stored, (x, known) -> differs(x, known, s));
            assertTrue(Minimizer.size(small) <= 5, GraphPrinter.print(small));
            assertTrue(GraphPrinter.print(small).contains("= sin("), GraphPrinter.print(small));
        }
    }

    private static boolean differs(Graph g, List<RefArray> args, Session s) {
        for (RefArray a : args) assertNotNull(a, "every value of the program is known");
        List<RefArray> got = run(g, args, s);
        return Closeness.worst(got, RefEvaluator.run(g, args)) != null;
    }

    /** In the code around a product, too. */
    @Test
    void faultsAreInEpilogues() {
        Graph g = GraphParser.parse("""
                %0: f32[6,8] = input
                %1: f32[8,5] = input
                %2: f32[6,5] = matmul(%0, %1)
                %3: f32[6,5] = sin(%2)
                return %3
                """);
        try (Session s = session(true)) {
            MiscompiledException e = assertThrows(MiscompiledException.class, () -> run(g, arguments(g), s));
            assertEquals("00-matmul_sin", e.kernel());
        }
    }

    @Test
    void faultsAreNamedByAProperty() {
        System.setProperty("sinter.test.fault", "sine:cos");
        try {
            Options options = Options.fromProperties();
            Exception e = assertThrows(IllegalArgumentException.class, () -> Session.open(options));
            assertTrue(
                    e.getMessage().startsWith("sinter.test.fault is 'sine:cos'; it must be two of [neg, "),
                    e.getMessage());
            System.setProperty("sinter.test.fault", "sin:cos");
            Graph g = GraphParser.parse("%0: f32[2] = input\n%1: f32[2] = sin(%0)\nreturn %1\n");
            RefArray zeros = RefArray.zeros(Type.of(DType.F32, 2));
            try (Session s = Session.open(options)) {
                assertEquals(1, run(g, List.of(zeros), s).getFirst().getDouble(0), "the cosine");
            }
        } finally {
            System.clearProperty("sinter.test.fault");
        }
    }

    /** A session that looks for faults shares its cache with others: each gets the code that it asks for. */
    @Test
    void wrongCodeIsNotStoredAsTheRightOne() {
        Options options = Options.fromProperties().withCache(CacheOptions.NONE.withFolder(folder.resolve("cache")));
        Graph g = GraphParser.parse("%0: f32[2] = input\n%1: f32[2] = sin(%0)\nreturn %1\n");
        List<RefArray> zeros = List.of(RefArray.zeros(Type.of(DType.F32, 2)));
        for (boolean wrong : new boolean[] {true, false, true, false}) {
            try (Session s = Session.open(options)) {
                if (wrong) s.seedFault(sineIs(Prim1.COS));
                assertEquals(wrong ? 1 : 0, run(g, zeros, s).getFirst().getDouble(0));
            }
        }
    }

    /** Each program is compared once; one that failed, again. */
    @Test
    void onlyTheFirstRunIsCompared() {
        Graph g = GraphParser.parse("%0: f32[4] = input\n%1: f32[4] = sin(%0)\nreturn %1\n");
        List<RefArray> zeros = List.of(RefArray.zeros(Type.of(DType.F32, 4)));
        try (Session s = session(true)) {
            Executable program = Executable.compile(g, CompileContext.of(s));
            for (int i = 0; i < 2; i++)
                assertThrows(MiscompiledException.class, () -> ArrayRun.run(program, g, zeros, s));
        }
        try (Session s = session(false)) {
            // Right for zeros, wrong for everything else.
            s.seedFault(sineIs(Prim1.TANH));
            Executable program = Executable.compile(g, CompileContext.of(s));
            assertEquals(0, ArrayRun.run(program, g, zeros, s).getFirst().getDouble(0));
            List<RefArray> ones = List.of(RefArray.of(zeros.getFirst().type(), _ -> 1));
            assertEquals(
                    Math.tanh(1), ArrayRun.run(program, g, ones, s).getFirst().getDouble(0), 1e-6);
        }
    }

    /** Kernels of {@code compiled}, as if they had been compiled from {@code traced}; and what the program is said to have given. */
    private static MiscompiledException blame(Graph traced, Graph compiled, List<RefArray> got, Session s) {
        CompileContext context = CompileContext.of(s);
        ProgramDump dump = new ProgramDump(traced, SOURCES, context.target());
        Programs.plan(compiled, Fusion.MAX_WEIGHT, Capabilities.ALL, dump);
        ReferenceCheck check = new ReferenceCheck(traced, dump, context, SOURCES, null, arguments(traced));
        return assertThrows(MiscompiledException.class, () -> check.check(got));
    }

    @Test
    void memoryThatIsOverwrittenIsNoKernelsFault() {
        Graph g = GraphParser.parse(PROGRAM);
        try (Session s = Session.open(Options.fromProperties())) {
            List<RefArray> got = new ArrayList<>(run(g, arguments(g), s));
            RefArray right = got.getFirst();
            got.set(0, RefArray.of(right.type(), i -> i == 3 ? 7 : right.getDouble(i)));
            MiscompiledException e = blame(g, g, got, s);
            assertEquals("", e.kernel());
            String message = e.getMessage();
            String start = "the program is wrong, though each of its kernels is right by itself: "
                    + "result 0, element [3] of f32[6], is 7.0, and " + right.getDouble(3)
                    + " if they run one by one, each in memory of its own; memory.txt says who shares memory\n"
                    + "  at Model.java:111 (forward) in Model: head\n  the program and its arguments are in ";
            assertTrue(message.startsWith(start), message);
            assertTrue(message.endsWith("; look closer with\n    ./sinter dump minimize " + e.folder()), message);
            assertTrue(ProgramInputs.areIn(e.folder()), "its arguments");
        }
    }

    @Test
    void aPassThatChangesTheProgramIsNamed() {
        Graph traced = GraphParser.parse("%0: f32[4] = input\n%1: f32[4] = sin(%0)  # @1\nreturn %1\n");
        Graph compiled = GraphParser.parse("%0: f32[4] = input\n%1: f32[4] = cos(%0)  # @1\nreturn %1\n");
        try (Session s = Session.open(Options.fromProperties())) {
            MiscompiledException e = blame(traced, compiled, run(compiled, arguments(traced), s), s);
            assertEquals("", e.kernel());
            assertFalse(e.getMessage().startsWith("pass trace "), e.getMessage());
            assertTrue(
                    e.getMessage()
                            .matches("(?s)pass [\\w-]+ has changed what the program computes: result 0, element .*"),
                    e.getMessage());
            assertTrue(
                    e.getMessage()
                            .contains(" by the reference evaluator\n  at Model.java:101 (forward) in Model: head\n"),
                    e.getMessage());
        }
    }

    /** A NaN trap looks at what the kernels gave; where it came from, the reference evaluator cannot tell then. */
    @Test
    void aKernelAloneMakesAnInfinity() {
        Graph g = GraphParser.parse("%0: f32[4] = input\n%1: f32[4] = sin(%0)  # @1\nreturn %1\n");
        List<RefArray> args = List.of(RefArray.of(DType.F32, Shape.of(4), 1, 2, 0, 3));
        try (Session s = Session.open(Options.fromProperties().withChecks(Checks.NONE.withNan(true)))) {
            s.seedFault(sineIs(Prim1.LOG));
            NonFiniteException e = assertThrows(NonFiniteException.class, () -> run(g, args, s));
            assertEquals("""
                    sin gave -Infinity, where the reference evaluator finds nothing but finite numbers and gets 0.0: \
                    a sum overflowed on its way, or a kernel is wrong (-Dsinter.check=reference tells)
                      at Model.java:101 (forward) in Model: head
                      element [2] of f32[4]
                      in kernel 00-sin""", e.getMessage());
            assertEquals("sin", e.operator());
            assertEquals(2, e.element());
        }
    }

    @Test
    void kernelsOfLoopsAreFoundWithTheirRun() {
        Graph step = GraphParser.parse(
                "%0: f32[3] = input\n%1: f32[3] = input\n%2: f32[3] = sin(%0)\n%3: f32[3] = add(%2, %1)\nreturn %3\n");
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(DType.F32, 3));
        Node y = b.input(Type.of(DType.F32, 4, 3));
        Op loop = new Loop(step, 4, 1, 1, Set.of(), false);
        Graph g = b.build(b.emit(loop, List.of(x, y)).getFirst());
        try (Session s = session(true)) {
            MiscompiledException e = assertThrows(MiscompiledException.class, () -> run(g, arguments(g), s));
            assertTrue(e.getMessage().contains("in run 0 of its loop's body"), e.getMessage());
        }
        try (Session s = session(false)) {
            assertEquals(1, run(g, arguments(g), s).size());
        }
    }

    /** The difference of two sums of the same numbers is rounding and nothing else, however large it looks. */
    @Test
    void roundingThatAProgramMagnifiesIsNoFault() {
        Graph g = GraphParser.parse("""
                %0: f32[64,96] = input
                %1: f32[64,96] = exp(%0)
                %2: f32[64,96] = exp(%1)
                %3: f32[64] = sum(%2) {axes=[1]}
                %4: f32[] = sum(%3) {axes=[0]}
                %5: f32[96] = sum(%2) {axes=[0]}
                %6: f32[] = sum(%5) {axes=[0]}
                %7: f32[] = sub(%4, %6)
                return %7
                """);
        try (Session s = session(false)) {
            int beyond = 0;
            for (int seed = 1; seed <= 8; seed++) {
                List<RefArray> args = List.of(Sample.uniform(Type.of(DType.F32, 64, 96), -2, 2, seed));
                // Compiled anew, so that each is a first run.
                List<RefArray> got = run(g, args, s);
                if (Closeness.worst(got, RefEvaluator.run(g, args)) != null) beyond++;
            }
            assertTrue(beyond > 0, "none of the programs went beyond the tolerance");
        }
    }

    @Test
    void stateIsGivenBack() {
        Graph g = GraphParser.parse("%0: f32[4] = input\n%1: f32[4] = sin(%0)\nreturn %1 -> %0\n");
        try (Session s = session(true)) {
            Executable program = Executable.compile(g, CompileContext.of(s));
            Buffer state = s.allocator().allocate(16, "state");
            RefArray before = RefArray.of(Type.of(DType.F32, 4), i -> 0.5 + i);
            Elements.store(before, state);
            assertThrows(MiscompiledException.class, () -> program.run(List.of(state)));
            assertTrue(before.sameAs(Elements.load(before.type(), state)), "as before");
        }
    }

    @Test
    void argumentsAreStoredAndTheLargeOnesLeftOut() throws IOException {
        Graph g = GraphParser.parse(PROGRAM);
        List<RefArray> args = arguments(g);
        try (Session s = Session.open(Options.fromProperties())) {
            s.dumpTo(folder);
            s.dumpInputs(170);
            run(g, args, s);
        }
        Path program;
        try (var all = Files.list(folder)) {
            program = all.toList().getFirst();
        }
        assertEquals("""
                arg-000.npy  %0: f32[6,8]  left out: 192 bytes, 170 of 170 are left
                arg-001.npy  %1: f32[8,5]
                arg-002.npy  %2: f32[]
                """, Files.readString(program.resolve("inputs/inputs.txt")));
        List<RefArray> stored = ProgramInputs.read(program, g);
        assertEquals(null, stored.getFirst());
        assertTrue(args.get(1).sameAs(stored.get(1)) && args.get(2).sameAs(stored.get(2)));
        byte[] npy = Files.readAllBytes(program.resolve("inputs/arg-001.npy"));
        byte[] magic = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
        assertArrayEquals(magic, java.util.Arrays.copyOf(npy, 8));
        assertEquals(0, (npy.length - 160) % 64, "the data are aligned");

        Graph other = GraphParser.parse("%0: f32[] = input\n%1: f32[5,8] = input\nreturn %1\n");
        IOException e = assertThrows(IOException.class, () -> ProgramInputs.read(program, other));
        assertTrue(e.getMessage().contains("'<f4' [8,5] of 160 bytes, but the program takes f32[5,8]"), e.getMessage());
    }

    @Test
    void everyDTypeIsStored() throws IOException {
        for (DType t : DType.values()) {
            Graph g = GraphParser.parse(
                    "%0: " + t + "[3,2] = input\n%1: " + t + "[] = scalar\n%2: " + t + "[0] = input\nreturn %0\n");
            List<RefArray> args = new ArrayList<>();
            for (Node n : g.inputs())
                args.add(Sample.uniform(n.type(), t == DType.U8 ? 0 : -3, t == DType.U8 ? 250 : 9, args.size()));
            Path place = folder.resolve(t.toString());
            assertFalse(ProgramInputs.areIn(place));
            ProgramInputs.write(place, g, args, 1000);
            assertTrue(ProgramInputs.areIn(place));
            List<RefArray> back = ProgramInputs.read(place, g);
            for (int i = 0; i < args.size(); i++) assertTrue(args.get(i).sameAs(back.get(i)), t + " " + i);
        }
    }
}
