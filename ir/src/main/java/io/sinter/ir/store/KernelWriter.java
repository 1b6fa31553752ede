// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes kernels. Variables, locals and expressions have identity: each is written where it is met first, and is a number from then on. Records
 * are taken apart by patterns, and {@link KernelReader} calls their constructors, so that a component that is added to one of them and forgotten
 * here or there does not compile.
 */
final class KernelWriter {
    /** Deeper expressions are not stored: {@link KernelReader} recurs as deep. */
    static final int MAX_DEPTH = 400;

    static final int REPEATED = 255;

    private final ByteWriter out;
    private final Map<Var, Integer> vars = new IdentityHashMap<>();
    private final Map<Local, Integer> locals = new IdentityHashMap<>();
    private final Map<Expr, Integer> exprs = new IdentityHashMap<>();
    private int depth;

    private KernelWriter(ByteWriter out) {
        this.out = out;
    }

    /** @throws FormatException if the kernel cannot be stored, because its expressions are too deep */
    static void write(Kernel kernel, ByteWriter out) {
        new KernelWriter(out).kernel(kernel);
    }

    private void kernel(Kernel kernel) {
        switch (kernel) {
            case LoopKernel(
                    String name,
                    List<Var> grid,
                    List<Buf> buffers,
                    int slots,
                    long scratchBytes,
                    List<Stmt> body) -> {
                out.u8(0).text(name);
                vars(grid);
                buffers(buffers);
                out.number(slots).number(scratchBytes);
                stmts(body);
            }
            case GemmKernel k -> {
                out.u8(1);
                gemm(k);
            }
            case AttentionKernel k -> {
                out.u8(2);
                attention(k);
            }
        }
    }

    private void gemm(GemmKernel kernel) {
        if (!(kernel
                instanceof
                GemmKernel(
                        var name,
                        var batch,
                        var m,
                        var n,
                        var k,
                        var a,
                        var b,
                        var acc,
                        var result,
                        var epilogue,
                        var stencil,
                        var buffers,
                        var slots))) throw new AssertionError();
        out.text(name);
        vars(batch);
        vars(m);
        vars(n);
        vars(k);
        buffers(buffers);
        out.number(slots);
        expr(a);
        expr(b);
        out.constant(acc);
        local(result);
        out.bool(stencil != null);
        if (stencil != null) stencil(stencil);
        stmts(epilogue);
    }

    private void stencil(Stencil s) {
        if (!(s
                instanceof
                Stencil(Expr staged, boolean plain, Expr.Load left, boolean pixelsInK, List<Stencil.Dim> dims)))
            throw new AssertionError();
        out.number(dims.size());
        for (Stencil.Dim d : dims) {
            if (!(d
                    instanceof
                    Stencil.Dim(
                            Var position,
                            Coef step,
                            Coef dilation,
                            boolean backward,
                            Coef overlap,
                            Index low,
                            Coef extent,
                            Index taps))) throw new AssertionError();
            var(position);
            coef(step);
            coef(dilation);
            out.bool(backward);
            coef(overlap);
            index(low);
            coef(extent);
            index(taps);
        }
        out.bool(pixelsInK);
        out.bool(plain);
        expr(staged);
        optional(left);
    }

    private void attention(AttentionKernel kernel) {
        if (!(kernel
                instanceof
                AttentionKernel(
                        var name,
                        var pass,
                        var batch,
                        var i,
                        var j,
                        var d,
                        var e,
                        var q,
                        var k,
                        var v,
                        var bias,
                        var causal,
                        var scale,
                        var saved,
                        var outputs,
                        var acc,
                        var buffers,
                        var slots))) throw new AssertionError();
        out.text(name).constant(pass);
        vars(batch);
        var(i);
        var(j);
        var(d);
        var(e);
        buffers(buffers);
        out.number(slots);
        expr(q);
        expr(k);
        expr(v);
        optional(bias);
        out.bool(causal);
        expr(scale);
        out.number(saved.size());
        saved.forEach(this::expr);
        out.number(outputs.size());
        for (AttentionKernel.Target t : outputs) {
            if (!(t instanceof AttentionKernel.Target(Buf buffer, Index index))) throw new AssertionError();
            buffer(buffer);
            index(index);
        }
        out.constant(acc);
    }

    // ---- what has identity

    private void vars(List<Var> list) {
        out.number(list.size());
        list.forEach(this::var);
    }

    private void var(Var v) {
        Integer known = vars.putIfAbsent(v, vars.size());
        if (known != null) {
            out.number(known);
        } else {
            out.number(-1).text(v.name());
            coef(v.extent());
        }
    }

    private void local(Local l) {
        Integer known = locals.putIfAbsent(l, locals.size());
        if (known != null) out.number(known);
        else out.number(-1).text(l.name()).constant(l.dtype());
    }

    private void optional(Expr e) {
        out.bool(e != null);
        if (e != null) expr(e);
    }

