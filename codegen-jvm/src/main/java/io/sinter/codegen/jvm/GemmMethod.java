// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.cast;
import static io.sinter.codegen.jvm.bytecode.Code.constant;
import static io.sinter.codegen.jvm.bytecode.Code.mul;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.objectweb.asm.Type;

/**
 * One generated method that walks a part of a matrix: runs of vectors along the innermost variable of one
 * group, and steps from run to run along the other group's variables, which advance like an odometer: no
 * division but at the start.
 */
final class GemmMethod {
    private static final Type LONG = Type.LONG_TYPE;
    private static final Type INT = Type.INT_TYPE;

    /**
     * The parameters: address of the parameter block; flat batch number; the first run's flat numbers in
     * both groups; elements of a run and number of runs; address of the first run in dense memory and
     * distance of the runs in bytes; address of memory for lanes.
     */
    record Parameters(
            LocalVar params,
            LocalVar batch,
            LocalVar first,
            LocalVar second,
            LocalVar run,
            LocalVar steps,
            LocalVar memory,
            LocalVar step,
            LocalVar scratch) {
        List<Code> all() {
            return List.of(params, batch, first, second, run, steps, memory, step, scratch);
        }
    }

    static Parameters parameters(MethodBuilder m) {
        return new Parameters(
                m.parameter("params", LONG),
                m.parameter("batch", LONG),
                m.parameter("first", LONG),
                m.parameter("second", LONG),
                m.parameter("run", INT),
                m.parameter("steps", INT),
                m.parameter("memory", LONG),
                m.parameter("step", LONG),
                m.parameter("scratch", LONG));
    }

    private final MethodBuilder method;
    private final List<Var> batch;
    private final DType type;
    private final Options options;
    private final Parameters p;
    private final LocalVar along;
    private final List<Var> inner;
    private final LocalVar across;
    private final List<Var> outer;
    private final Canon canon = new Canon();
    private final Facts facts = new Facts();
    private BodyCompiler c;
    private LocalVar from;

    private GemmMethod(
            MethodBuilder m,
            List<Var> batch,
            DType type,
            Options options,
            boolean second,
            List<Var> inner,
            List<Var> outer) {
        this.method = m;
        this.batch = batch;
        this.type = type;
        this.options = options;
        this.p = parameters(m);
        this.along = second ? p.second() : p.first();
        this.inner = inner.isEmpty() ? List.of(new Var("one", Coef.of(1))) : inner;
        this.across = second ? p.first() : p.second();
        this.outer = outer;
    }

    /**
     * Runs go along the group whose flat number is {@link Parameters#first}.
     *
     * @param type type of the dense memory
     */
    static GemmMethod overFirst(
            MethodBuilder m, List<Var> batch, DType type, Options options, List<Var> inner, List<Var> outer) {
        return new GemmMethod(m, batch, type, options, false, inner, outer);
    }

    /** Runs go along the group whose flat number is {@link Parameters#second}. */
    static GemmMethod overSecond(
            MethodBuilder m, List<Var> batch, DType type, Options options, List<Var> inner, List<Var> outer) {
        return new GemmMethod(m, batch, type, options, true, inner, outer);
    }

    /**
     * Writes the values of an operand to the dense memory.
     *
     * @param line of the operand in the kernel's listing
     */
    void pack(Expr operand, int line) {
        Expr value = canon.expr(operand);
        facts.add(value);
        walk(List.of(new Stmt.Let(new Local("element", type), value)), at -> {
            c.block().line(line);
            if (options.isVector()) {
                Vec v = c.vec(value);
                c.block().add(v.store(at, c.active(v.species())));
            } else {
                c.block().add(Memory.store(type, at, c.scalar(value)));
            }
        });
    }

    /**
     * Runs statements on elements of the dense memory, each of which is {@code result} to them.
     *
     * @param lines of the statements as they are compiled, in the kernel's listing
     */
    void each(Local result, List<Stmt> body, Function<List<Stmt>, Map<Stmt, Integer>> lines) {
        List<Stmt> statements = canon.statements(body);
        Map<Stmt, Integer> numbers = lines.apply(statements);
        facts.add(statements);
        List<Stmt> varying = new ArrayList<>(List.of(new Stmt.Let(result, anyVector())));
        varying.addAll(statements);
        walk(varying, at -> {
            if (options.isVector()) {
                Species s = c.vector().species(type);
                c.define(result, Value.of(Vec.load(s, at, c.active(s))));
            } else {
                c.define(result, Value.scalar(type, Memory.load(type, at)));
            }
            c.statements.lines(numbers);
            c.statements.run(statements);
        });
    }

