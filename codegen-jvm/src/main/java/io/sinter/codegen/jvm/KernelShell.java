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
        Run r = new Run(owner, grid, slots);
        MethodBuilder m = r.m;
        Block start = r.start;
        List<LocalVar> variables = r.variables;
        LocalVar alone = r.begin;
        if (pairs != null) {
            alone = m.local("alone", Type.LONG_TYPE);
            start.add(alone.set(Code.add(r.begin, Code.and(Code.sub(r.end, r.begin), Code.constant(-2L)))));
            List<Code> both = new ArrayList<>(List.of(r.copy, r.scratch));
            Block two = new Block();
            both.addAll(r.keep(two));
            both.add(Code.add(r.scratch, Code.constant(pairs.scratchBytes())));
            both.addAll(variables);
            two.add(r.next(), pairs.tiles().call(both), r.next());
            start.forLong(r.task, r.begin, alone, 2, two);
        }
        Block one = new Block().add(tile.call(r.arguments())).add(r.next());
        start.forLong(r.task, alone, r.end, 1, one);
        m.body().ifThen(Code.lt(r.begin, r.end), start);
        // Pairs, and one alone.
        if (pairs != null) samples(5);
    }

    /**
     * Calls {@code first(slots, scratch, grid variables)} for the first task, then for each {@code rest(slots, scratch, grid variables, the next task's)}; the
     * last task's next one is itself.
     */
    void runOverlapped(List<Var> grid, int slots, MethodBuilder first, MethodBuilder rest) {
        Run r = new Run(owner, grid, slots);
        r.start.add(first.call(r.arguments()));
        Block each = new Block();
        List<Code> args = new ArrayList<>(List.of(r.copy, r.scratch));
        args.addAll(r.keep(each));
        args.addAll(r.variables);
        r.start.forLong(r.task, Code.add(r.begin, Code.constant(1L)), r.end, 1, each.add(r.next(), rest.call(args)));
        List<Code> last = r.arguments();
        last.addAll(r.variables);
        r.start.add(rest.call(last));
        r.m.body().ifThen(Code.lt(r.begin, r.end), r.start);
        samples(3);
    }

    private void samples(long tasks) {
        MethodBuilder samples = owner.method("sampleTasks", Type.LONG_TYPE);
        samples.body().add(Code.ret(Code.constant(tasks)));
    }

    /** A method that runs tasks: its parameters, and the grid's variables at the first of them. */
    private static final class Run {
        private final MethodBuilder m;
        private final LocalVar begin;
        private final LocalVar end;
        private final LocalVar scratch;
        private final LocalVar copy;
        private final LocalVar task;
        private final LocalVar inside;
        private final Block start = new Block();
        private final List<LocalVar> variables = new ArrayList<>();
        private final List<LocalVar> extents = new ArrayList<>();

        Run(ClassBuilder owner, List<Var> grid, int slots) {
            m = owner.method("run", Type.VOID_TYPE);
            m.parameter("phase", Type.INT_TYPE);
            LocalVar params = m.parameter("params", Type.LONG_TYPE);
            begin = m.parameter("begin", Type.LONG_TYPE);
            end = m.parameter("end", Type.LONG_TYPE);
            scratch = m.parameter("scratch", Type.LONG_TYPE);
            m.parameter("workspace", Type.LONG_TYPE);
            LocalVar rest = m.local("rest", Type.LONG_TYPE);
            task = m.local("task", Type.LONG_TYPE);
            for (Var v : grid) {
                variables.add(m.local(v.name(), Type.LONG_TYPE));
                extents.add(m.local("n_" + v.name(), Type.LONG_TYPE));
            }
            start.add(rest.set(begin));
            for (int i = grid.size() - 1; i >= 0; i--) {
                start.add(extents.get(i).set(extent(grid.get(i), params)));
                start.add(
                        variables.get(i).set(Code.rem(rest, extents.get(i))), rest.set(Code.div(rest, extents.get(i))));
            }
            inside = m.local("inside", Type.LONG_TYPE);
            copy = m.local("slots", Memory.SLOTS);
            start.add(copy.set(Memory.slots(params, slots)));
        }

        List<Code> arguments() {
            List<Code> args = new ArrayList<>(List.of(copy, scratch));
            args.addAll(variables);
            return args;
        }

        /** Copies of the variables as they are here. */
        List<LocalVar> keep(Block here) {
            List<LocalVar> copies = new ArrayList<>();
            for (LocalVar v : variables) {
                LocalVar first = m.local(v.name() + "_first", Type.LONG_TYPE);
                here.add(first.set(v));
                copies.add(first);
            }
            return copies;
        }

        Block next() {
            return KernelShell.next(variables, extents, inside);
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
