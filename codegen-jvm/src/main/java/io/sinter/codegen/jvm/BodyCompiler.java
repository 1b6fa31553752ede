// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Scope;
import io.sinter.ir.loop.Var;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.objectweb.asm.Type;

/**
 * Compiles expressions and statements of the loop IR into one method. An expression is evaluated once for
 * each place where it is valid, and as far out as its operands allow: what does not depend on a loop's
 * variable is computed before the loop. Inside a {@link VectorLoop}, values that depend on the loop's
 * variable are vectors and all others scalars.
 *
 * <p>Expressions given to one compiler must be canonical ({@link Canon}) and known to its {@link Facts}.
 */
public final class BodyCompiler {
    private record Binding(Value value, LocalVar variable, int depth) {}

    final MethodBuilder method;
    final Facts facts;
    final Frame frame;
    final Options options;
    final IndexCompiler indices;
    final MemoryCompiler memory;
    final StatementCompiler statements;
    private final Map<Object, Binding> bindings = new HashMap<>();
    private Scope<Value, Block> scope;
    private VectorLoop vector;

    /**
     * What generated methods get from their callers.
     *
     * @param params address of the parameter block (long), or its slots (long[])
     * @param scratch address of the task's scratch memory (long)
     * @param laneArea byte offset in scratch of {@link #LANE_AREA} bytes for moving lanes between vectors and
     *     scalars
     */
    public record Frame(LocalVar params, LocalVar scratch, long laneArea) {}

    /** Bytes that lane-by-lane code needs: four vectors of 16 lanes of 8 bytes. */
    public static final int LANE_AREA = 4 * 16 * 8;

    public BodyCompiler(MethodBuilder method, Frame frame, Facts facts, Options options) {
        this.method = method;
        this.frame = frame;
        this.facts = facts;
        this.options = options;
        this.scope = new Scope<>(null, method.body(), false);
        this.indices = new IndexCompiler(this);
        this.memory = new MemoryCompiler(this);
        this.statements = new StatementCompiler(this);
    }

    public Scope<Value, Block> scope() {
        return scope;
    }

    /** The innermost block: where statements go now. */
    public Block block() {
        return scope.place();
    }

    /** The vector loop that code is compiled in, or null. */
    public VectorLoop vector() {
        return vector;
    }

    /**
     * Compiles {@code body} into a new block: a loop's body, a branch ({@code guard}: it may not run). Place
     * the result in {@link #block}.
     */
    public Block nested(boolean guard, Runnable body) {
        Block block = new Block();
        Scope<Value, Block> before = scope;
        scope = new Scope<>(before, block, guard);
        body.run();
        scope = before;
        return block;
    }

    /** As {@link #nested}, with the body's code running for all lanes of a vector loop's step. */
    public Block nestedVector(VectorLoop loop, Runnable body) {
        VectorLoop before = vector;
        Block block = nested(false, () -> {
            vector = loop;
            bindings.put(loop.variable(), new Binding(null, null, scope.depth()));
            body.run();
        });
        vector = before;
        return block;
    }

    <T> T inScope(Scope<Value, Block> s, Supplier<T> action) {
        Scope<Value, Block> before = scope;
        scope = s;
        T result = action.get();
        scope = before;
        return result;
    }

    /** Binds a loop variable to a long that is set in the current scope. */
    public void bind(Var v, LocalVar value) {
        bindings.put(v, new Binding(Value.scalar(DType.I64, value), value, scope.depth()));
    }

    /** Binds a local of the IR to a JVM variable, set in the current scope. */
    public void bind(Local l, LocalVar variable, Species species) {
        bindings.put(l, new Binding(new Value(l.dtype(), variable, species), variable, scope.depth()));
    }

    /** Gives an IR local this value (a template's result), held in a JVM variable. */
    public void define(Local l, Value value) {
        LocalVar variable = method.local(l.name(), value.code().type());
        block().add(variable.set(value.code()));
        bind(l, variable, value.species());
    }

    /** Defines a local of the IR as this value, at the place that its operands allow. */
    void let(Local l, Expr e) {
        Facts.Fact f = facts.of(e);
        Scope<Value, Block> at = place(f);
        Value v = inScope(at, () -> {
            Value value = value(e);
            if (f.motion() != Facts.Motion.PINNED) return held(value);
            // A copy: what it was computed from may change.
            LocalVar copy = method.local(l.name(), value.code().type());
            block().add(copy.set(value.code()));
            return value.with(copy);
        });
        bindings.put(l, new Binding(v, null, at.depth()));
    }

