// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/** Generates the subclass of {@link GemmCode} for a {@link GemmKernel}: its numbers, its operands' code, its epilogue. */
final class GemmEmitter {
    static final String SUPERCLASS = "io/sinter/codegen/jvm/GemmCode";

    private static final Type LONG = Type.LONG_TYPE;
    private static final Type INT = Type.INT_TYPE;
    private static final Type VOID = Type.VOID_TYPE;
    private static final Type OWNER = Code.object(SUPERCLASS);

    private final GemmKernel kernel;
    private final Options options;
    private final ClassBuilder cls;

    /**
     * @param owner class under construction, a subclass of {@link #SUPERCLASS}
     */
    GemmEmitter(GemmKernel kernel, ClassBuilder owner, Options options) {
        this.kernel = kernel;
        this.options = options;
        this.cls = owner;
    }

    void emit() {
        Type dtype = Type.getType(DType.class);
        Type string = Type.getType(String.class);
        cls.method("name", string).body().add(Code.ret(Code.constant(kernel.name())));
        cls.method("type", dtype).body().add(Code.ret(Code.getStatic(dtype, kernel.acc().name(), dtype)));
        cls.method("vectorBits", INT).body().add(Code.ret(Code.constant(options.vectorBits())));
        numbers();
        pack("packA", kernel.a(), kernel.m());
        pack("packB", kernel.b(), kernel.n());
        epilogue();
    }

    private void numbers() {
        MethodBuilder m = cls.method("numbers", VOID);
        LocalVar params = m.parameter("params", LONG);
        LocalVar to = m.parameter("to", Type.getType(long[].class));
        List<Code> values = new ArrayList<>();
        List<List<Var>> groups = List.of(kernel.batch(), kernel.m(), kernel.n(), kernel.k());
        for (List<Var> g : groups) values.add(Code.constant((long) g.size()));
        for (List<Var> g : groups) {
            for (Var v : g) values.add(number(params, v.extent()));
        }
        view(params, kernel.a(), kernel.m(), kernel.k(), values);
        view(params, kernel.b(), kernel.n(), kernel.k(), values);
        view(params, directStore(), kernel.m(), kernel.n(), values);
        for (int i = 0; i < values.size(); i++) {
            m.body().add(Code.call(OWNER, "put", VOID, to, Code.constant(i), values.get(i)));
        }
        cls.method("numberCount", INT).body().add(Code.ret(Code.constant(values.size())));
    }

    private static Code number(LocalVar params, Coef c) {
        return switch (c) {
            case Coef.Lit l -> Code.constant(l.value());
            case Coef.Slot s -> Memory.slot(params, s.slot());
        };
    }

    /** The place of the result as if it were loaded, if storing it is all that the epilogue does; else null. */
    private Expr directStore() {
        boolean stores = kernel.epilogue().size() == 1
                && kernel.epilogue().getFirst() instanceof Stmt.Store s
                && s.mask() == null
                && s.value() instanceof Expr.Ref r
                && r.local() == kernel.result();
        if (!stores) return null;
        Stmt.Store s = (Stmt.Store) kernel.epilogue().getFirst();
        return new Expr.Load(s.buffer(), s.index());
    }

    /** Appends the numbers that make a {@link GemmView}. */
    private void view(LocalVar params, Expr e, List<Var> rows, List<Var> columns, List<Code> to) {
        List<Var> vars = new ArrayList<>(kernel.batch());
        vars.addAll(rows);
        vars.addAll(columns);
        long flags = (GemmUnit.isUnit(e, rows) ? GemmView.UNIT_ROW : 0) | (GemmUnit.isUnit(e, columns) ? GemmView.UNIT_COLUMN : 0);
        if (!(e instanceof Expr.Load load) || !GemmUnit.isPlain(load, kernel.acc(), vars)) {
            to.add(Code.constant(flags));
            for (int i = 0; i <= vars.size(); i++) to.add(Code.constant(0L));
            return;
        }
        Code size = Code.constant((long) load.buffer().dtype().bytes());
        to.add(Code.constant(flags | GemmView.PLAIN));
        Code address = Memory.slot(params, load.buffer().slot());
        to.add(Code.add(address, Code.mul(number(params, load.index().offset()), size)));
        for (Var v : vars) to.add(Code.mul(number(params, stride(load.index(), v)), size));
    }

    private static Coef stride(Index index, Var v) {
        for (Index.Term t : index.terms()) {
            if (t.atom() instanceof Index.VarAtom a && a.var() == v) return t.coef();
        }
        return Coef.of(0);
    }

    private void pack(String name, Expr value, List<Var> rows) {
        boolean byK = GemmUnit.isUnit(value, kernel.k());
        boolean byRow = !byK || GemmUnit.isUnit(value, rows);
        MethodBuilder m = cls.method(name, VOID);
        LocalVar alongK = m.parameter("alongK", Type.BOOLEAN_TYPE);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        if (byK) {
            MethodBuilder along = cls.staticMethod(name + "AlongK", VOID);
            GemmMethod.overSecond(along, kernel, options, kernel.k(), rows).pack(value);
            m.body().ifThen(alongK, along.call(p.all()));
        }
        if (byRow) {
            MethodBuilder along = cls.staticMethod(name + "AlongRow", VOID);
            GemmMethod.overFirst(along, kernel, options, rows, kernel.k()).pack(value);
            m.body().ifThen(Code.not(alongK), along.call(p.all()));
        }
    }

    private void epilogue() {
        MethodBuilder m = cls.method("epilogue", VOID);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        MethodBuilder rows = cls.staticMethod("epilogueRows", VOID);
        GemmMethod.overSecond(rows, kernel, options, kernel.n(), kernel.m()).epilogue();
        m.body().add(rows.call(p.all()));
    }
}
