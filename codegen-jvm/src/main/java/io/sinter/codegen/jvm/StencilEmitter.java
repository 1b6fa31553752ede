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
import java.util.Objects;
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
            n.number(d.extent());
        }
        n.strides(stencil.left(), kernel.m());
        n.strides(stencil.left(), kernel.k());
        n.add(Code.constant(isLeftShared() ? 1L : 0L));
        n.add(Code.constant(stencil.plain() ? 1L : 0L));
        Expr.Load plain = stencil.plain() ? (Expr.Load) stencil.staged() : null;
        n.strides(plain, planes());
        n.strides(plain, stencil.dims().stream().map(Stencil.Dim::position).toList());
    }

    /** Variables that number the planes of the input. */
    private List<Var> planes() {
        int spatial = stencil.dims().size();
        List<Var> planes = new ArrayList<>(planes(kernel.k(), spatial));
        planes.addAll(planes(kernel.n(), spatial));
        return planes;
    }

    /** Whether the left operand is memory, the same for the whole batch, and every tap is there. */
    private boolean isLeftShared() {
        if (stencil.left() == null) return false;
        for (Index.Term t : stencil.left().index().terms()) {
            boolean inner = t.atom() instanceof Index.VarAtom v
                    && (kernel.m().contains(v.var()) || kernel.k().contains(v.var()));
            if (!inner) return false;
        }
        return stencil.dims().stream().allMatch(d -> d.taps().terms().isEmpty());
    }

    /** @param lines of the kernel's listing */
    void emit(ListingLines lines) {
        if (stencil.left() != null) {
            Code slot = Code.constant(stencil.left().buffer().slot());
            cls.method("leftSlot", Type.INT_TYPE).body().add(Code.ret(slot));
        }
        stage(lines.of("staged"));
        place();
    }

    /** {@link GemmCode#stage}. */
    private void stage(int line) {
        int spatial = stencil.dims().size();
        List<Var> rows = planes();
        for (Stencil.Dim d : stencil.dims().subList(0, spatial - 1)) rows.add(d.position());
        List<Var> row = List.of(stencil.dims().getLast().position());
        MethodBuilder m = cls.method("stage", Type.VOID_TYPE);
        GemmMethod.Parameters p = GemmMethod.parameters(m);
        MethodBuilder along = cls.staticMethod("stageRows", Type.VOID_TYPE);
        GemmMethod.overFirst(along, kernel.batch(), kernel.acc(), options, row, rows)
                .pack(stencil.staged(), line);
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
        List<Var> inner = new ArrayList<>(kernel.m());
        inner.addAll(kernel.k());
        values.add(stencil.left() == null ? null : first(stencil.left(), inner));
        inner = planes();
        for (Stencil.Dim d : stencil.dims()) inner.add(d.position());
        values.add(stencil.plain() ? first((Expr.Load) stencil.staged(), inner) : null);
        for (Stencil.Dim d : stencil.dims()) {
            values.add(new Expr.IndexValue(DType.I64, d.taps()));
            values.add(new Expr.IndexValue(DType.I64, d.low()));
        }
        values.replaceAll(e -> e == null ? null : canon.expr(e));
        values.stream().filter(Objects::nonNull).forEach(facts::add);
        BodyCompiler c = new BodyCompiler(m, new BodyCompiler.Frame(params, params, 0), facts, options);
        for (int v = kernel.batch().size() - 1; v >= 0; v--) {
            Var var = kernel.batch().get(v);
            LocalVar value = m.local(var.name(), LONG);
            Code extent = c.indices.coef(var.extent());
            c.block().add(value.set(v == 0 ? batch : Code.rem(batch, extent)));
            if (v > 0) c.block().add(batch.set(Code.div(batch, extent)));
            c.bind(var, value);
        }
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) == null) continue;
            Code value = c.scalar(values.get(i));
            if (i < 2) value = address(i == 0 ? stencil.left() : (Expr.Load) stencil.staged(), value, params);
            c.block().add(GemmNumbers.store(to, i, value));
        }
    }

    /** Index of what a load reads where all of {@code inner} are 0. */
    private static Expr first(Expr.Load load, List<Var> inner) {
        List<Index.Term> outer = load.index().terms().stream()
                .filter(t -> !(t.atom() instanceof Index.VarAtom v && inner.contains(v.var())))
                .toList();
        return new Expr.IndexValue(DType.I64, new Index(outer, load.index().offset()));
    }

    private static Code address(Expr.Load load, Code index, LocalVar params) {
        Code size = Code.constant((long) load.buffer().dtype().bytes());
        return Code.add(Memory.slot(params, load.buffer().slot()), Code.mul(index, size));
    }
}
