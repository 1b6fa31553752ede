// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.LoopEmitter.Accumulator;
import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/**
 * Vector code for a chunk of a vector loop: a main loop over full vectors, and the rest under a mask. Small
 * bodies with accumulators are unrolled, each copy with vector accumulators of its own.
 */
final class ChunkEmitter {
    private final BodyCompiler c;
    private final Stmt.Loop loop;
    private final VectorAnalysis analysis;
    private final LocalVar from;
    private final LocalVar count;
    private final int lanes;
    private final List<Accumulator> accumulators;

    ChunkEmitter(
            BodyCompiler c,
            Stmt.Loop loop,
            VectorAnalysis analysis,
            LocalVar from,
            LocalVar count,
            int lanes,
            List<Accumulator> accumulators) {
        this.c = c;
        this.loop = loop;
        this.analysis = analysis;
        this.from = from;
        this.count = count;
        this.lanes = lanes;
        this.accumulators = accumulators;
    }

    void emit() {
        int copies = analysis.unroll();
        c.statements.vectorLocals(analysis.varying());

        List<List<Lanes>> vectors = new ArrayList<>();
        for (int u = 0; u < copies; u++) {
            List<Lanes> row = new ArrayList<>();
            for (Accumulator a : accumulators) row.add(lanes(a, u));
            vectors.add(row);
        }
        LocalVar i = c.method.local("i", Type.INT_TYPE);
        int step = lanes * copies;
        Code full = c.held(Code.and(count, Code.constant(-step)));
        Block main = new Block();
        for (int u = 0; u < copies; u++)
            main.add(body(new VectorLoop(loop.var(), lanes, from, i, u * lanes, null), vectors.get(u)));
        Block rest = body(new VectorLoop(loop.var(), lanes, from, i, 0, Code.sub(count, i)), vectors.get(0));
        c.block().forLoop(i, Code.constant(0), full, step, main);
        if (copies == 1) {
            // Less than a vector: C2 need not make a loop of it, of which it would have several forms.
            c.block().add(i.set(full)).ifThen(Code.lt(i, count), rest);
        } else {
            c.block().forLoop(i, full, count, lanes, rest);
        }
        for (int a = 0; a < accumulators.size(); a++) finish(accumulators.get(a), column(vectors, a));
    }

    /** The elements of full vectors. */
    LocalVar full() {
        LocalVar full = c.method.local("full", Type.INT_TYPE);
        c.block().add(full.set(Code.and(count, Code.constant(-lanes))));
        return full;
    }

    /**
     * The whole of a loop without accumulators that is at least a vector long, as one of many of the same length. The last vector begins before where the one
     * before it has ended, as masked loads wait for memory one after the other.
     *
     * @param full as {@link #full}
     * @param rest elements beyond; both are set where the rows' loop is
     */
    void row(LocalVar full, LocalVar rest) {
        c.statements.vectorLocals(analysis.varying());
        LocalVar i = c.method.local("i", Type.INT_TYPE);
        Block main = body(new VectorLoop(loop.var(), lanes, from, i, 0, null), List.of());
        VectorLoop last = new VectorLoop(loop.var(), lanes, from, i, 0, rest, VectorLoop.Tail.LAST_ALIKE);
        Block end =
                new Block().add(i.set(Code.sub(count, Code.constant(lanes)))).add(body(last, List.of()));
        c.block().forLoop(i, Code.constant(0), full, lanes, main).ifThen(Code.lt(Code.constant(0), rest), end);
    }

    /** As {@link #row}, less than a vector long. */
    void shortRow(LocalVar rest) {
        c.statements.vectorLocals(analysis.varying());
        LocalVar i = c.method.local("i", Type.INT_TYPE);
        VectorLoop all = new VectorLoop(loop.var(), lanes, from, i, 0, rest, VectorLoop.Tail.FIRST_ALIKE);
        c.block().add(i.set(Code.constant(0))).add(body(all, List.of()));
    }

    /**
     * What one copy of the body accumulates in.
     *
     * @param extreme null unless the accumulator is held so
     */
    private record Lanes(LocalVar vector, Species species, ExtremeLanes extreme) {}

    private Lanes lanes(Accumulator a, int copy) {
        if (ExtremeLanes.suit(a) && !analysis.isRead(a.local())) {
            ExtremeLanes extreme = new ExtremeLanes(c, a, lanes);
            return new Lanes(extreme.variable(), extreme.species(), extreme);
        }
        Species s = new Species(a.element(), lanes);
        Code identity = ScalarOps.constant(ScalarOps.identity(a.op(), a.local().dtype()));
        Code start = a.local().dtype().isBool()
                ? Masks.broadcast(s, identity)
                : Vec.broadcast(s, identity).code();
        LocalVar v = c.method.local(a.local().name() + "_" + copy + "_", start.type());
        c.block().add(v.set(start));
        return new Lanes(v, s, null);
    }

    private static List<Lanes> column(List<List<Lanes>> rows, int a) {
        return rows.stream().map(r -> r.get(a)).toList();
    }

    private Block body(VectorLoop vector, List<Lanes> vectors) {
        for (int a = 0; a < accumulators.size(); a++) {
            Local local = accumulators.get(a).local();
            Lanes held = vectors.get(a);
            c.bind(local, held.vector, held.species);
            if (held.extreme != null) c.statements.accumulateIn(local, held.extreme);
        }
        return c.nestedVector(vector, () -> c.statements.run(loop.body()));
    }

    /**
     * Combines the vectors pairwise, their lanes pairwise, and the result with the number in scratch memory.
     */
    private void finish(Accumulator a, List<Lanes> vectors) {
        Lanes all = vectors.getFirst();
        for (int half = vectors.size() / 2; half > 0; half /= 2) {
            for (int u = 0; u < half; u++) {
                Lanes x = vectors.get(u);
                Lanes y = vectors.get(u + half);
                if (x.extreme != null) x.extreme.merge(c, y.extreme);
                else add(a, x, y.vector);
            }
        }
        Code reduced;
        if (a.local().dtype().isBool()) {
            boolean any = a.op() == Stmt.Combine.MAX || a.op() == Stmt.Combine.SUM;
            reduced = any ? Masks.anyTrue(all.vector) : Masks.allTrue(all.vector);
        } else {
            // Not by reduceLanes, which adds in another order once it is compiled.
            for (int half = lanes / 2; half > 0; half /= 2) {
                if (all.extreme != null) all.extreme.fold(c, half);
                else add(a, all, new Vec(all.species, all.vector).rotate(half).code());
            }
            Vec result = all.extreme != null ? all.extreme.floats() : new Vec(all.species, all.vector);
            reduced = result.lane(0);
        }
        Code address = a.address(c.frame.scratch());
        Code before = Memory.load(a.local().dtype(), address);
        Code sum = ScalarOps.combine(a.op(), a.local().dtype(), before, reduced);
        c.block().add(Memory.store(a.local().dtype(), address, sum));
    }

    private void add(Accumulator a, Lanes to, Code vector) {
        Value before = new Value(a.local().dtype(), to.vector, to.species);
        c.block().add(to.vector.set(VectorOps.combine(a.op(), before, vector, null)));
    }
}
