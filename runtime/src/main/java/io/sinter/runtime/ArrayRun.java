// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.dump.Sources;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Runs programs on arrays of the reference evaluator: for tools and checks, which compare the two. */
public final class ArrayRun {
    private ArrayRun() {}

    /**
     * The results of a program.
     *
     * @param graph whose program it is
     * @param args of the graph's types; they are copied
     */
    public static List<RefArray> run(Executable program, Graph graph, List<RefArray> args, Session session) {
        return run(program, graph, args, session, Sources.NONE);
    }

    /**
     * As {@link #run(Executable, Graph, List, Session)}.
     *
     * @param sources where the nodes come from
     */
    static List<RefArray> run(Executable program, Graph graph, List<RefArray> args, Session session, Sources sources) {
        List<Arg> given = new ArrayList<>();
        List<Buffer> mine = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < args.size(); i++) {
                RefArray a = args.get(i);
                if (((Input) graph.inputs().get(i).op()).scalar()) {
                    given.add(new Arg.Scalar(bits(a)));
                    continue;
                }
                Buffer b = session.allocator().allocate(a.type().bytes(), "an argument of a check");
                mine.add(b);
                given.add(b);
                MemorySegment copy = arena.allocate(b.bytes(), 64);
                Elements.store(a, copy.address());
                b.write(0, copy);
            }
            List<RefArray> results = new ArrayList<>();
            List<Buffer> made = program.run(given, i -> "result " + i + " of a check", sources)
                    .results();
            for (int i = 0; i < made.size(); i++) {
                Type type = program.resultTypes().get(i);
                MemorySegment copy = arena.allocate(type.bytes(), 64);
                made.get(i).read(0, copy);
                results.add(Elements.load(type, copy.address()));
            }
            for (Buffer b : made) if (!mine.contains(b) && !b.isReleased()) b.release();
            return results;
        } finally {
            for (Buffer b : mine) b.release();
        }
    }

    /** The raw bits of a scalar argument, as {@link Arg.Scalar} has them. */
    private static long bits(RefArray a) {
        DType t = a.dtype();
        if (t == DType.F64) return Double.doubleToRawLongBits(a.getDouble(0));
        return t.isFloat() ? Float.floatToRawIntBits((float) a.getDouble(0)) : a.getLong(0);
    }
}
