// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Type;

/**
 * Generates the class of a {@link LoopKernel}. {@code run} walks the tasks and calls {@code tile} for each;
 * {@code tile} holds the task's scalar code and calls, for each vector loop, a method that runs a chunk of
 * it. So every method is small and called often: HotSpot compiles it soon, and never has to replace a running
 * loop.
 *
 * <p>Of rows that are reduced, two tasks may run side by side ({@link RowPairs}): {@code tiles} calls the same methods for one and the other in turn.
 *
 * <p>Accumulators pass through the task's scratch memory: each chunk reduces its vectors to one number and
 * combines it with the number there. The order of all this depends on extents and vector width only.
 */
final class LoopEmitter {
    private final LoopKernel kernel;
    private final Options options;
    private final ClassBuilder owner;
    private final Facts facts = new Facts();
    private final long laneArea;
    private final Canon canon = new Canon();
    /** Of statements in the kernel's listing. */
    private Map<Stmt, Integer> lines;

    private final int budget;
    private final boolean pairs;
    private final Map<Stmt.Loop, Chunks> chunks = new IdentityHashMap<>();
    /** Of loops' bodies, where they must be as many as another loop's. */
    private final Map<Stmt.Loop, Integer> copies = new IdentityHashMap<>();

    private int loops;
    private long scratchBytes;

    /**
     * @param budget size of loop bodies above which they are split, as {@link LoopFission} counts
     * @param pairs whether tasks may run two at a time
     */
    LoopEmitter(LoopKernel kernel, ClassBuilder owner, Options options, int budget, boolean pairs) {
        this.budget = budget;
        this.pairs = pairs;
        this.kernel = kernel;
        this.owner = owner;
        this.options = options;
        this.laneArea = (kernel.scratchBytes() + 63) / 64 * 64;
        this.scratchBytes = laneArea + BodyCompiler.LANE_AREA;
    }

    void emit() {
        List<Stmt> body = canon.statements(kernel.body());
        facts.add(body);
        lines = new ListingLines(kernel).last(body);
        RowOverlap overlap =
                pairs && options.isVector() ? RowOverlap.of(kernel.grid(), body, canon, facts, options, budget) : null;
        if (overlap != null) {
            emit(overlap);
            return;
        }
        MethodBuilder tile = tile(body);
        MethodBuilder tiles = pairs && options.isVector() && RowPairs.suit(kernel, body) ? tiles(body) : null;
        KernelShell shell = shell();
        long each = (scratchBytes + 63) / 64 * 64;
        shell.scratchBytes(tiles == null ? scratchBytes : 2 * each);
        shell.run(kernel.grid(), kernel.slots(), tile, tiles == null ? null : new RowPairs(tiles, each));
    }

    private KernelShell shell() {
        KernelShell shell = new KernelShell(owner);
        shell.name(kernel.name());
        shell.tasks(kernel.grid());
        return shell;
    }

    /** Tasks that begin with the next one's first pass: its accumulators' results wait in scratch memory. */
    private void emit(RowOverlap overlap) {
        Handed handed = handed(overlap);
        MethodBuilder first = owner.staticMethod("first", Type.VOID_TYPE);
        LocalVar params = first.parameter("slots", Memory.SLOTS);
        BodyCompiler c = task(first, params, first.parameter("scratch", Type.LONG_TYPE));
        firstPass(c, overlap, handed);

        MethodBuilder rest = owner.staticMethod("rest", Type.VOID_TYPE);
        params = rest.parameter("slots", Memory.SLOTS);
        c = task(rest, params, rest.parameter("scratch", Type.LONG_TYPE));
        for (Var v : overlap.next().values()) c.bind(v, rest.parameter(v.name(), Type.LONG_TYPE));
        otherPasses(c, overlap, handed);
        KernelShell shell = shell();
        shell.scratchBytes(scratchBytes);
        shell.runOverlapped(kernel.grid(), kernel.slots(), first, rest);
    }

