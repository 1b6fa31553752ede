// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.objectweb.asm.Type;

/** Compiles statements, at scalar level or inside a vector loop. */
final class StatementCompiler {
    private final BodyCompiler c;
    private Consumer<Stmt.Loop> vectorLoops = l -> {
        throw new IllegalStateException("a vector loop over " + l.var() + " where none may be");
    };
    private Consumer<Stmt.Loop> rows = this::sequential;
    private Predicate<Stmt.Loop> otherwise = _ -> false;
    private Set<Object> vectorLocals = Set.of();
    private final Map<Local, ExtremeLanes> extremes = new HashMap<>();
    private Map<Stmt, Integer> lines = Map.of();

    StatementCompiler(BodyCompiler c) {
        this.c = c;
    }

    /** What to do with the vector loops among the statements. */
    void onVectorLoop(Consumer<Stmt.Loop> action) {
        vectorLoops = action;
    }

    /** What to do with loops over short rows; otherwise they are sequential loops. */
    void onRows(Consumer<Stmt.Loop> action) {
        rows = action;
    }

    /** What writes sequential loops in another form, where it can: then it answers true. */
    void onSequential(Predicate<Stmt.Loop> action) {
        otherwise = action;
    }

    /** The mutable locals that hold a vector where they are declared inside the current vector loop. */
    void vectorLocals(Set<Object> locals) {
        vectorLocals = locals;
    }

    /** An accumulator whose extreme these lanes hold from now on. */
    void accumulateIn(Local l, ExtremeLanes lanes) {
        extremes.put(l, lanes);
    }

    /** Lines of statements (by identity) in the kernel's listing, for stack traces. */
    void lines(Map<Stmt, Integer> lines) {
        this.lines = lines;
    }

    void run(List<Stmt> body) {
        for (Stmt s : body) {
            Integer line = lines.get(s);
            if (line != null) c.block().line(line);
            run(s);
        }
    }

    private void run(Stmt s) {
        switch (s) {
            case Stmt.Let l -> c.let(l.local(), l.value());
            case Stmt.Declare d -> declare(d);
            case Stmt.Accumulate a -> accumulate(a);
            case Stmt.Set a -> {
                LocalVar v = c.variable(a.local());
                c.block().add(v.set(like(c.binding(a.local()), a.value())));
                c.scope().changed(a.local());
            }
            case Stmt.Store st -> {
                if (c.vector() == null) c.memory.storeScalar(st);
                else c.memory.store(st);
                c.scope().changed(st.buffer());
            }
            case Stmt.If i -> {
                Code condition = c.scalar(i.cond());
                Block body = c.nested(true, () -> run(i.body()));
                c.block().ifThen(condition, body);
            }
            case Stmt.Loop l -> {
                switch (l.kind()) {
                    case VECTOR -> {
                        vectorLoops.accept(l);
                        forgetChanges(l.body());
                    }
                    case ROWS -> rows.accept(l);
                    case SEQ -> {
                        if (!transposedCopy(l) && !otherwise.test(l)) sequential(l);
                    }
                }
            }
        }
    }

    /** The code of a value in the form that {@code target} is held in. */
    private Code like(Value target, io.sinter.ir.loop.Expr e) {
        if (!target.isVector()) return c.scalar(e);
        return target.dtype().isBool() ? c.mask(e, target.species()) : c.vec(e).code();
    }

    private void declare(Stmt.Declare d) {
        Local l = d.local();
        Species species = null;
        if (c.vector() != null && vectorLocals.contains(l)) {
            species = c.vector().species(l.dtype().isBool() ? io.sinter.ir.DType.I32 : l.dtype());
        }
        Code init = like(new Value(l.dtype(), null, species), d.init());
        LocalVar v = c.method.local(l.name(), init.type());
        c.block().add(v.set(init));
        c.bind(l, v, species);
    }

    private void accumulate(Stmt.Accumulate a) {
        if (extremes.containsKey(a.local())) {
            extremes.get(a.local()).accumulate(c, c.vec(a.value()));
            return;
        }
        Value target = c.binding(a.local());
        Code value = like(target, a.value());
        Code sum;
        if (target.isVector()) {
            // Lanes beyond the end must not count, but in locals of the loop's body nobody looks at them.
            boolean outer = c.depth(a.local()) < c.depth(c.vector().variable());
            sum = VectorOps.combine(a.op(), target, value, outer ? c.active(target.species()) : null);
        } else {
            sum = ScalarOps.combine(a.op(), a.local().dtype(), target.code(), value);
        }
        c.block().add(c.variable(a.local()).set(sum));
        c.scope().changed(a.local());
    }

    void sequential(Stmt.Loop l) {
        sequential(l, () -> run(l.body()));
    }

    /** A loop whose body is written by {@code body}. */
    void sequential(Stmt.Loop l, Runnable body) {
        forgetChanges(l.body());
        Code extent = c.held(Code.call(Code.object("java/lang/Math"), "toIntExact", Type.INT_TYPE, extent(l)));
        LocalVar counter = c.method.local(l.var().name(), Type.INT_TYPE);
        LocalVar index = c.method.local(l.var().name() + "_", Type.LONG_TYPE);
        boolean runs = l.limit() == null && l.var().extent() instanceof Coef.Lit n && n.value() > 0;
        Block step = c.nested(!runs, () -> {
            c.block().add(index.set(Code.cast(Type.LONG_TYPE, counter)));
            c.bind(l.var(), index);
            body.run();
        });
        c.block().forLoop(counter, Code.constant(0), extent, 1, step);
    }

    /** Whether the loop is a {@link TransposedCopy}; then its code has been written. */
    private boolean transposedCopy(Stmt.Loop l) {
        TransposedCopy t = c.vector() == null ? TransposedCopy.of(l, c.facts) : null;
        if (t == null || !Squares.exist(t.from().dtype().bytes(), c.options.vectorBits())) return false;
        int size = t.from().dtype().bytes();
        c.block()
                .add(Code.call(
                        Code.object("io/sinter/gen/SinterKernelMoves"),
                        "transpose",
                        Type.VOID_TYPE,
                        Code.constant(size),
                        Code.constant(c.options.vectorBits()),
                        c.indices.address(t.from(), t.read()),
                        Code.mul(c.indices.coef(t.readRow()), Code.constant((long) size)),
                        c.indices.address(t.to(), t.written()),
                        Code.mul(c.indices.coef(t.writtenRow()), Code.constant((long) size)),
                        Code.cast(Type.INT_TYPE, extent(t.rows())),
                        Code.cast(Type.INT_TYPE, extent(t.columns()))));
        forgetChanges(l.body());
        return true;
    }

    /** The number of iterations of a loop, as a long. */
    Code extent(Stmt.Loop l) {
        Code extent = c.indices.coef(l.var().extent());
        if (l.limit() == null) return extent;
        return Code.call(Code.object("java/lang/Math"), "min", Type.LONG_TYPE, extent, c.index(l.limit()));
    }

    /** Values that a loop's body changes are not known in it: its first line may run after its last. */
    private void forgetChanges(List<Stmt> body) {
        Set<Object> changed = new HashSet<>();
        Facts.walk(body, s -> {
            switch (s) {
                case Stmt.Accumulate a -> changed.add(a.local());
                case Stmt.Set a -> changed.add(a.local());
                case Stmt.Store st -> c.scope().changed(st.buffer());
                case Stmt.Loop _, Stmt.Let _, Stmt.Declare _, Stmt.If _ -> {}
            }
        });
        for (Object o : changed) c.scope().changed((Local) o);
    }
}
