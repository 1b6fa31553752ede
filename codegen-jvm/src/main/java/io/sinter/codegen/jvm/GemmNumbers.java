// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/**
 * Code that gives a template's numbers for one launch: extents, and what {@link GemmView} needs. Public
 * for generated code.
 */
public final class GemmNumbers {
    private static final Type OWNER = Code.object("io/sinter/codegen/jvm/GemmNumbers");

    private final LocalVar params;
    private final List<Var> batch;
    private final List<Code> values = new ArrayList<>();

    GemmNumbers(LocalVar params, List<Var> batch) {
        this.params = params;
        this.batch = batch;
    }

    /** {@code to[i] = value}, for generated code. */
    public static void put(long[] to, int i, long value) {
        to[i] = value;
    }

    void add(Code value) {
        values.add(value);
    }

    void extents(List<Var> vars) {
        for (Var v : vars) number(v.extent());
    }

    int count() {
        return values.size();
    }

    /** Stores the numbers into an array. */
    void store(Block block, LocalVar to) {
        for (int i = 0; i < values.size(); i++) block.add(store(to, i, values.get(i)));
    }

    /** {@code to[i] = value}. */
    static Code store(LocalVar to, int i, Code value) {
        return Code.call(OWNER, "put", Type.VOID_TYPE, to, Code.constant(i), value);
    }

    void number(Coef c) {
        values.add(value(c));
    }

    /** Strides in bytes of a load along these variables; zeros if there is no load. */
    void strides(Expr.Load load, List<Var> vars) {
        for (Var v : vars) {
            if (load == null) {
                values.add(Code.constant(0L));
            } else {
                Code size = Code.constant((long) load.buffer().dtype().bytes());
                values.add(Code.mul(value(stride(load.index(), v)), size));
            }
        }
    }

    /**
     * The numbers of a {@link GemmView}.
     *
     * @param e an element, or null if there is no such matrix
     * @param type type that a matrix must have in memory to be used where it lies
     */
    void view(Expr e, DType type, List<Var> rows, List<Var> columns) {
        List<Var> vars = all(batch, rows, columns);
        long flags = (GemmUnit.isUnit(e, rows) ? GemmView.UNIT_ROW : 0)
                | (GemmUnit.isUnit(e, columns) ? GemmView.UNIT_COLUMN : 0);
        if (!(e instanceof Expr.Load load) || !isPlain(e, type, batch, rows, columns)) {
            values.add(Code.constant(flags));
            for (int i = 0; i <= vars.size(); i++) values.add(Code.constant(0L));
            return;
        }
        Code size = Code.constant((long) load.buffer().dtype().bytes());
        values.add(Code.constant(flags | GemmView.PLAIN));
        Code address = Memory.slot(params, load.buffer().slot());
        values.add(Code.add(address, Code.mul(value(load.index().offset()), size)));
        strides(load, vars);
    }

    /** Whether {@link #view} says {@link GemmView#PLAIN}. */
    static boolean isPlain(Expr e, DType type, List<Var> batch, List<Var> rows, List<Var> columns) {
        return e instanceof Expr.Load load && GemmUnit.isPlain(load, type, all(batch, rows, columns));
    }

    private static List<Var> all(List<Var> batch, List<Var> rows, List<Var> columns) {
        List<Var> vars = new ArrayList<>(batch);
        vars.addAll(rows);
        vars.addAll(columns);
        return vars;
    }

    private Code value(Coef c) {
        return switch (c) {
            case Coef.Lit l -> Code.constant(l.value());
            case Coef.Slot s -> Memory.slot(params, s.slot());
        };
    }

    private static Coef stride(Index index, Var v) {
        for (Index.Term t : index.terms()) {
            if (t.atom() instanceof Index.VarAtom a && a.var() == v) return t.coef();
        }
        return Coef.of(0);
    }
}
