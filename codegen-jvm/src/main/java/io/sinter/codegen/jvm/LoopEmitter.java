// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/**
 * Generates the class of a {@link LoopKernel}. {@code run} walks the tasks and calls {@code tile} for each; {@code tile} holds the task's scalar
 * code and calls, for each vector loop, a method that runs a chunk of it. So every method is small and called often: HotSpot compiles it soon, and
 * never has to replace a running loop.
 *
 * <p>Accumulators pass through the task's scratch memory: each chunk reduces its vectors to one number and combines it with the number there. The
 * order of all this depends on extents and vector width only.
 */
final class LoopEmitter {
    private final LoopKernel kernel;
    private final Options options;
    private final ClassBuilder owner;
    private final Facts facts = new Facts();
    private final long laneArea;
    private int loops;
    private int accumulators;

    LoopEmitter(LoopKernel kernel, ClassBuilder owner, Options options) {
        this.kernel = kernel;
        this.owner = owner;
        this.options = options;
        this.laneArea = (kernel.scratchBytes() + 63) / 64 * 64;
    }

    void emit() {
        List<Stmt> body = new Canon().statements(kernel.body());
        facts.add(body);
        MethodBuilder tile = owner.staticMethod("tile", Type.VOID_TYPE);
        LocalVar params = tile.parameter("params", Type.LONG_TYPE);
        LocalVar scratch = tile.parameter("scratch", Type.LONG_TYPE);
        List<LocalVar> grid = kernel.grid().stream().map(v -> tile.parameter(v.name(), Type.LONG_TYPE)).toList();
        BodyCompiler c = compiler(tile, params, scratch);
        for (int i = 0; i < grid.size(); i++) c.bind(kernel.grid().get(i), grid.get(i));
        c.statements.onVectorLoop(l -> vectorLoop(c, l));
        c.statements.run(body);
        KernelShell shell = new KernelShell(owner);
        shell.name(kernel.name());
        shell.tasks(kernel.grid());
        shell.scratchBytes(laneArea + BodyCompiler.LANE_AREA + 8L * accumulators);
        shell.run(kernel.grid(), tile);
    }

    private BodyCompiler compiler(MethodBuilder m, LocalVar params, LocalVar scratch) {
        return new BodyCompiler(m, new BodyCompiler.Frame(params, scratch, laneArea), facts, options);
    }

    /** The chunks of a vector loop, called from {@code outer}. */
    private void vectorLoop(BodyCompiler outer, Stmt.Loop loop) {
        VectorAnalysis analysis = new VectorAnalysis(facts, loop);
        int lanes = options.isVector() ? analysis.lanes(options) : 1;
        int chunk = options.isVector() ? analysis.chunk(lanes) : analysis.chunk(16);
        List<Object> captured = analysis.captured();
        List<Accumulator> accs = new ArrayList<>();
        for (Stmt.Accumulate a : analysis.accumulators()) {
            accs.add(new Accumulator(a.local(), a.op(), laneArea + BodyCompiler.LANE_AREA + 8L * accumulators++));
        }

        MethodBuilder m = owner.staticMethod("loop" + loops++ + "_" + loop.var().name(), Type.VOID_TYPE);
        LocalVar params = m.parameter("params", Type.LONG_TYPE);
        LocalVar scratch = m.parameter("scratch", Type.LONG_TYPE);
        LocalVar from = m.parameter("from", Type.LONG_TYPE);
        LocalVar count = m.parameter("count", Type.INT_TYPE);
        BodyCompiler c = compilerWith(m, params, scratch, captured);
        if (options.isVector()) new ChunkEmitter(c, loop, analysis, from, count, lanes, accs).emit();
        else scalarChunk(c, loop, from, count, accs);

        Block block = outer.block();
        for (Accumulator a : accs) {
            block.add(Memory.store(a.local.dtype(), a.address(outer.frame.scratch()), outer.binding(a.local).code()));
        }
        LocalVar start = outer.method.local("from", Type.LONG_TYPE);
        Code extent = outer.held(outer.statements.extent(loop));
        Code rest = Code.sub(extent, start);
        Code n = Code.call(Code.object("java/lang/Math"), "min", Type.LONG_TYPE, rest, Code.constant((long) chunk));
        List<Code> args = new ArrayList<>(List.of(outer.frame.params(), outer.frame.scratch(), start, Code.cast(Type.INT_TYPE, n)));
        for (Object o : captured) args.add(outer.binding(o).code());
        block.forLong(start, Code.constant(0L), extent, chunk, m.call(args));
        for (Accumulator a : accs) {
            block.add(outer.variable(a.local).set(Memory.load(a.local.dtype(), a.address(outer.frame.scratch()))));
        }
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
