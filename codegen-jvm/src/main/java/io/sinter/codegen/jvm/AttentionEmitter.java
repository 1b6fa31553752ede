// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.AttentionKernel.Pass;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Type;

/**
 * Generates the subclass of {@link AttentionCode} for an {@link AttentionKernel}: its numbers, and the
 * code of its operands and results.
 */
final class AttentionEmitter {
    static final String SUPERCLASS = "io/sinter/codegen/jvm/AttentionCode";

    private static final Type LONG = Type.LONG_TYPE;
    private static final Type INT = Type.INT_TYPE;
    private static final Type VOID = Type.VOID_TYPE;

    private final AttentionKernel kernel;
    private final ClassBuilder cls;
    private final Options options;
    private final ListingLines lines;

    /**
     * @param owner class under construction, a subclass of {@link #SUPERCLASS}
     */
    AttentionEmitter(AttentionKernel kernel, ClassBuilder owner, Options options) {
        this.kernel = kernel;
        this.cls = owner;
        this.options = options;
        this.lines = new ListingLines(kernel);
    }

    void emit() {
        Type dtype = Type.getType(DType.class);
        cls.method("name", Type.getType(String.class)).body().add(Code.ret(Code.constant(kernel.name())));
        cls.method("type", dtype)
                .body()
                .add(Code.ret(Code.getStatic(dtype, kernel.acc().name(), dtype)));
        constant("vectorBits", INT, Code.constant(options.vectorBits()));
        constant("isBackward", Type.BOOLEAN_TYPE, Code.constant(kernel.pass() == Pass.BACKWARD));
        constant("isCausal", Type.BOOLEAN_TYPE, Code.constant(kernel.causal()));
        constant("hasBias", Type.BOOLEAN_TYPE, Code.constant(kernel.bias() != null));
        numbers();
        read();
        write();
    }

    private void constant(String name, Type type, Code value) {
        cls.method(name, type).body().add(Code.ret(value));
    }

    private void numbers() {
        MethodBuilder m = cls.method("numbers", VOID);
        LocalVar params = m.parameter("params", LONG);
        LocalVar to = m.parameter("to", Type.getType(long[].class));
        GemmNumbers n = new GemmNumbers(params, kernel.batch());
        n.add(Code.constant((long) kernel.batch().size()));
        n.extents(kernel.batch());
        n.extents(List.of(kernel.i(), kernel.j(), kernel.d(), kernel.e()));
        n.view(kernel.q(), kernel.acc(), List.of(kernel.i()), List.of(kernel.d()));
        n.view(kernel.k(), kernel.acc(), List.of(kernel.j()), List.of(kernel.d()));
        n.view(kernel.v(), kernel.acc(), List.of(kernel.j()), List.of(kernel.e()));
        n.view(
                kernel.saved().isEmpty() ? null : kernel.saved().get(1),
                kernel.acc(),
                List.of(kernel.i()),
                List.of(kernel.e()));
        n.store(m.body(), to);
        constant("numberCount", INT, Code.constant(n.count()));
    }

    /**
     * A matrix that is read or written by elements: its code, the variables of its rows and columns, and its line in the kernel's listing.
     */
    private record Access(int number, Expr value, List<Var> rows, Var columns, int line) {}

    private void read() {
        List<Var> i = List.of(kernel.i());
        List<Var> j = List.of(kernel.j());
        List<Access> all = new ArrayList<>();
        all.add(new Access(AttentionCode.K, kernel.k(), j, kernel.d(), lines.of("k = ")));
        all.add(new Access(AttentionCode.V, kernel.v(), j, kernel.e(), lines.of("v = ")));
        if (kernel.bias() != null)
            all.add(new Access(AttentionCode.BIAS, convert(kernel.bias()), i, kernel.j(), lines.of("bias = ")));
        if (kernel.pass() == Pass.FORWARD) {
            all.add(new Access(AttentionCode.SCALED, scaled(kernel.q()), i, kernel.d(), lines.of("q = ")));
        } else {
            all.add(new Access(AttentionCode.Q, kernel.q(), i, kernel.d(), lines.of("q = ")));
            all.add(new Access(AttentionCode.OUT, kernel.saved().get(0), i, kernel.e(), lines.of("saved = ", 0)));
            all.add(new Access(AttentionCode.DOUT, kernel.saved().get(1), i, kernel.e(), lines.of("saved = ", 1)));
            Expr lse = finite(kernel.saved().get(2));
            all.add(new Access(AttentionCode.LSE, lse, List.of(), kernel.i(), lines.of("saved = ", 2)));
            all.add(new Access(AttentionCode.SCALED_K, scaled(kernel.k()), j, kernel.d(), lines.of("k = ")));
        }
        dispatch("read", all, (m, a) -> method(m, a).pack(a.value, a.line));
    }

    private void write() {
        List<Var> i = List.of(kernel.i());
        List<Var> j = List.of(kernel.j());
        Local result = new Local("result", kernel.acc());
        Expr value = new Expr.Ref(result);
        List<Access> all = kernel.pass() == Pass.FORWARD
                ? List.of(
                        new Access(0, value, i, kernel.e(), lines.of("to ", 0)),
                        new Access(1, value, List.of(), kernel.i(), lines.of("to ", 1)))
                : List.of(
                        new Access(0, scaled(value), i, kernel.d(), lines.of("to ", 0)),
                        new Access(1, scaled(value), j, kernel.d(), lines.of("to ", 1)),
                        new Access(2, value, j, kernel.e(), lines.of("to ", 2)));
        dispatch("write", all, (m, a) -> {
            AttentionKernel.Target t = kernel.outputs().get(a.number);
            method(m, a)
                    .each(
                            result,
                            List.of(new Stmt.Store(t.buffer(), t.index(), a.value)),
                            stored -> Map.of(stored.getFirst(), a.line));
        });
    }

    private Expr scaled(Expr e) {
        return Expr.bin(Prim2.MUL, convert(e), convert(kernel.scale()));
    }

    private Expr convert(Expr e) {
        return e.dtype() == kernel.acc() ? e : new Expr.Convert(kernel.acc(), e);
    }

    /** lse with 0 for rows that see nothing: their weights become {@code exp(-∞ - 0) = 0}. */
    private Expr finite(Expr lse) {
        Expr none = Expr.Const.of(kernel.acc(), Double.NEGATIVE_INFINITY);
        return new Expr.Select(Expr.bin(Prim2.EQ, convert(lse), none), Expr.Const.of(kernel.acc(), 0), convert(lse));
    }

    private GemmMethod method(MethodBuilder m, Access a) {
        return GemmMethod.overSecond(m, kernel.batch(), kernel.acc(), options, List.of(a.columns), a.rows);
    }

    private interface Body {
        void emit(MethodBuilder m, Access a);
    }

    /** One method for each access, and one that finds it by number. */
    private void dispatch(String name, List<Access> all, Body body) {
        MethodBuilder m = cls.method(name, VOID);
        LocalVar which = m.parameter("which", INT);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        for (Access a : all) {
            MethodBuilder one = cls.staticMethod(name + a.number, VOID);
            body.emit(one, a);
            m.body().ifThen(new Compare(Compare.Op.EQ, which, Code.constant(a.number)), one.call(p.all()));
        }
    }
}