    /**
     * A loop over rows within a task, each with the next one's first pass in it.
     *
     * @return whether that can be; else nothing is written
     */
    private boolean overlapped(BodyCompiler c, Stmt.Loop rows) {
        RowOverlap overlap = RowOverlap.of(List.of(rows.var()), rows.body(), canon, facts, options, budget);
        if (overlap == null) return false;
        Handed handed = handed(overlap);
        LocalVar row = c.method.local("first_" + rows.var().name(), Type.LONG_TYPE);
        LocalVar next = c.method.local("next_" + rows.var().name(), Type.LONG_TYPE);
        Code last = c.held(Code.sub(c.statements.extent(rows), Code.constant(1L)));
        Block first = c.nested(true, () -> {
            c.block().add(row.set(Code.constant(0L)));
            c.bind(rows.var(), row);
            firstPass(c, overlap, handed);
        });
        c.block().ifThen(Code.lt(Code.constant(-1L), last), first);
        c.statements.sequential(rows, () -> {
            Code following = Code.add(c.index(IndexMath.var(rows.var())), Code.constant(1L));
            Code bounded = Code.call(Code.object("java/lang/Math"), "min", Type.LONG_TYPE, following, last);
            c.block().add(next.set(bounded));
            c.bind(overlap.next().get(rows.var()), next);
            otherPasses(c, overlap, handed);
        });
        return true;
    }

    /** Where the first pass's accumulators wait, by byte offset in the task's scratch memory. */
    private record Handed(Map<Local, Long> places) {}

    private Handed handed(RowOverlap overlap) {
        copies.put(overlap.first(), overlap.copies());
        Map<Local, Long> places = new LinkedHashMap<>();
        for (Local l : overlap.accumulators().keySet()) places.put(l, scratch(8));
        return new Handed(places);
    }

    private void firstPass(BodyCompiler c, RowOverlap overlap, Handed handed) {
        c.statements.run(overlap.before());
        c.statements.run(List.of(overlap.first()));
        handed.places.forEach((l, place) -> handOver(c, l, place));
    }

    private void otherPasses(BodyCompiler c, RowOverlap overlap, Handed handed) {
        c.statements.run(overlap.before());
        handed.places.forEach((l, place) -> {
            Code address = Code.add(c.frame.scratch(), Code.constant(place));
            c.block().add(c.variable(l).set(Memory.load(l.dtype(), address)));
            c.scope().changed(l);
        });
        c.statements.run(overlap.between());
        c.statements.run(overlap.declareNext());
        c.statements.run(List.of(overlap.last()));
        handed.places.forEach((l, place) -> handOver(c, overlap.accumulators().get(l), place));
        c.statements.run(overlap.after());
    }

    private static void handOver(BodyCompiler c, Local l, long place) {
        Code address = Code.add(c.frame.scratch(), Code.constant(place));
        c.block().add(Memory.store(l.dtype(), address, c.binding(l).code()));
    }

    /** The method of one task. */
    private MethodBuilder tile(List<Stmt> body) {
        MethodBuilder tile = owner.staticMethod("tile", Type.VOID_TYPE);
        LocalVar params = tile.parameter("slots", Memory.SLOTS);
        BodyCompiler c = task(tile, params, tile.parameter("scratch", Type.LONG_TYPE));
        c.statements.onRows(l -> rows(c, l));
        if (pairs && options.isVector()) c.statements.onSequential(l -> overlapped(c, l));
        c.statements.run(body);
        return tile;
    }

    /** The method of two tasks: each statement for the one, then for the other. */
    private MethodBuilder tiles(List<Stmt> body) {
        MethodBuilder tiles = owner.staticMethod("tiles", Type.VOID_TYPE);
        LocalVar params = tiles.parameter("slots", Memory.SLOTS);
        BodyCompiler first = task(tiles, params, tiles.parameter("scratch", Type.LONG_TYPE));
        BodyCompiler second = task(tiles, params, tiles.parameter("scratch2", Type.LONG_TYPE));
        first.statements.onVectorLoop(l -> vectorLoop(List.of(first, second), l));
        // Its chunks are called beside the first one's.
        second.statements.onVectorLoop(_ -> {});
        for (Stmt s : body) {
            first.statements.run(List.of(s));
            second.statements.run(List.of(s));
        }
        return tiles;
    }

    /** A compiler for a task, whose variables are the method's next parameters. */
    private BodyCompiler task(MethodBuilder m, LocalVar params, LocalVar scratch) {
        BodyCompiler c = compiler(m, params, scratch);
        c.statements.onVectorLoop(l -> vectorLoop(List.of(c), l));
        for (Var v : kernel.grid()) c.bind(v, m.parameter(v.name(), Type.LONG_TYPE));
        return c;
    }

    private BodyCompiler compiler(MethodBuilder m, LocalVar params, LocalVar scratch) {
        BodyCompiler c = new BodyCompiler(m, new BodyCompiler.Frame(params, scratch, laneArea), facts, options);
        c.statements.lines(lines);
        return c;
    }