    /** Compiles statements, which hold no vector loop. */
    public void statements(java.util.List<io.sinter.ir.loop.Stmt> body) {
        statements.run(body);
    }

    int depth(Object variableOrLocal) {
        return bound(variableOrLocal).depth;
    }

    Value binding(Object variableOrLocal) {
        return bound(variableOrLocal).value;
    }

    LocalVar variable(Local l) {
        return bound(l).variable;
    }

    boolean isBound(Object variableOrLocal) {
        return bindings.containsKey(variableOrLocal);
    }

    private Binding bound(Object o) {
        Binding b = bindings.get(o);
        if (b == null) throw new IllegalStateException(o + " is used where it is not defined");
        return b;
    }

    /** Whether the value differs between lanes. */
    boolean varies(Facts.Fact f) {
        if (vector == null) return false;
        for (Object o : f.free()) {
            if (o == vector.variable()) return true;
            if (o instanceof Local l && bound(l).value.isVector()) return true;
        }
        return false;
    }

    boolean varies(Expr e) {
        return varies(facts.of(e));
    }

    /** The outermost scope where something with these dependencies may be evaluated. */
    Scope<Value, Block> place(Facts.Fact f) {
        return scope.place(f, this::depth);
    }

    /** The value computed by {@code make} at the place that {@code f} allows, once. */
    Value once(Object what, Object form, Facts.Fact f, Supplier<Value> make) {
        Scope.Key key = new Scope.Key(what, form);
        Value known = scope.find(key);
        if (known != null) return known;
        Scope<Value, Block> at = place(f);
        Value v = inScope(at, () -> held(make.get()));
        at.put(key, v, f);
        return v;
    }

    /** The value in a form that may be named several times. */
    Value held(Value v) {
        return v.with(held(v.code()));
    }

    Code held(Code c) {
        if (c.isTrivial()) return c;
        LocalVar variable = method.local("t", c.type());
        block().add(variable.set(c));
        return variable;
    }

    Vec held(Vec v) {
        return new Vec(v.species(), held(v.code()));
    }

    /** The value of an expression, to be named once. */
    public Value value(Expr e) {
        switch (e) {
            case Expr.Const c -> {
                return Value.scalar(c.dtype(), ScalarOps.constant(c));
            }
            case Expr.Ref r -> {
                return binding(r.local());
            }
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
                    Expr.Checked _ -> {}
        }
        Facts.Fact f = facts.of(e);
        if (facts.usedOnce(e) && place(f) == scope) {
            Value known = scope.find(new Scope.Key(e, null));
            return known != null ? known : compute(e);
        }
        return once(e, null, f, () -> compute(e));
    }

    /** The value of an expression that is the same in all lanes. */
    public Code scalar(Expr e) {
        Value v = value(e);
        if (v.isVector())
            throw new IllegalStateException("a value that differs between lanes where a uniform one is needed: " + e);
        return v.code();
    }

    /** The value as a vector, broadcast if it is uniform; not for bool. */
    public Vec vec(Expr e) {
        Species s = vector.species(e.dtype());
        if (varies(e)) return new Vec(s, value(e).code());
        if (e instanceof Expr.Const) return Vec.broadcast(s, value(e).code());
        return new Vec(
                s,
                once(e, "broadcast", facts.of(e), () -> Value.of(Vec.broadcast(s, value(e).code())))
                        .code());
    }

    /** A bool as a mask of vectors of species {@code s}. */
    public Code mask(Expr e, Species s) {
        if (!varies(e))
            return once(e, s, facts.of(e), () -> Value.mask(s, Masks.broadcast(s, value(e).code())))
                    .code();
        Value v = value(e);
        if (v.species().element() == s.element()) return v.code();
        Code cast = Masks.cast(v.code(), s);
        return v.code().isTrivial()
                ? once(e, s, facts.of(e), () -> Value.mask(s, cast)).code()
                : cast;
    }

    private final Object tailKey = new Object();
    private final Object lastKey = new Object();

    /** Mask of the lanes of a tail that run, for vectors of species {@code s}; null in a full step. */
    Code active(Species s) {
        if (vector == null || !vector.isTail()) return null;
        if (vector.kind() != VectorLoop.Tail.LAST_ALIKE) return tailMask(tailKey, s, vector.count());
        return once(lastKey, s, vector.tail(), () -> {
                    Species lane = s.integral();
                    Code before = Code.sub(Code.constant(vector.lanes()), vector.count());
                    Vec first = Vec.broadcast(lane, Code.cast(lane.laneType(), before));
                    return Value.mask(s, Masks.cast(Vec.iota(lane).compare("GE", first), s));
                })
                .code();
    }

