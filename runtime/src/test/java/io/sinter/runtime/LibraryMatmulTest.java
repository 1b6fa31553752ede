// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Gelu;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.runtime.MatmulProblem.Activation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which matrix products go to a library, and what it is told: a plain one in Java stands for it, on the simulator's memory. */
class LibraryMatmulTest {
    /** f32 alone. */
    private static final class PlainLibrary implements MatmulLibrary {
        private final SimDriver driver;
        private final GpuDriver.Stream stream;
        final List<MatmulProblem> done = new ArrayList<>();
        boolean closed;

        PlainLibrary(SimDriver driver, GpuDriver.Stream stream) {
            this.driver = driver;
            this.stream = stream;
        }

        @Override
        public String name() {
            return "plain";
        }

        @Override
        public boolean takes(MatmulProblem p) {
            return p.dtype() == DType.F32;
        }

        @Override
        public void multiply(MatmulProblem p, long a, long b, long c, long bias, long kept) {
            done.add(p);
            driver.queueHost(stream, memory -> {
                for (long x = 0; x < p.batch(); x++)
                    for (long i = 0; i < p.m(); i++)
                        for (long j = 0; j < p.n(); j++) {
                            double sum = bias == 0 ? 0 : get(memory, bias + 4 * j);
                            for (long k = 0; k < p.k(); k++) {
                                long at = p.transposedA() ? k * p.lda() + i : i * p.lda() + k;
                                long bt = p.transposedB() ? j * p.ldb() + k : k * p.ldb() + j;
                                sum += get(memory, a + 4 * (x * p.strideA() + at))
                                        * get(memory, b + 4 * (x * p.strideB() + bt));
                            }
                            long at = 4 * (x * p.strideC() + i * p.ldc() + j);
                            if (kept != 0) put(memory, kept + at, (float) sum);
                            put(memory, c + at, (float) applied(p.activation(), sum));
                        }
            });
        }

        private static double applied(Activation f, double x) {
            return switch (f) {
                case NONE -> x;
                case RELU -> Math.max(x, 0);
                case GELU, KEPT_GELU -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            };
        }

