// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.objectweb.asm.Type;

/**
 * Generates the subclass of {@link GemmCode} for a {@link GemmKernel}: its numbers, its operands' code,
 * its epilogue.
 */
final class GemmEmitter {
    static final String SUPERCLASS = "io/sinter/codegen/jvm/GemmCode";

    private static final Type LONG = Type.LONG_TYPE;
    private static final Type INT = Type.INT_TYPE;
    private static final Type VOID = Type.VOID_TYPE;

    private final GemmKernel kernel;
    private final Options options;
    private final ClassBuilder cls;
    private final ListingLines lines;

    /**
     * @param owner class under construction, a subclass of {@link #SUPERCLASS}
     */
    GemmEmitter(GemmKernel kernel, ClassBuilder owner, Options options) {
        this.kernel = kernel;
        this.options = options;
        this.cls = owner;
        this.lines = new ListingLines(kernel);
    }

    void emit() {
        Type dtype = Type.getType(DType.class);
        Type string = Type.getType(String.class);
        cls.method("name", string).body().add(Code.ret(Code.constant(kernel.name())));
        cls.method("type", dtype)
                .body()
                .add(Code.ret(Code.getStatic(dtype, kernel.acc().name(), dtype)));
        cls.method("vectorBits", INT).body().add(Code.ret(Code.constant(options.vectorBits())));
        numbers();
        if (kernel.stencil() == null || kernel.stencil().left() == null)
            pack("packA", kernel.a(), kernel.m(), lines.of("a = "));
        // A convolution's right operand is staged.
        if (kernel.stencil() == null) pack("packB", kernel.b(), kernel.n(), lines.of("b = "));
        else new StencilEmitter(kernel, cls, options).emit(lines);
        epilogue();
    }

    private void numbers() {
        MethodBuilder m = cls.method("numbers", VOID);
        LocalVar params = m.parameter("params", LONG);
        LocalVar to = m.parameter("to", Type.getType(long[].class));
        GemmNumbers n = new GemmNumbers(params, kernel.batch());
        List<List<Var>> groups = List.of(kernel.batch(), kernel.m(), kernel.n(), kernel.k());
        for (List<Var> g : groups) n.add(Code.constant((long) g.size()));
        for (List<Var> g : groups) n.extents(g);
        n.view(kernel.a(), kernel.acc(), kernel.m(), kernel.k());
        n.view(kernel.b(), kernel.acc(), kernel.n(), kernel.k());
        n.view(directStore(), kernel.acc(), kernel.m(), kernel.n());
        if (kernel.stencil() != null) new StencilEmitter(kernel, cls, options).numbers(n);
        n.store(m.body(), to);
        cls.method("numberCount", INT).body().add(Code.ret(Code.constant(n.count())));
    }

    /**
     * The place of the result as if it were loaded, if storing it is all that the epilogue does (under
     * whatever names); else null.
     */
    private Expr directStore() {
        Set<Local> same = new HashSet<>(Set.of(kernel.result()));
        Stmt.Store store = null;
        for (Stmt s : kernel.epilogue()) {
            if (s instanceof Stmt.Let l && isAnyOf(same, l.value())) {
                same.add(l.local());
            } else if (s instanceof Stmt.Store st && store == null && st.mask() == null && isAnyOf(same, st.value())) {
                store = st;
            } else {
                return null;
            }
        }
        return store == null ? null : new Expr.Load(store.buffer(), store.index());
    }

    private static boolean isAnyOf(Set<Local> locals, Expr e) {
        return e instanceof Expr.Ref r && locals.contains(r.local());
    }

    /** Code that reads an operand; none for a plain one, which is moved as it lies. */
    private void pack(String name, Expr value, List<Var> rows, int line) {
        if (GemmNumbers.isPlain(value, kernel.acc(), kernel.batch(), rows, kernel.k())) return;
        boolean byK = GemmUnit.isUnit(value, kernel.k());
        boolean byRow = !byK || GemmUnit.isUnit(value, rows);
        MethodBuilder m = cls.method(name, VOID);
        LocalVar alongK = m.parameter("alongK", Type.BOOLEAN_TYPE);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        if (byK) {
            MethodBuilder along = cls.staticMethod(name + "AlongK", VOID);
            GemmMethod.overSecond(along, kernel.batch(), kernel.acc(), options, kernel.k(), rows)
                    .pack(value, line);
            m.body().ifThen(alongK, along.call(p.all()));
        }
        if (byRow) {
            MethodBuilder along = cls.staticMethod(name + "AlongRow", VOID);
            GemmMethod.overFirst(along, kernel.batch(), kernel.acc(), options, rows, kernel.k())
                    .pack(value, line);
            m.body().ifThen(Code.not(alongK), along.call(p.all()));
        }
    }

    private void epilogue() {
        MethodBuilder m = cls.method("epilogue", VOID);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        MethodBuilder rows = cls.staticMethod("epilogueRows", VOID);
        GemmMethod.overSecond(rows, kernel.batch(), kernel.acc(), options, kernel.n(), kernel.m())
                .each(kernel.result(), kernel.epilogue(), lines::last);
        m.body().add(rows.call(p.all()));
    }
}
