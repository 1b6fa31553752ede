// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.JvmKernel.Preparation;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Transformed weights of convolutions are kept from run to run while the weights stay as they are, and no longer. What a program should compute is
 * what it computes of new buffers, which nothing is kept for.
 */
class PreparedOperandsTest {
    private static final Type WEIGHT = Type.of(DType.F32, 32, 32, 3, 3);

    private final Session session =
            Session.open(Options.fromProperties().withThreads(2).withBackend(Options.Backend.GENERATED));
    private final Buffer weight = buffer(Sample.uniform(WEIGHT, -1, 1, 1));
    private final Executable convolution = convolution(1);

    @AfterEach
    void close() {
        session.close();
    }

    private static Type images(long n) {
        return Type.of(DType.F32, n, 32, 8, 8);
    }

    private static Node conv(GraphBuilder g, Node x, Node w) {
        return g.apply(new Conv(new long[] {1, 1}, new long[] {1, 1}, new long[] {1, 1}, new long[] {1, 1}, 1), x, w);
    }

    private Executable convolution(long images) {
        GraphBuilder g = new GraphBuilder();
        return compile(g.build(conv(g, g.input(images(images)), g.input(WEIGHT))));
    }

    private Executable compile(Graph graph) {
        return Executable.compile(graph, CompileContext.of(session));
    }

    private Buffer buffer(RefArray a) {
        Buffer b = session.allocator().allocate(a.type().bytes());
        Elements.store(a, b);
        return b;
    }

    private RefArray copy(Buffer b, Type type) {
        return Elements.load(type, b);
    }

    /** The first result, which is checked against that of copies of the arguments. */
    private void run(Executable program, Buffer... args) {
        List<Buffer> copies = new ArrayList<>();
        for (int i = 0; i < args.length; i++)
            copies.add(buffer(copy(args[i], program.argTypes().get(i))));
        Type type = program.resultTypes().getFirst();
        Run expected = program.run(copies);
        RefArray values = copy(expected.result(0), type);
        expected.result(0).release();
        copies.forEach(Buffer::release);
        Run got = program.run(List.of(args));
        assertTrue(copy(got.result(0), type).sameAs(values));
        got.result(0).release();
    }

    private long live() {
        return session.allocator().stats().liveBytes();
    }

    @Test
    void keptFromTheSecondRunOnUntilTheBufferGoes() {
        Buffer x = buffer(Sample.uniform(images(1), -1, 1, 2));
        run(convolution, x, weight);
        long once = live();
        run(convolution, x, weight);
        long kept = live() - once;
        assertTrue(kept >= 16 * 32 * 32 * Float.BYTES, kept + " bytes kept");
        run(convolution, buffer(Sample.uniform(images(1), -1, 1, 3)), weight);
        assertEquals(images(1).bytes(), live() - once - kept, "nothing more but the other image");
        long before = live();
        weight.release();
        assertEquals(before - kept - WEIGHT.bytes(), live());
    }

    @Test
    void programsShareIt() {
        Buffer x = buffer(Sample.uniform(images(1), -1, 1, 2));
        Buffer xs = buffer(Sample.uniform(images(3), -1, 1, 2));
        run(convolution, x, weight);
        run(convolution, x, weight);
        Executable other = convolution(3);
        long before = live();
        for (int i = 0; i < 3; i++) run(other, xs, weight);
        assertEquals(before, live());
    }

    @Test
    void writingEndsIt() {
        Buffer x = buffer(Sample.uniform(images(1), -1, 1, 2));
        run(convolution, x, weight);
        long once = live();
        for (int i = 0; i < 3; i++) {
            run(convolution, x, weight);
            assertTrue(live() > once);
            Elements.store(Sample.uniform(WEIGHT, -1, 1, 5 + i), weight);
            assertEquals(once, live());
            run(convolution, x, weight);
            assertEquals(once, live(), "met for the first time");
        }
        // A part of it is enough.
        run(convolution, x, weight);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(Float.BYTES);
            number.set(ValueLayout.JAVA_FLOAT, 0, 100);
            weight.write(4 * 777, number);
        }
        run(convolution, x, weight);
    }

    @Test
    void stepsThatOverwriteTheWeightKeepNothing() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(images(1));
        Node w = g.input(WEIGHT);
        Executable step =
                compile(Graph.of(List.of(x, w), List.of(conv(g, x, w), g.mul(g.add(w, w), w)), List.of(-1, 1)));
        Buffer image = buffer(Sample.uniform(images(1), -1, 1, 2));
        long before = live();
        for (int i = 0; i < 4; i++) {
            run(step, image, weight);
            assertEquals(before, live());
        }
        // What inference keeps between steps, the next step ends.
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) run(convolution, image, weight);
            assertTrue(live() > before);
            run(step, image, weight);
            assertEquals(before, live());
        }
    }

    @Test
    void withoutMemoryForItRunsGoOn() {
        PreparedOperands operands = new PreparedOperands();
        Preparation wanted = new Preparation(0, "form", 1L << 44);
        for (int i = 0; i < 3; i++) assertNull(operands.get(wanted, 0, session.allocator(), "a test"), "run " + i);
    }
}
