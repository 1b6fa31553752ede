// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/** The methods of {@link JvmKernel} in a generated class. */
final class KernelShell {
    private final ClassBuilder owner;

    KernelShell(ClassBuilder owner) {
        this.owner = owner;
    }

    void name(String name) {
        owner.method("name", Type.getType(String.class)).body().add(Code.ret(Code.constant(name)));
    }

    /** One phase, with a task for each point of the grid. */
    void tasks(List<Var> grid) {
        MethodBuilder m = owner.method("tasks", Type.LONG_TYPE);
        m.parameter("phase", Type.INT_TYPE);
        LocalVar params = m.parameter("params", Type.LONG_TYPE);
        Code product = Code.constant(1L);
        for (Var v : grid) product = Code.mul(product, extent(v, params));
        m.body().add(Code.ret(product));
    }

    void scratchBytes(long bytes) {
        MethodBuilder m = owner.method("scratchBytes", Type.LONG_TYPE);
        m.parameter("params", Type.LONG_TYPE);
        m.body().add(Code.ret(Code.constant(bytes)));
    }

    /**
     * Calls {@code tile(slots, scratch, grid variables)} for each task. The first task's variables come from
     * divisions; the next ones count like an odometer, whose carries are arithmetic: HotSpot throws code away at the first turn of a branch that it
     * has not seen taken, and the {@linkplain JvmKernel#sample sample} that it sees first is but a few tasks.
     *
     * @param pairs for tasks that may run two at a time; else null
     */
    void run(List<Var> grid, int slots, MethodBuilder tile, RowPairs pairs) {
        MethodBuilder m = owner.method("run", Type.VOID_TYPE);
        m.parameter("phase", Type.INT_TYPE);
        LocalVar params = m.parameter("params", Type.LONG_TYPE);
        LocalVar begin = m.parameter("begin", Type.LONG_TYPE);
        LocalVar end = m.parameter("end", Type.LONG_TYPE);
        LocalVar scratch = m.parameter("scratch", Type.LONG_TYPE);
        m.parameter("workspace", Type.LONG_TYPE);
        Block start = new Block();
        List<LocalVar> variables = new ArrayList<>();
        List<LocalVar> extents = new ArrayList<>();
        LocalVar rest = m.local("rest", Type.LONG_TYPE);
        LocalVar task = m.local("task", Type.LONG_TYPE);
        for (Var v : grid) {
            variables.add(m.local(v.name(), Type.LONG_TYPE));
            extents.add(m.local("n_" + v.name(), Type.LONG_TYPE));
        }
        start.add(rest.set(begin));
        for (int i = grid.size() - 1; i >= 0; i--) {
            start.add(extents.get(i).set(extent(grid.get(i), params)));
            start.add(variables.get(i).set(Code.rem(rest, extents.get(i))), rest.set(Code.div(rest, extents.get(i))));
        }
        LocalVar inside = m.local("inside", Type.LONG_TYPE);
        LocalVar copy = m.local("slots", Memory.SLOTS);
        start.add(copy.set(Memory.slots(params, slots)));
        LocalVar alone = begin;
        if (pairs != null) {
            alone = m.local("alone", Type.LONG_TYPE);
            start.add(alone.set(Code.add(begin, Code.and(Code.sub(end, begin), Code.constant(-2L)))));
            List<Code> both = new ArrayList<>(List.of(copy, scratch));
            Block two = new Block();
            for (LocalVar v : variables) {
                LocalVar first = m.local(v.name() + "_first", Type.LONG_TYPE);
                two.add(first.set(v));
                both.add(first);
            }
            both.add(Code.add(scratch, Code.constant(pairs.scratchBytes())));
            both.addAll(variables);
            two.add(next(variables, extents, inside), pairs.tiles().call(both), next(variables, extents, inside));
            start.forLong(task, begin, alone, 2, two);
        }
        List<Code> args = new ArrayList<>(List.of(copy, scratch));
        args.addAll(variables);
        Block one = new Block().add(tile.call(args)).add(next(variables, extents, inside));
        start.forLong(task, alone, end, 1, one);
        m.body().ifThen(Code.lt(begin, end), start);
        if (pairs != null) {
            // Pairs, and one alone.
            MethodBuilder samples = owner.method("sampleTasks", Type.LONG_TYPE);
            samples.body().add(Code.ret(Code.constant(5L)));
        }
    }

    /** The variables of the task that follows. */
    private static Block next(List<LocalVar> variables, List<LocalVar> extents, LocalVar inside) {
        Block next = new Block();
        for (int i = variables.size() - 1; i >= 0; i--) {
            LocalVar v = variables.get(i);
            boolean innermost = i == variables.size() - 1;
            // All ones while the variable before was inside its extent, then 0: what is carried is one more.
            Code carry = innermost ? Code.constant(1L) : Code.add(inside, Code.constant(1L));
            next.add(v.set(Code.add(v, carry)));
            if (i == 0) continue;
            next.add(inside.set(Code.shr(Code.sub(v, extents.get(i)), Code.constant(63))));
            next.add(v.set(Code.and(v, inside)));
        }
        return next;
    }

    private static Code extent(Var v, LocalVar params) {
        return switch (v.extent()) {
            case Coef.Lit l -> Code.constant(l.value());
            case Coef.Slot s -> Memory.slot(params, s.slot());
        };
    }
}