        private static double get(io.sinter.codegen.ptx.sim.DeviceMemory memory, long address) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment m = arena.allocate(4, 4);
                memory.copyOut(address, m);
                return m.get(ValueLayout.JAVA_FLOAT, 0);
            }
        }

        private static void put(io.sinter.codegen.ptx.sim.DeviceMemory memory, long address, float value) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment m = arena.allocate(4, 4);
                m.set(ValueLayout.JAVA_FLOAT, 0, value);
                memory.copyIn(address, m);
            }
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private final SimDriver driver = new SimDriver();
    private Session session;
    private PlainLibrary library;

    private void open(String choice) {
        System.setProperty(MatmulChoice.PROPERTY, choice);
        try {
            session = Session.open(Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM), driver);
        } finally {
            System.clearProperty(MatmulChoice.PROPERTY);
        }
        library = new PlainLibrary(driver, session.gpu().stream());
        session.gpu().useMatmul(library);
    }

    @AfterEach
    void close() {
        if (session != null) session.close();
    }

    /** Runs a program three times (the last two as a graph), and holds it against the reference. */
    private void check(Graph graph) {
        List<RefArray> args = new ArrayList<>();
        for (Node n : graph.inputs()) args.add(Sample.uniform(n.type(), -1, 1, args.size() + 1));
        List<RefArray> want = RefEvaluator.run(graph, args);
        List<Buffer> buffers = new ArrayList<>();
        for (RefArray a : args) {
            Buffer b = session.allocator().allocate(a.type().bytes());
            Elements.store(a, b);
            buffers.add(b);
        }
        Executable program = Executable.compile(graph, CompileContext.of(session));
        for (int i = 0; i < 3; i++) {
            Run run = program.run(buffers);
            for (int r = 0; r < want.size(); r++) {
                RefArray got = Elements.load(want.get(r).type(), run.result(r));
                for (int j = 0; j < got.size(); j++)
                    assertEquals(want.get(r).getDouble(j), got.getDouble(j), 1e-5, i + ", " + r + ", " + j);
            }
        }
    }

    private MatmulProblem only() {
        assertEquals(1, library.done.stream().distinct().count(), library.done.toString());
        return library.done.getFirst();
    }

    @Test
    void plainProducts() {
        open("cublas");
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(DType.F32, 5, 7));
        Node b = g.input(Type.of(DType.F32, 7, 3));
        check(g.build(g.matmul(a, b)));
        MatmulProblem p = only();
        assertEquals(
                List.of(1L, 5L, 3L, 7L, 7L, 3L, 3L),
                List.of(p.batch(), p.m(), p.n(), p.k(), p.lda(), p.ldb(), p.ldc()));
        assertFalse(p.transposedA() || p.transposedB() || p.bias());
    }

    @Test
    void transposedOperands() {
        open("cublas");
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(DType.F32, 4, 7, 5));
        Node b = g.input(Type.of(DType.F32, 4, 3, 7));
        check(g.build(g.matmul(g.permute(a, 0, 2, 1), g.permute(b, 0, 2, 1))));
        MatmulProblem p = only();
        assertTrue(p.transposedA() && p.transposedB());
        assertEquals(List.of(4L, 35L, 21L, 15L), List.of(p.batch(), p.strideA(), p.strideB(), p.strideC()));
    }

    /** A bias along the columns is the library's; anything else that is fused is not. */
    @Test
    void epilogues() {
        open("cublas");
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(DType.F32, 5, 7));
        Node b = g.input(Type.of(DType.F32, 7, 3));
        Node v = g.input(Type.of(DType.F32, 3));
        check(g.build(g.add(g.matmul(a, b), g.expand(g.reshape(v, Shape.of(1, 3)), Shape.of(5, 3)))));
        assertTrue(only().bias());
        library.done.clear();
        check(g.build(g.exp(g.matmul(a, b))));
        Node w = g.input(Type.of(DType.F32, 5));
        check(g.build(g.add(g.matmul(a, b), g.expand(g.reshape(w, Shape.of(5, 1)), Shape.of(5, 3)))));
        assertEquals(List.of(), library.done);
    }

    /** ReLU and GELU's approximation are the library's, with a bias and without; GELU itself, of which libraries know only that, is not. */
    @Test
    void activations() {
        open("cublas");
        for (boolean biased : new boolean[] {false, true}) {
            for (Activation f : List.of(Activation.RELU, Activation.GELU)) {
                library.done.clear();
                check(activated(biased, f == Activation.RELU ? Unary.RELU : new Gelu(true)));
                assertEquals(f, only().activation());
                assertEquals(biased, only().bias());
            }
            library.done.clear();
            check(activated(biased, new Gelu(false)));
            assertEquals(List.of(), library.done);
        }
    }

    /** So is GELU's approximation where what it is applied to is a result as well, which gradients want; ReLU's is ours. */
    @Test
    void keptOperandsOfActivations() {
        open("cublas");
        for (boolean biased : new boolean[] {false, true}) {
            for (boolean first : new boolean[] {false, true}) {
                library.done.clear();
                GraphBuilder g = new GraphBuilder();
                Node x = biased(g, biased);
                Node y = g.emit(new Gelu(true), List.of(x)).getFirst();
                check(first ? g.build(x, y) : g.build(y, x));
                assertEquals(Activation.KEPT_GELU, only().activation());
                assertEquals(biased, only().bias());
            }
        }
        library.done.clear();
        GraphBuilder g = new GraphBuilder();
        Node x = biased(g, true);
        check(g.build(g.unary(Unary.RELU, x), x));
        assertEquals(List.of(), library.done);
    }

    private static Graph activated(boolean biased, Op f) {
        GraphBuilder g = new GraphBuilder();
        return g.build(g.emit(f, List.of(biased(g, biased))).getFirst());
    }

    private static Node biased(GraphBuilder g, boolean biased) {
        Node x = g.matmul(g.input(Type.of(DType.F32, 5, 7)), g.input(Type.of(DType.F32, 7, 3)));
        if (!biased) return x;
        return g.add(x, g.expand(g.reshape(g.input(Type.of(DType.F32, 3)), Shape.of(1, 3)), Shape.of(5, 3)));
    }

    @Test
    void smallAndForeignProductsAreOurs() {
        open("auto");
        GraphBuilder g = new GraphBuilder();
        check(g.build(g.matmul(g.input(Type.of(DType.F32, 5, 7)), g.input(Type.of(DType.F32, 7, 3)))));
        assertEquals(List.of(), library.done);
        session.close();
        open("own");
        g = new GraphBuilder();
        check(g.build(g.matmul(g.input(Type.of(DType.F32, 5, 7)), g.input(Type.of(DType.F32, 7, 3)))));
        assertEquals(List.of(), library.done);
    }

    @ParameterizedTest
    @EnumSource(MatmulChoice.class)
    void theTable(MatmulChoice choice) {
        MatmulProblem large = problem(4096, 4096, 4096);
        assertEquals(choice != MatmulChoice.OWN, choice.isForLibrary(large));
        assertEquals(choice == MatmulChoice.CUBLAS, choice.isForLibrary(problem(8, 8, 8)));
        assertEquals(choice == MatmulChoice.CUBLAS, choice.isForLibrary(problem(1 << 20, 1, 1024)));
    }

    private static MatmulProblem problem(long m, long n, long k) {
        return new MatmulProblem(
                DType.F32,
                io.sinter.ir.MatmulPrecision.HIGHEST,
                1,
                m,
                n,
                k,
                false,
                false,
                k,
                n,
                n,
                0,
                0,
                0,
                false,
                Activation.NONE);
    }

    @Test
    void unknownChoicesAreRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> open("mkl"))
                .getMessage()
                .contains("own, cublas, auto"));
    }

    @Test
    void whatWasLookedForIsSaid(@TempDir Path folder) {
        CublasFiles none = CublasFiles.find(folder.toString());
        assertEquals(0, none.major());
        assertTrue(none.where().contains(folder.toString()), none.where());
    }

    /** Wheels lie beside the Python that the search path finds. */
    @Test
    void pythonsOfTheSearchPath(@TempDir Path folder) throws IOException {
        Path bin = Files.createDirectories(folder.resolve("venv/bin"));
        Files.createFile(bin.resolve("python3"));
        assertEquals(
                List.of(folder.resolve("venv/lib")), CublasFiles.pythonsOf(folder + "::" + bin + ":/no/such/folder"));
        assertEquals(List.of(), CublasFiles.pythonsOf(null));
    }
}
