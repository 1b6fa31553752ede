// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/** What a subclass of {@link GemmCode} has besides if its kernel is a convolution: see {@link StencilPlan}. */
final class StencilEmitter {
    private static final Type LONG = Type.LONG_TYPE;

    private final GemmKernel kernel;
    private final Stencil stencil;
    private final ClassBuilder cls;
    private final Options options;

    StencilEmitter(GemmKernel kernel, ClassBuilder cls, Options options) {
        this.kernel = kernel;
        this.stencil = kernel.stencil();
        this.cls = cls;
        this.options = options;
    }

    /** The stencil's numbers, behind the others. */
    void numbers(GemmNumbers n) {
        cls.method("stencilAt", Type.INT_TYPE).body().add(Code.ret(Code.constant(n.count())));
        n.add(Code.constant(stencil.pixelsInK() ? 1L : 0L));
        n.add(Code.constant((long) stencil.dims().size()));
        for (Stencil.Dim d : stencil.dims()) {
            n.number(d.position().extent());
            n.number(d.step());
            n.number(d.dilation());
            n.add(Code.constant(d.backward() ? 1L : 0L));
            n.number(d.overlap());
        }
        n.strides(stencil.left(), kernel.m());
        n.strides(stencil.left(), kernel.k());
    }

    void emit() {
        stage();
        place();
    }

    /** {@link GemmCode#stage}. */
    private void stage() {
        int spatial = stencil.dims().size();
        List<Var> rows = new ArrayList<>(planes(kernel.k(), spatial));
        rows.addAll(planes(kernel.n(), spatial));
        for (Stencil.Dim d : stencil.dims().subList(0, spatial - 1)) rows.add(d.position());
        List<Var> row = List.of(stencil.dims().getLast().position());
        MethodBuilder m = cls.method("stage", Type.VOID_TYPE);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        MethodBuilder along = cls.staticMethod("stageRows", Type.VOID_TYPE);
        GemmMethod.overFirst(along, kernel.batch(), kernel.acc(), options, row, rows)
                .pack(stencil.staged());
        m.body().add(along.call(p.all()));
    }

    private static List<Var> planes(List<Var> vars, int spatial) {
        return vars.subList(0, vars.size() - spatial);
    }

    /** {@link GemmCode#place}. */
    private void place() {
        MethodBuilder m = cls.method("place", Type.VOID_TYPE);
        LocalVar params = m.parameter("params", LONG);
        LocalVar batch = m.parameter("batch", LONG);
        LocalVar to = m.parameter("to", Type.getType(long[].class));
        Canon canon = new Canon();
        Facts facts = new Facts();
        List<Expr> values = new ArrayList<>();
        if (stencil.left() != null) {
            List<Var> inner = new ArrayList<>(kernel.m());
            inner.addAll(kernel.k());
            Index index = stencil.left().index();
            List<Index.Term> outer = index.terms().stream()
                    .filter(t -> !(t.atom() instanceof Index.VarAtom v && inner.contains(v.var())))
                    .toList();
            Index first = new Index(outer, index.offset());
            values.add(new Expr.IndexValue(DType.I64, first));
        }
        for (Stencil.Dim d : stencil.dims()) values.add(new Expr.IndexValue(DType.I64, d.taps()));
        values.replaceAll(canon::expr);
        values.forEach(facts::add);
        BodyCompiler c = new BodyCompiler(m, new BodyCompiler.Frame(params, params, 0), facts, options);
        for (int v = kernel.batch().size() - 1; v >= 0; v--) {
            Var var = kernel.batch().get(v);
            LocalVar value = m.local(var.name(), LONG);
            Code extent = c.indices.coef(var.extent());
            c.block().add(value.set(v == 0 ? batch : Code.rem(batch, extent)));
            if (v > 0) c.block().add(batch.set(Code.div(batch, extent)));
            c.bind(var, value);
        }
        int at = stencil.left() == null ? 1 : 0;
        for (Expr e : values) {
            Code value = c.scalar(e);
            if (at == 0) {
                Code size = Code.constant((long) stencil.left().buffer().dtype().bytes());
                value = Code.add(Memory.slot(params, stencil.left().buffer().slot()), Code.mul(value, size));
            }
            c.block().add(GemmNumbers.store(to, at++, value));
        }
    }
}
