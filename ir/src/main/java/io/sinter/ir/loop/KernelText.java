// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prints kernels: for people, and as the key under which generated code is shared. Variables, locals and shared sub-expressions are
 * numbered in order of appearance ({@code v0}, {@code l0}, {@code %0}), so two kernels of one structure print alike whatever their variables
 * are called. Everything that a generator sees is printed; a sub-expression used twice is printed once and referred to from then on, as its
 * identity decides how often code evaluates it.
 *
 * <pre>{@code
 * loop slots=7 scratch=0
 *   in1:f32 in2:f32 out3:f32
 *   grid v0<$4
 *   for v1<$5 vector
 *     let l0:f32 = max(add(in1[$6*v0+v1], in2[v1]), f32 0x0)
 *     out3[$6*v0+v1] = l0
 * }</pre>
 */
public final class KernelText {
    private final StringBuilder text = new StringBuilder();
    private final Map<Var, Integer> vars = new IdentityHashMap<>();
    private final Map<Local, Integer> locals = new IdentityHashMap<>();
    private final Map<Expr, Integer> shared = new IdentityHashMap<>();
    private final ExprUses uses = new ExprUses();
    private int depth = 1;

    private KernelText() {}

    /** The kernel's structure: equal texts, equal code. The name is left out. */
    public static String structure(Kernel kernel) {
        return new KernelText().render(kernel);
    }

    /** For reading: the name, then the structure. */
    public static String print(Kernel kernel) {
        return kernel.name() + ": " + structure(kernel);
    }

    private String render(Kernel kernel) {
        uses.count(kernel);
        switch (kernel) {
            case LoopKernel k -> {
                header("loop", k).append(" scratch=").append(k.scratchBytes()).append('\n');
                buffers(k);
                vars("grid", k.grid());
                body(k.body());
            }
            case GemmKernel k -> {
                header("gemm", k).append(" acc=").append(k.acc()).append('\n');
                buffers(k);
                vars("batch", k.batch());
                vars("m", k.m());
                vars("n", k.n());
                vars("k", k.k());
                line("a = ").append(expr(k.a())).append('\n');
                line("b = ").append(expr(k.b())).append('\n');
                if (k.stencil() != null) stencil(k.stencil());
                line("result ").append(declare(k.result())).append('\n');
                body(k.epilogue());
            }
            case AttentionKernel k -> attention(k);
        }
        return text.toString();
    }

    private void stencil(Stencil s) {
        line("stencil").append(s.pixelsInK() ? " pixels in k" : "").append('\n');
        for (Stencil.Dim d : s.dims()) {
            line("dim ").append(declare(d.position())).append(" step ").append(d.step());
            text.append(" dilation ").append(d.backward() ? "-" : "").append(d.dilation());
            text.append(" overlap ")
                    .append(d.overlap())
                    .append(" low ")
                    .append(index(d.low()))
                    .append(" of ")
                    .append(d.extent())
                    .append(" taps ")
                    .append(index(d.taps()))
                    .append('\n');
        }
        line(s.plain() ? "staged plain = " : "staged = ")
                .append(expr(s.staged()))
                .append('\n');
        if (s.left() != null) line("left = ").append(expr(s.left())).append('\n');
    }

    private void attention(AttentionKernel k) {
        header("attention", k).append(" acc=").append(k.acc()).append(" pass=").append(k.pass());
        text.append(" causal=").append(k.causal()).append('\n');
        buffers(k);
        vars("batch", k.batch());
        vars("i,j,d,e", List.of(k.i(), k.j(), k.d(), k.e()));
        line("q = ").append(expr(k.q())).append('\n');
        line("k = ").append(expr(k.k())).append('\n');
        line("v = ").append(expr(k.v())).append('\n');
        if (k.bias() != null) line("bias = ").append(expr(k.bias())).append('\n');
        line("scale = ").append(expr(k.scale())).append('\n');
        for (Expr saved : k.saved()) line("saved = ").append(expr(saved)).append('\n');
        for (AttentionKernel.Target t : k.outputs()) {
            line("to ").append(t.buffer()).append('[').append(index(t.index())).append("]\n");
        }
    }

    private StringBuilder header(String kind, Kernel kernel) {
        return text.append(kind).append(" slots=").append(kernel.slots());
    }

    private void buffers(Kernel kernel) {
        line("");
        String separator = "";
        for (Buf b : kernel.buffers()) {
            text.append(separator).append(b).append(':').append(b.dtype());
            separator = " ";
        }
        text.append('\n');
    }

    private void vars(String role, List<Var> list) {
        line(role);
        for (Var v : list) text.append(' ').append(declare(v));
        text.append('\n');
    }

    private void body(List<Stmt> body) {
        for (Stmt s : body) stmt(s);
    }