    private void expr(Expr e) {
        Integer known = exprs.get(e);
        if (known != null) {
            out.u8(REPEATED).number(known);
            return;
        }
        if (++depth > MAX_DEPTH) throw new FormatException("expressions nested more than " + MAX_DEPTH + " deep");
        switch (e) {
            case Expr.Const(var dtype, long bits) -> out.u8(0).constant(dtype).number(bits);
            case Expr.Arg(var dtype, int slot) -> out.u8(1).constant(dtype).number(slot);
            case Expr.IndexValue(var dtype, Index index) -> {
                out.u8(2).constant(dtype);
                index(index);
            }
            case Expr.Ref(Local local) -> {
                out.u8(3);
                local(local);
            }
            case Expr.Load(Buf buffer, Index index, Expr mask, Expr otherwise) -> {
                out.u8(4);
                buffer(buffer);
                index(index);
                optional(mask);
                optional(otherwise);
            }
            case Expr.Un(var op, Expr a) -> {
                out.u8(5).constant(op);
                expr(a);
            }
            case Expr.Bin(var op, Expr a, Expr b) -> {
                out.u8(6).constant(op);
                expr(a);
                expr(b);
            }
            case Expr.Select(Expr cond, Expr a, Expr b) -> {
                out.u8(7);
                expr(cond);
                expr(a);
                expr(b);
            }
            case Expr.Fma(Expr a, Expr b, Expr c) -> {
                out.u8(8);
                expr(a);
                expr(b);
                expr(c);
            }
            case Expr.Convert(var dtype, Expr a) -> {
                out.u8(9).constant(dtype);
                expr(a);
            }
            case Expr.Narrow(var to, Expr a) -> {
                out.u8(10).constant(to);
                expr(a);
            }
            case Expr.Bits(var dtype, Expr a) -> {
                out.u8(11).constant(dtype);
                expr(a);
            }
            case Expr.Checked(Expr value, Coef bound, boolean wrap, Coef site) -> {
                out.u8(12);
                expr(value);
                coef(bound);
                out.bool(wrap);
                coef(site);
            }
        }
        depth--;
        exprs.put(e, exprs.size());
    }

    // ---- what has none

    private void buffers(List<Buf> list) {
        out.number(list.size());
        list.forEach(this::buffer);
    }

    private void buffer(Buf b) {
        if (!(b instanceof Buf(int slot, var dtype, Buf.Kind kind))) throw new AssertionError();
        out.number(slot).constant(dtype).constant(kind);
    }

    private void coef(Coef c) {
        switch (c) {
            case Coef.Lit(long value) -> out.u8(0).number(value);
            case Coef.Slot(int slot) -> out.u8(1).number(slot);
        }
    }

    private void index(Index i) {
        if (!(i instanceof Index(List<Index.Term> terms, Coef offset))) throw new AssertionError();
        out.number(terms.size());
        for (Index.Term t : terms) {
            if (!(t instanceof Index.Term(Coef coef, Index.Atom atom))) throw new AssertionError();
            coef(coef);
            atom(atom);
        }
        coef(offset);
    }

    private void atom(Index.Atom a) {
        if (++depth > MAX_DEPTH) throw new FormatException("indices nested more than " + MAX_DEPTH + " deep");
        switch (a) {
            case Index.VarAtom(Var v) -> {
                out.u8(0);
                var(v);
            }
            case Index.DivAtom(Index of, Coef by) -> {
                out.u8(1);
                index(of);
                coef(by);
            }
            case Index.ModAtom(Index of, Coef by) -> {
                out.u8(2);
                index(of);
                coef(by);
            }
            case Index.DataAtom(Expr value, Coef bound) -> {
                out.u8(3);
                expr(value);
                coef(bound);
            }
        }
        depth--;
    }

    private void stmts(List<Stmt> body) {
        out.number(body.size());
        body.forEach(this::stmt);
    }

    private void stmt(Stmt s) {
        if (++depth > MAX_DEPTH) throw new FormatException("statements nested more than " + MAX_DEPTH + " deep");
        switch (s) {
            case Stmt.Loop(Var v, Index limit, Stmt.Loop.Kind kind, List<Stmt> body) -> {
                out.u8(0);
                var(v);
                out.bool(limit != null);
                if (limit != null) index(limit);
                out.constant(kind);
                stmts(body);
            }
            case Stmt.Let(Local local, Expr value) -> {
                out.u8(1);
                local(local);
                expr(value);
            }
            case Stmt.Declare(Local local, Expr init) -> {
                out.u8(2);
                local(local);
                expr(init);
            }
            case Stmt.Accumulate(Local local, Stmt.Combine op, Expr value) -> {
                out.u8(3);
                local(local);
                out.constant(op);
                expr(value);
            }
            case Stmt.Set(Local local, Expr value) -> {
                out.u8(4);
                local(local);
                expr(value);
            }
            case Stmt.Store(Buf buffer, Index index, Expr value, Expr mask) -> {
                out.u8(5);
                buffer(buffer);
                index(index);
                expr(value);
                optional(mask);
            }
            case Stmt.If(Expr cond, List<Stmt> body) -> {
                out.u8(6);
                expr(cond);
                stmts(body);
            }
        }
        depth--;
    }
}