    /** Room in the task's scratch memory, 64-byte aligned if it is large. */
    private long scratch(long bytes) {
        if (bytes > 8) scratchBytes = (scratchBytes + 63) / 64 * 64;
        scratchBytes += bytes;
        return scratchBytes - bytes;
    }

    /**
     * The methods of a vector loop.
     *
     * @param size elements for one call of each
     */
    private record Chunks(int size, List<Part> parts, List<Accumulator> accumulators) {}

    private record Part(MethodBuilder method, List<Object> captured) {}

    private Chunks chunks(Stmt.Loop loop) {
        VectorAnalysis whole = new VectorAnalysis(facts, loop, copies.getOrDefault(loop, 0));
        int chunk = whole.chunk(options.isVector() ? whole.lanes(options) : 16);
        LoopFission fission = new LoopFission(loop, facts, whole, budget);
        List<Stmt.Loop> loops = fission.parts();
        if (loops.size() > 1) {
            loops = loops.stream()
                    .map(p -> (Stmt.Loop) canon.statements(List.of(p)).get(0))
                    .toList();
            loops.forEach(p -> facts.add(p.body()));
        }
        Map<Buf, Long> arrays = new HashMap<>();
        for (Buf b : fission.arrays())
            arrays.put(b, scratch((long) chunk * b.dtype().bytes()));
        Map<Local, Accumulator> accs = new LinkedHashMap<>();
        for (Stmt.Accumulate a : whole.accumulators())
            accs.put(a.local(), new Accumulator(a.local(), a.op(), scratch(8)));
        List<Part> parts = new ArrayList<>();
        for (Stmt.Loop part : loops) {
            VectorAnalysis analysis = loops.size() == 1 ? whole : new VectorAnalysis(facts, part);
            List<Accumulator> own = analysis.accumulators().stream()
                    .map(a -> accs.get(a.local()))
                    .toList();
            List<Object> captured = analysis.captured();
            parts.add(new Part(chunk(part, analysis, captured, own, arrays), captured));
        }
        return new Chunks(chunk, parts, List.copyOf(accs.values()));
    }

    /** A vector loop, chunk by chunk, for tasks whose compilers write to one method. */
    private void vectorLoop(List<BodyCompiler> tasks, Stmt.Loop loop) {
        Chunks methods = chunks.computeIfAbsent(loop, this::chunks);
        BodyCompiler outer = tasks.getFirst();
        Block block = outer.block();
        for (BodyCompiler c : tasks) {
            for (Accumulator a : methods.accumulators) {
                Code start = c.binding(a.local).code();
                block.add(Memory.store(a.local.dtype(), a.address(c.frame.scratch()), start));
            }
        }
        LocalVar start = outer.method.local("from", Type.LONG_TYPE);
        Code extent = outer.held(outer.statements.extent(loop));
        Code rest = Code.sub(extent, start);
        Code n = Code.call(
                Code.object("java/lang/Math"), "min", Type.LONG_TYPE, rest, Code.constant((long) methods.size));
        LocalVar count = outer.method.local("count", Type.INT_TYPE);
        Block calls = new Block().add(count.set(Code.cast(Type.INT_TYPE, n)));
        for (BodyCompiler c : tasks) {
            for (Part part : methods.parts) {
                List<Code> args = new ArrayList<>(List.of(c.frame.params(), c.frame.scratch(), start, count));
                for (Object o : part.captured) args.add(c.binding(o).code());
                calls.add(part.method.call(args));
            }
        }
        block.forLong(start, Code.constant(0L), extent, methods.size, calls);
        for (BodyCompiler c : tasks) {
            for (Accumulator a : methods.accumulators)
                block.add(c.variable(a.local).set(Memory.load(a.local.dtype(), a.address(c.frame.scratch()))));
        }
    }