    private void stmt(Stmt s) {
        switch (s) {
            case Stmt.Loop l -> {
                // The limit is outside the variable's scope, so it is printed first.
                String limit = l.limit() == null ? "" : " limit " + index(l.limit());
                line("for ").append(declare(l.var())).append(limit);
                text.append(
                        switch (l.kind()) {
                            case SEQ -> " seq\n";
                            case VECTOR -> " vector\n";
                            case ROWS -> " rows\n";
                        });
                nested(l.body());
            }
            case Stmt.Let l -> {
                String value = expr(l.value());
                line("let ")
                        .append(declare(l.local()))
                        .append(" = ")
                        .append(value)
                        .append('\n');
            }
            case Stmt.Declare d -> {
                String init = expr(d.init());
                line("var ")
                        .append(declare(d.local()))
                        .append(" = ")
                        .append(init)
                        .append('\n');
            }
            case Stmt.Accumulate a ->
                line(name(a.local()))
                        .append(' ')
                        .append(a.op())
                        .append("= ")
                        .append(expr(a.value()))
                        .append('\n');
            case Stmt.Set a ->
                line(name(a.local())).append(" = ").append(expr(a.value())).append('\n');
            case Stmt.Store a -> {
                String value = expr(a.value());
                String mask = a.mask() == null ? "" : " if " + expr(a.mask());
                line(a.buffer().toString()).append('[').append(index(a.index())).append("] = ");
                text.append(value).append(mask).append('\n');
            }
            case Stmt.If i -> {
                line("if ").append(expr(i.cond())).append('\n');
                nested(i.body());
            }
        }
    }

    private void nested(List<Stmt> body) {
        depth++;
        body(body);
        depth--;
    }

    private StringBuilder line(String start) {
        for (int i = 0; i < depth; i++) text.append("  ");
        return text.append(start);
    }

    private String expr(Expr e) {
        StringBuilder b = new StringBuilder();
        expr(b, e);
        return b.toString();
    }

    private String index(Index i) {
        StringBuilder b = new StringBuilder();
        index(b, i);
        return b.toString();
    }

    private void expr(StringBuilder b, Expr e) {
        if (!uses.isShared(e)) {
            plain(b, e);
            return;
        }
        Integer known = shared.get(e);
        if (known != null) {
            b.append('%').append(known.intValue());
            return;
        }
        int start = b.length();
        plain(b, e);
        // Numbered behind what it holds.
        b.insert(start, "(%" + shared.size() + "=").append(')');
        shared.put(e, shared.size());
    }

    private void plain(StringBuilder b, Expr e) {
        switch (e) {
            case Expr.Const c -> b.append(c.dtype()).append(" 0x").append(Long.toHexString(c.bits()));
            case Expr.Arg a -> b.append(a.dtype()).append(" $").append(a.slot());
            case Expr.IndexValue v -> indexed(b, v.dtype().toString(), " [", v.index());
            case Expr.Ref r -> b.append(name(r.local()));
            case Expr.Load l -> load(b, l);
            case Expr.Un u -> call(b, lower(u.op()), u.a());
            case Expr.Bin x -> call(b, lower(x.op()), x.a(), x.b());
            case Expr.Select s -> call(b, "select", s.cond(), s.a(), s.b());
            case Expr.Fma f -> call(b, "fma", f.a(), f.b(), f.c());
            case Expr.Convert c -> call(b, "to_" + c.dtype(), c.a());
            case Expr.Narrow n -> call(b, "as_" + n.to(), n.a());
            case Expr.Bits x -> call(b, "bits_" + x.dtype(), x.a());
            case Expr.Checked c -> checked(b, c);
        }
    }

    private void call(StringBuilder b, String function, Expr... operands) {
        b.append(function);
        String separator = "(";
        for (Expr e : operands) {
            b.append(separator);
            expr(b, e);
            separator = ", ";
        }
        b.append(')');
    }

    private void indexed(StringBuilder b, String what, String open, Index index) {
        b.append(what).append(open);
        index(b, index);
        b.append(']');
    }

    private void load(StringBuilder b, Expr.Load l) {
        indexed(b, l.buffer().toString(), "[", l.index());
        if (l.mask() == null) return;
        b.append("{if ");
        expr(b, l.mask());
        b.append(" else ");
        expr(b, l.otherwise());
        b.append('}');
    }

    private void checked(StringBuilder b, Expr.Checked c) {
        b.append(c.wrap() ? "wrapped(" : "checked(");
        expr(b, c.value());
        b.append(", ").append(c.bound()).append(", site ").append(c.site()).append(')');
    }

    private void index(StringBuilder b, Index index) {
        int start = b.length();
        for (Index.Term t : index.terms()) {
            if (b.length() > start) b.append('+');
            if (!t.coef().is(1)) b.append(t.coef()).append('*');
            switch (t.atom()) {
                case Index.VarAtom v -> b.append(name(v.var()));
                case Index.DivAtom d -> divided(b, d.a(), ")/", d.by());
                case Index.ModAtom m -> divided(b, m.a(), ")%", m.by());
                case Index.DataAtom d -> {
                    b.append('{');
                    expr(b, d.value());
                    b.append(" <").append(d.bound()).append('}');
                }
            }
        }
        if (b.length() == start) b.append(index.offset());
        else if (!index.offset().is(0)) b.append('+').append(index.offset());
    }

    private void divided(StringBuilder b, Index a, String operator, Coef by) {
        b.append('(');
        index(b, a);
        b.append(operator).append(by);
    }

    private String declare(Var v) {
        vars.putIfAbsent(v, vars.size()); // loops one after the other may share a variable
        return name(v) + "<" + v.extent();
    }

    private String declare(Local l) {
        locals.putIfAbsent(l, locals.size());
        return name(l) + ":" + l.dtype();
    }

    private String name(Var v) {
        Integer n = vars.get(v);
        if (n == null) throw new IllegalArgumentException("variable " + v + " is used outside its loop");
        return "v" + n;
    }

    private String name(Local l) {
        Integer n = locals.get(l);
        if (n == null) throw new IllegalArgumentException("local " + l + " is used before it is defined");
        return "l" + n;
    }

    private static String lower(Enum<?> op) {
        return op.name().toLowerCase(java.util.Locale.ROOT);
    }
}