    /**
     * Some value of the accumulation type that differs between lanes: what the result is to an analysis.
     */
    private Expr anyVector() {
        Index variable = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(inner.getLast()))), Coef.of(0));
        return new Expr.Convert(type, new Expr.IndexValue(DType.I32, variable));
    }

    /**
     * The loops; {@code body} compiles {@code statements} for one vector (or scalar) whose dense address
     * it is given.
     */
    private void walk(List<Stmt> statements, Consumer<Code> body) {
        c = new BodyCompiler(method, new BodyCompiler.Frame(p.params(), p.scratch(), 0), facts, options);
        decode(p.batch(), batch);
        LocalVar[] runs = decode(along, inner);
        from = runs[runs.length - 1];
        LocalVar[] odometer = split(across, outer);
        LocalVar i = method.local("step", INT);
        Block loop = c.nested(true, () -> {
            for (int v = 0; v < odometer.length; v++) c.bind(outer.get(v), odometer[v]);
            run(statements, body);
            c.block().add(p.memory().set(add(p.memory(), p.step())));
            advance(odometer);
        });
        method.body().forLoop(i, constant(0), p.steps(), 1, loop);
    }

    private LocalVar[] decode(LocalVar flat, List<Var> vars) {
        LocalVar[] values = split(flat, vars);
        for (int v = 0; v < values.length; v++) c.bind(vars.get(v), values[v]);
        return values;
    }

    /** Variables of a flat number, in this method's prologue. */
    private LocalVar[] split(LocalVar flat, List<Var> vars) {
        LocalVar[] values = new LocalVar[vars.size()];
        for (int v = vars.size() - 1; v >= 0; v--) {
            values[v] = method.local(vars.get(v).name(), LONG);
            if (v == 0) {
                c.block().add(values[v].set(flat));
            } else {
                Code extent = c.indices.coef(vars.get(v).extent());
                c.block().add(values[v].set(Code.rem(flat, extent)), flat.set(Code.div(flat, extent)));
            }
        }
        return values;
    }

    /** The next combination of the variables, innermost first. */
    private void advance(LocalVar[] values) {
        Block block = c.block();
        for (int v = values.length - 1; v >= 0; v--) {
            block.add(values[v].set(add(values[v], constant(1L))));
            if (v == 0) return;
            Block carry = new Block().add(values[v].set(constant(0L)));
            Code extent = c.indices.coef(outer.get(v).extent());
            block.ifThen(new Compare(Compare.Op.GE, values[v], extent), carry);
            block = carry;
        }
    }

    /** One run: whole vectors, then the rest under a mask. */
    private void run(List<Stmt> statements, Consumer<Code> body) {
        LocalVar counter = method.local("counter", INT);
        Code size = constant((long) type.bytes());
        Code at = add(p.memory(), mul(cast(LONG, counter), size));
        Var variable = inner.getLast();
        if (!options.isVector()) {
            LocalVar value = method.local(variable.name(), LONG);
            Block loop = c.nested(true, () -> {
                c.block().add(value.set(add(from, cast(LONG, counter))));
                c.bind(variable, value);
                body.accept(at);
            });
            c.block().forLoop(counter, constant(0), p.run(), 1, loop);
            return;
        }
        VectorAnalysis analysis = new VectorAnalysis(facts, new Stmt.Loop(variable, Stmt.Loop.Kind.VECTOR, statements));
        int lanes = Math.min(analysis.lanes(options), options.vectorBits() / 8 / type.bytes());
        c.statements.vectorLocals(analysis.varying());
        LocalVar whole = method.local("whole", INT);
        VectorLoop full = new VectorLoop(variable, lanes, from, counter, 0, null);
        VectorLoop tail = new VectorLoop(variable, lanes, from, counter, 0, Code.sub(p.run(), counter));
        Block loop = c.nestedVector(full, () -> body.accept(at));
        Block rest = c.nestedVector(tail, () -> body.accept(at));
        c.block()
                .add(whole.set(Code.and(p.run(), constant(-lanes))))
                .forLoop(counter, constant(0), whole, lanes, loop)
                .ifThen(Code.lt(counter, p.run()), rest);
    }
}