    /** Short vector loops, one after the other, in the task's own method: calls would take longer than they do. */
    private void rows(BodyCompiler c, Stmt.Loop rows) {
        Stmt.Loop row = (Stmt.Loop) rows.body().getFirst();
        VectorAnalysis analysis = new VectorAnalysis(facts, row);
        boolean simple = analysis.accumulators().isEmpty()
                && new LoopFission(row, facts, analysis, budget).parts().size() == 1
                && (row.limit() == null || TransposedCopy.isFree(row.limit(), rows.var(), facts));
        if (!simple) {
            c.statements.sequential(rows);
            return;
        }
        LocalVar from = c.method.local("from", Type.LONG_TYPE);
        LocalVar count = c.method.local("count", Type.INT_TYPE);
        Code extent = c.statements.extent(row);
        c.block().add(from.set(Code.constant(0L)), count.set(Code.cast(Type.INT_TYPE, extent)));
        if (options.isVector() && !analysis.isLookup()) {
            ChunkEmitter each = new ChunkEmitter(c, row, analysis, from, count, analysis.lanes(options), List.of());
            LocalVar full = each.full();
            LocalVar rest = c.method.local("rest", Type.INT_TYPE);
            c.block().add(rest.set(Code.sub(count, full)));
            Code isShort = Code.lt(count, Code.constant(analysis.lanes(options)));
            Block shorter = c.nested(true, () -> c.statements.sequential(rows, () -> each.shortRow(rest)));
            Block longer = c.nested(true, () -> c.statements.sequential(rows, () -> each.row(full, rest)));
            c.block().ifThen(isShort, shorter).ifThen(Code.not(isShort), longer);
        } else {
            c.statements.sequential(rows, () -> scalarChunk(c, row, from, count, List.of()));
        }
    }

    /** The method that runs a chunk of a vector loop. */
    private MethodBuilder chunk(
            Stmt.Loop loop,
            VectorAnalysis analysis,
            List<Object> captured,
            List<Accumulator> accs,
            Map<Buf, Long> arrays) {
        MethodBuilder m = owner.staticMethod("loop" + loops++ + "_" + loop.var().name(), Type.VOID_TYPE);
        LocalVar params = m.parameter("slots", Memory.SLOTS);
        LocalVar scratch = m.parameter("scratch", Type.LONG_TYPE);
        LocalVar from = m.parameter("from", Type.LONG_TYPE);
        LocalVar count = m.parameter("count", Type.INT_TYPE);
        if (options.isVector()) m.body().add(scratch.set(Memory.base(scratch)));
        BodyCompiler c = compilerWith(m, params, scratch, captured);
        c.chunkArrays(from, arrays);
        if (options.isVector() && !analysis.isLookup())
            new ChunkEmitter(c, loop, analysis, from, count, analysis.lanes(options), accs).emit();
        else scalarChunk(c, loop, from, count, accs);
        return m;
    }

    /** A compiler for a chunk's method, with the captured variables and locals as its parameters. */
    private BodyCompiler compilerWith(MethodBuilder m, LocalVar params, LocalVar scratch, List<Object> captured) {
        List<LocalVar> variables = new ArrayList<>();
        for (Object o : captured) {
            variables.add(
                    o instanceof Local l
                            ? m.parameter(l.name(), Memory.jvmType(l.dtype()))
                            : m.parameter(((Var) o).name(), Type.LONG_TYPE));
        }
        BodyCompiler c = compiler(m, params, scratch);
        for (int i = 0; i < captured.size(); i++) {
            switch (captured.get(i)) {
                case Local l -> c.bind(l, variables.get(i), null);
                case Var v -> c.bind(v, variables.get(i));
                default -> throw new AssertionError(captured.get(i));
            }
        }
        return c;
    }

    /** Scalar code for a chunk, without the Vector API. */
    private void scalarChunk(BodyCompiler c, Stmt.Loop loop, LocalVar from, LocalVar count, List<Accumulator> accs) {
        for (Accumulator a : accs) {
            LocalVar v = c.method.local(a.local.name(), Memory.jvmType(a.local.dtype()));
            c.block().add(v.set(Memory.load(a.local.dtype(), a.address(c.frame.scratch()))));
            c.bind(a.local, v, null);
        }
        LocalVar counter = c.method.local("i", Type.INT_TYPE);
        LocalVar index = c.method.local(loop.var().name(), Type.LONG_TYPE);
        Block body = c.nested(false, () -> {
            c.block().add(index.set(Code.add(from, Code.cast(Type.LONG_TYPE, counter))));
            c.bind(loop.var(), index);
            c.statements.run(loop.body());
        });
        c.block().forLoop(counter, Code.constant(0), count, 1, body);
        for (Accumulator a : accs) {
            Code value = c.binding(a.local).code();
            c.block().add(Memory.store(a.local.dtype(), a.address(c.frame.scratch()), value));
        }
    }

    /** An accumulator of a vector loop and its place in scratch memory. */
    record Accumulator(Local local, Stmt.Combine op, long offset) {
        Code address(LocalVar scratch) {
            return Code.add(scratch, Code.constant(offset));
        }

        /** Element type of its vectors. */
        DType element() {
            return local.dtype().isBool() ? DType.I32 : local.dtype();
        }
    }
}
