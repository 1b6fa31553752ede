// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Wrong indices on the simulated GPU: who is told, when, and of which run. */
class IndexChecksTest {
    private static final Options OPTIONS =
            Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM);

    /** The launch is found out of order, and names operator, value and bound. */
    @Test
    void indexErrorsSayWhat() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Node i = g.input(Type.of(DType.I64, 2));
        Graph graph = g.build(g.apply(new Take(0), x, i));
        try (Session session = Session.open(OPTIONS)) {
            Executable e = Executable.compile(graph, CompileContext.of(session));
            Buffer bx = Buffers.of(session, RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
            Buffer good = Buffers.of(session, RefArray.ofLongs(DType.I64, Shape.of(2), 3, -4));
            assertEquals(4, Buffers.first(e.run(List.of(bx, good)).result(0)));
            Buffer bad = Buffers.of(session, RefArray.ofLongs(DType.I64, Shape.of(2), 0, 4));
            Run wrong = e.run(List.of(bx, bad));
            IndexError thrown = assertThrows(IndexError.class, () -> Buffers.first(wrong.result(0)));
            assertEquals("take: index 4 is out of bounds for an extent of 4", thrown.getMessage());
            assertEquals(4, Buffers.first(e.run(List.of(bx, good)).result(0)));
        }
    }

    private static Sources line(String line) {
        return _ -> new Sources.Source(line, "", "");
    }

    /**
     * Runs with index checks are not waited for. Who waits next gets the error of the run that had it, whichever run of the program that was; what it has
     * computed, and what was computed since, gives the error at every use, and what was there before does not.
     */
    @Test
    void indexChecksAreDeferred() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(OPTIONS, counted.driver)) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, 4));
            Node i = g.input(Type.of(DType.I64, 2));
            g.origin(0);
            Executable take = Executable.compile(g.build(g.apply(new Take(0), x, i)), CompileContext.of(own));
            GraphBuilder h = new GraphBuilder();
            Executable grow =
                    Executable.compile(h.build(h.add(h.input(Type.of(DType.F32, 2)), 1)), CompileContext.of(own));
            Buffer bx = Buffers.of(own, RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
            List<Buffer> indices = new ArrayList<>();
            for (long last : new long[] {3, 4, -4})
                indices.add(Buffers.of(own, RefArray.ofLongs(DType.I64, Shape.of(2), last, 0)));
            counted.reset();
            Buffer before = take.run(List.of(bx, indices.get(0)), _ -> "", line("A.java:1"))
                    .result(0);
            Buffer wrong = take.run(List.of(bx, indices.get(1)), _ -> "", line("A.java:2"))
                    .result(0);
            Buffer grown = grow.run(List.of(wrong)).result(0);
            Buffer after = take.run(List.of(bx, indices.get(2)), _ -> "", line("A.java:3"))
                    .result(0);
            assertEquals(0, counted.calls("copyOut"));
            assertEquals(0, counted.calls("synchronize"));
            IndexError thrown = assertThrows(IndexError.class, own::synchronize);
            assertTrue(thrown.getMessage().endsWith("index 4 is out of bounds for an extent of 4 (A.java:2)"));
            for (Buffer b : List.of(wrong, grown, after))
                assertEquals(
                        thrown.getMessage(),
                        assertThrows(IndexError.class, () -> Buffers.first(b)).getMessage());
            assertThrows(IndexError.class, () -> grow.run(List.of(grown)));
            assertEquals(4, Buffers.first(before));
            assertEquals(5, Buffers.first(grow.run(List.of(before)).result(0)));
            own.synchronize();
            // Overwritten, it is as good as new.
            Elements.store(RefArray.of(DType.F32, Shape.of(2), 7, 8), wrong);
            assertEquals(8, Buffers.first(grow.run(List.of(wrong)).result(0)));
            // Too many to remember: one waits.
            for (int k = 0; k <= IndexChecks.ROOM; k++)
                after = take.run(List.of(bx, indices.get(2))).result(0);
            assertEquals(1, Buffers.first(after));
        }
    }
}
