// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.KernelBuilder.Section;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Scope;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Writes expressions of the loop IR into a kernel. An expression is evaluated once for each place where it is valid, and as far out as its
 * operands allow. Expressions given to one emitter are canonical ({@link io.sinter.ir.loop.Canon}), free of functions that
 * {@link MathCode} spells out, and known to its {@link Facts}.
 */
final class BodyEmitter {
    /**
     * Where loop code finds its surroundings.
     *
     * @param block address of the parameter block
     * @param scratch address of the scratch memory of this thread's team; null if it has none
     */
    record Frame(Operand block, Operand scratch) {}

    /**
     * The loop that threads share, of which each computes some neighbouring elements at a time.
     *
     * @param variable the loop's variable; its value is that of the first of the elements
     * @param width number of elements
     * @param wide the accesses to neighbouring elements that one instruction may take
     * @param base has a value outside of the loop, to which the variable's is {@code ahead}: addresses are computed of it
     */
    record Step(Var variable, int width, Set<Access> wide, Var base, long ahead) {
        Step(Var variable, int width, Set<Access> wide) {
            this(variable, width, wide, variable, 0);
        }
    }

    /** Elements of a buffer at a (canonical) index. */
    record Access(Buf buffer, Index index) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Access a && a.buffer.equals(buffer) && a.index == index;
        }

        @Override
        public int hashCode() {
            return buffer.hashCode() * 31 + System.identityHashCode(index);
        }
    }

    private record Binding(Value value, int depth) {}

    final KernelBuilder out;
    final Facts facts;
    final Frame frame;
    final boolean anyOrder;
    final ScalarEmitter scalars;
    final IndexEmitter indices;
    final MemoryEmitter memory;
    private final Map<Object, Binding> bindings = new IdentityHashMap<>();
    private Scope<Value, Section> scope;
    private Step step;

    BodyEmitter(KernelBuilder out, Facts facts, Frame frame) {
        this(out, facts, frame, false);
    }

    /** @param anyOrder whether stores are atomic; each is an {@link Update} then */
    BodyEmitter(KernelBuilder out, Facts facts, Frame frame, boolean anyOrder) {
        this.out = out;
        this.facts = facts;
        this.frame = frame;
        this.anyOrder = anyOrder;
        Section body = out.section();
        out.into(body);
        scope = new Scope<>(null, body, false);
        scalars = new ScalarEmitter(out);
        indices = new IndexEmitter(this);
        memory = new MemoryEmitter(this);
    }

    Scope<Value, Section> scope() {
        return scope;
    }

    /** The shared loop that code is written in; null outside of any. */
    Step step() {
        return step;
    }

    /**
     * Writes code of a loop or a branch. What it computes without need of being inside goes before it.
     *
     * @param guard whether the code may not run
     */
    void nested(boolean guard, Runnable body) {
        Scope<Value, Section> before = scope;
        Section place = before.place();
        before.place(out.section());
        scope = new Scope<>(before, out.section(), guard);
        out.into(scope.place());
        body.run();
        scope = before;
        before.place(place);
        out.into(place);
    }

    /** As {@link #nested}, for the body of a loop that threads share; such bodies may nest if inner ones do not read what varies in outer ones. */
    void nestedStep(Step s, boolean guard, Runnable body) {
        nested(guard, () -> {
            Step before = step;
            step = s;
            body.run();
            step = before;
        });
    }

    /**
     * Writes the body of a loop that threads share for several steps at a time, all of whose beginnings come before what follows them: so the loads of all
     * are under way before the first one is waited for.
     *
     * @param begin what step number k begins with
     * @param rest what follows, with what {@code begin} has evaluated at hand
     */
    void abreast(Step s, int count, IntConsumer begin, IntConsumer rest) {
        Scope<Value, Section> outer = scope;
        Section place = outer.place();
        Step before = step;
        outer.place(out.section());
        List<Section> begins = new ArrayList<>();
        List<Section> rests = new ArrayList<>();
        for (int k = 0; k < count; k++) begins.add(out.section());
        for (int k = 0; k < count; k++) rests.add(out.section());
        for (int k = 0; k < count; k++) {
            scope = new Scope<>(outer, begins.get(k), false);
            step = s;
            out.into(begins.get(k));
            begin.accept(k);
            scope.place(rests.get(k));
            out.into(rests.get(k));
            rest.accept(k);
        }
        step = before;
        scope = outer;
        outer.place(place);
        out.into(place);
    }

    /** A scope inside this one whose code is written piece by piece, by {@link #resume}. */
    Scope<Value, Section> inner(boolean guard) {
        return new Scope<>(scope, out.section(), guard);
    }

    /** Writes, where code goes now, more of a scope that is directly inside this one, with what it knows at hand. */
    void resume(Scope<Value, Section> inner, Step s, Runnable code) {
        Scope<Value, Section> outer = scope;
        Step before = step;
        Section place = out.section();
        Section around = out.into(place);
        inner.place(place);
        scope = inner;
        step = s;
        code.run();
        step = before;
        scope = outer;
        out.into(around);
    }

    /** Writes code after a gap, into which goes what it computes that belongs in this scope. */
    void afterGap(Runnable code) {
        Section place = scope.place();
        scope.place(out.section());
        code.run();
        scope.place(place);
    }

    /** {@code for (i = from; i < end; i += by)}. */
    void loop(Operand from, Operand end, Operand by, Consumer<Reg> body) {
        loop(from, end, by, () -> {}, body);
    }

    /** @param head writes what is to stand where the loop begins over */
    void loop(Operand from, Operand end, Operand by, Runnable head, Consumer<Reg> body) {
        Reg i = out.mov(PtxType.B64, from);
        nested(true, () -> {
            String again = out.newLabel();
            String exit = out.newLabel();
            out.label(again);
            head.run();
            out.branchIf(out.setp(Relation.GE, PtxType.S64, i, end), exit);
            body.accept(i);
            scalars.assign(DType.I64, i, out.add(PtxType.S64, i, by));
            out.branch(again);
            out.label(exit);
        });
    }

    private <T> T inScope(Scope<Value, Section> s, Supplier<T> action) {
        Scope<Value, Section> before = scope;
        scope = s;
        out.into(s.place());
        T result = action.get();
        scope = before;
        out.into(before.place());
        return result;
    }

    /** Gives a variable or local a value that is valid in the current scope. */
    void bind(Object variableOrLocal, Value value) {
        bindings.put(variableOrLocal, new Binding(value, scope.depth()));
    }

    /** Takes a name away. */
    void unbind(Object variableOrLocal) {
        bindings.remove(variableOrLocal);
    }

    boolean isBound(Object variableOrLocal) {
        return bindings.containsKey(variableOrLocal);
    }

    int depth(Object variableOrLocal) {
        return bound(variableOrLocal).depth;
    }

    Value binding(Object variableOrLocal) {
        return bound(variableOrLocal).value;
    }

    private Binding bound(Object o) {
        Binding b = bindings.get(o);
        if (b == null) throw new IllegalStateException(o + " is used where it has no value");
        return b;
    }

    /** Defines a local as a value, at the place that its operands allow. */
    void let(Local l, Expr e) {
        Facts.Fact f = facts.of(e);
        Scope<Value, Section> at = place(f);
        Value v = inScope(at, () -> {
            Value value = value(e);
            // A copy where what it was computed from may change.
            return f.motion() == Facts.Motion.PINNED ? scalars.copy(value) : value;
        });
        bindings.put(l, new Binding(v, at.depth()));
    }

    /** Whether the value differs between the elements of a step. */
    boolean varies(Facts.Fact f) {
        if (step == null) return false;
        for (Object o : f.free()) {
            if (o == step.variable || bound(o).value.width() > 1) return true;
        }
        return false;
    }

    /** The outermost scope where something with these dependencies may be evaluated. */
    Scope<Value, Section> place(Facts.Fact f) {
        return scope.place(f, this::depth);
    }

    /** The value computed by {@code make} at the place that {@code f} allows, once. */
    Value once(Object what, Object form, Facts.Fact f, Supplier<Value> make) {
        Scope.Key key = new Scope.Key(what, form);
        Value known = scope.find(key);
        if (known != null) return known;
        Scope<Value, Section> at = place(f);
        Value v = inScope(at, make);
        at.put(key, v, f);
        return v;
    }

    /** The value of an expression. */
    Value value(Expr e) {
        return switch (e) {
            case Expr.Const c -> Value.of(c.dtype(), scalars.constant(c));
            case Expr.Ref r -> binding(r.local());
            case Expr.Arg _,
                    Expr.IndexValue _,
                    Expr.Load _,
                    Expr.Un _,
                    Expr.Bin _,
                    Expr.Select _,
                    Expr.Fma _,
                    Expr.Convert _,
                    Expr.Narrow _,
                    Expr.Bits _,
                    Expr.Checked _ -> once(e, null, facts.of(e), () -> compute(e));
        };
    }

    /** Says what the value of an expression is in this scope. */
    void known(Expr e, Value value) {
        scope.put(new Scope.Key(e, null), value, facts.of(e));
    }

    private Value compute(Expr e) {
        return switch (e) {
            case Expr.Const _, Expr.Ref _ -> throw new AssertionError(e);
            case Expr.Arg a -> memory.argument(a);
            case Expr.IndexValue v -> {
                Value i = indices.value(v.index());
                yield map(v.dtype(), i, x -> scalars.convert(DType.I64, v.dtype(), x));
            }
            case Expr.Load l -> memory.load(l);
            case Expr.Un u -> map(e.dtype(), value(u.a()), x -> scalars.unary(u.op(), u.a().dtype(), x));
            case Expr.Bin b -> binary(b);
            case Expr.Select s -> {
                Value c = value(s.cond());
                Value x = value(s.a());
                Value y = value(s.b());
                int n = Math.max(c.width(), Math.max(x.width(), y.width()));
                yield Value.of(e.dtype(), n, i -> scalars.select(e.dtype(), c.lane(i), x.lane(i), y.lane(i)));
            }
            case Expr.Fma f -> {
                Value x = value(f.a());
                Value y = value(f.b());
                Value z = value(f.c());
                int n = Math.max(x.width(), Math.max(y.width(), z.width()));
                yield Value.of(e.dtype(), n, i -> scalars.fma(e.dtype(), x.lane(i), y.lane(i), z.lane(i)));
            }
            case Expr.Convert c -> map(e.dtype(), value(c.a()), x -> scalars.convert(c.a().dtype(), c.dtype(), x));
            case Expr.Narrow n -> map(e.dtype(), value(n.a()), x -> scalars.narrow(n.to(), x));
            case Expr.Bits b -> map(e.dtype(), value(b.a()), x -> scalars.bits(b.dtype(), x));
            case Expr.Checked c -> memory.checked(c);
        };
    }

    private Value binary(Expr.Bin e) {
        DType t = e.a().dtype();
        Value x = value(e.a());
        Value y = value(e.b());
        boolean nonzero = e.b() instanceof Expr.Const c && c.bits() != 0 && e.op() != Prim2.POW;
        return Value.of(
                e.dtype(),
                Math.max(x.width(), y.width()),
                i -> scalars.binary(e.op(), t, x.lane(i), y.lane(i), nonzero));
    }

    private static Value map(DType t, Value v, java.util.function.UnaryOperator<Operand> f) {
        return Value.of(t, v.width(), i -> f.apply(v.lane(i)));
    }
}