    /** Mask of the lanes that have elements to read; null if all have. */
    Code readable(Species s) {
        return vector == null || vector.readsAll() ? null : active(s);
    }

    /**
     * Mask of the first {@code count} lanes in a tail, computed once.
     *
     * @param what tells it from other masks of the tail
     */
    Code tailMask(Object what, Species s, Code count) {
        return once(what, s, vector.tail(), () -> Value.mask(s, s.indexInRange(Code.constant(0), count)))
                .code();
    }

    private Value compute(Expr e) {
        boolean varies = varies(e);
        if (varies) return new VectorOps(this).compute(e);
        return switch (e) {
            case Expr.Const _, Expr.Ref _ -> throw new AssertionError(e);
            case Expr.Arg a -> Value.scalar(a.dtype(), Memory.slot(frame.params(), a.slot(), a.dtype()));
            case Expr.IndexValue v -> {
                Code i = indices.value(v.index());
                yield Value.scalar(v.dtype(), v.dtype() == DType.I64 ? i : Code.cast(Type.INT_TYPE, i));
            }
            case Expr.Load l -> Value.scalar(l.dtype(), memory.loadScalar(l));
            case Expr.Un u -> Value.scalar(e.dtype(), ScalarOps.unary(u.op(), u.a().dtype(), scalar(u.a())));
            case Expr.Bin b -> {
                Code x = scalar(b.a());
                Code y = scalar(b.b());
                yield Value.scalar(e.dtype(), ScalarOps.binary(b.op(), b.a().dtype(), x, y));
            }
            case Expr.Select s -> {
                // Both sides first: their code may need statements of its own, which must not depend on the
                // branch.
                Code c = scalar(s.cond());
                Code a = held(scalar(s.a()));
                Code b = held(scalar(s.b()));
                yield Value.scalar(e.dtype(), Code.choose(c, a, b));
            }
            case Expr.Fma f ->
                Value.scalar(e.dtype(), ScalarOps.fma(f.dtype(), scalar(f.a()), scalar(f.b()), scalar(f.c())));
            case Expr.Convert c -> Value.scalar(e.dtype(), ScalarOps.convert(c.a().dtype(), c.dtype(), scalar(c.a())));
            case Expr.Narrow n -> Value.scalar(e.dtype(), ScalarOps.narrow(n.to(), scalar(n.a())));
            case Expr.Bits b -> Value.scalar(e.dtype(), ScalarOps.bits(b.a().dtype(), b.dtype(), scalar(b.a())));
            case Expr.Checked c -> {
                Code v = held(scalar(c.value()));
                Code bound = indices.coef(c.bound());
                Code site = indices.coef(c.site());
                Code wrap = Code.constant(c.wrap());
                Code errors = Memory.slot(frame.params(), 0);
                yield Value.scalar(
                        DType.I64, Code.call(Memory.SUPPORT, "check", Type.LONG_TYPE, v, bound, wrap, site, errors));
            }
        };
    }

    /** The index as a long, the same in all lanes. */
    public Code index(Index i) {
        return indices.value(i);
    }

    private LocalVar chunkStart;
    private Map<io.sinter.ir.loop.Buf, Long> chunkArrays = Map.of();

    /**
     * Arrays in scratch memory (by byte offset) that hold values of the chunk that begins at {@code from}.
     */
    void chunkArrays(LocalVar from, Map<io.sinter.ir.loop.Buf, Long> offsets) {
        chunkStart = from;
        chunkArrays = offsets;
    }

    /** Address at which such an array would begin if it held the whole loop's values. */
    Code chunkArray(io.sinter.ir.loop.Buf b) {
        return once(b, "array", Facts.Fact.NONE, () -> {
                    Code before =
                            Code.mul(chunkStart, Code.constant((long) b.dtype().bytes()));
                    Code start = Code.add(frame.scratch(), Code.constant(chunkArrays.get(b)));
                    return Value.scalar(DType.I64, Code.sub(start, before));
                })
                .code();
    }

    /** Address of lane area slot {@code slot} (each 128 bytes). */
    Code laneArea(int slot) {
        return Code.add(frame.scratch(), Code.constant(frame.laneArea() + slot * 128L));
    }
}
