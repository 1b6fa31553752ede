// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/** Reads the kernels that {@link KernelWriter} wrote. */
final class KernelReader {
    private static final DType[] DTYPES = DType.values();
    private static final Buf.Kind[] KINDS = Buf.Kind.values();
    private static final Prim1[] PRIMS1 = Prim1.values();
    private static final Prim2[] PRIMS2 = Prim2.values();
    private static final Stmt.Combine[] COMBINES = Stmt.Combine.values();
    private static final Stmt.Loop.Kind[] LOOPS = Stmt.Loop.Kind.values();
    private static final AttentionKernel.Pass[] PASSES = AttentionKernel.Pass.values();

    private final ByteReader in;
    private final List<Var> vars = new ArrayList<>();
    private final List<Local> locals = new ArrayList<>();
    private final List<Expr> exprs = new ArrayList<>();
    private int depth;
    private int highestSlot;

    private KernelReader(ByteReader in) {
        this.in = in;
    }

    /** @throws FormatException if it is no kernel, or one that reads slots which it says it does not have */
    static Kernel read(ByteReader in) {
        KernelReader r = new KernelReader(in);
        Kernel kernel = r.kernel();
        if (r.highestSlot >= kernel.slots()) {
            throw new FormatException(
                    "kernel " + kernel.name() + " reads slot " + r.highestSlot + " of " + kernel.slots());
        }
        return kernel;
    }

    private Kernel kernel() {
        return switch (in.u8()) {
            case 0 -> new LoopKernel(in.text(), vars(), buffers(), slots(), in.number(), stmts());
            case 1 -> gemm();
            case 2 -> attention();
            default -> throw new FormatException("no kind of kernel");
        };
    }

    private int slots() {
        return in.index(1 << 20);
    }

    private int slot() {
        int slot = in.index(1 << 20);
        highestSlot = Math.max(highestSlot, slot);
        return slot;
    }

    private GemmKernel gemm() {
        String name = in.text();
        List<Var> batch = vars();
        List<Var> m = vars();
        List<Var> n = vars();
        List<Var> k = vars();
        List<Buf> buffers = buffers();
        int slots = slots();
        Expr a = expr();
        Expr b = expr();
        DType acc = in.constant(DTYPES);
        Local result = local();
        Stencil stencil = in.bool() ? stencil() : null;
        return new GemmKernel(name, batch, m, n, k, a, b, acc, result, stmts(), stencil, buffers, slots);
    }

    private Stencil stencil() {
        int count = in.count();
        List<Stencil.Dim> dims = new ArrayList<>();
        for (int i = 0; i < count; i++)
            dims.add(new Stencil.Dim(var(), coef(), coef(), in.bool(), coef(), index(), coef(), index()));
        boolean pixelsInK = in.bool();
        boolean plain = in.bool();
        Expr staged = expr();
        if (plain && !(staged instanceof Expr.Load)) throw new FormatException("a stencil's plain input is no load");
        Expr left = optional();
        if (left != null && !(left instanceof Expr.Load)) throw new FormatException("a stencil's operand is no load");
        return new Stencil(staged, plain, (Expr.Load) left, pixelsInK, List.copyOf(dims));
    }

    private AttentionKernel attention() {
        String name = in.text();
        AttentionKernel.Pass pass = in.constant(PASSES);
        List<Var> batch = vars();
        Var i = var();
        Var j = var();
        Var d = var();
        Var e = var();
        List<Buf> buffers = buffers();
        int slots = slots();
        Expr q = expr();
        Expr k = expr();
        Expr v = expr();
        Expr bias = optional();
        boolean causal = in.bool();
        Expr scale = expr();
        List<Expr> saved = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) saved.add(expr());
        List<AttentionKernel.Target> outputs = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) outputs.add(new AttentionKernel.Target(buffer(), index()));
        DType acc = in.constant(DTYPES);
        return new AttentionKernel(
                name,
                pass,
                batch,
                i,
                j,
                d,
                e,
                q,
                k,
                v,
                bias,
                causal,
                scale,
                List.copyOf(saved),
                List.copyOf(outputs),
                acc,
                buffers,
                slots);
    }

    // ---- what has identity

    private List<Var> vars() {
        int n = in.count();
        List<Var> list = new ArrayList<>();
        for (int i = 0; i < n; i++) list.add(var());
        return List.copyOf(list);
    }

    private Var var() {
        int known = in.integer();
        if (known >= 0) return known(vars, known);
        Var v = new Var(in.text(), coef());
        vars.add(v);
        return v;
    }

    private Local local() {
        int known = in.integer();
        if (known >= 0) return known(locals, known);
        Local l = new Local(in.text(), in.constant(DTYPES));
        locals.add(l);
        return l;
    }

    private static <T> T known(List<T> list, int number) {
        if (number < 0 || number >= list.size())
            throw new FormatException("a reference to something that comes later: " + number);
        return list.get(number);
    }

    private void enter() {
        if (++depth > KernelWriter.MAX_DEPTH) throw new FormatException("nested too deep");
    }

    private Expr optional() {
        return in.bool() ? expr() : null;
    }

    private Expr expr() {
        int tag = in.u8();
        if (tag == KernelWriter.REPEATED) return known(exprs, in.integer());
        enter();
        Expr e =
                switch (tag) {
                    case 0 -> new Expr.Const(in.constant(DTYPES), in.number());
                    case 1 -> new Expr.Arg(in.constant(DTYPES), slot());
                    case 2 -> new Expr.IndexValue(in.constant(DTYPES), index());
                    case 3 -> new Expr.Ref(local());
                    case 4 -> new Expr.Load(buffer(), index(), optional(), optional());
                    case 5 -> new Expr.Un(in.constant(PRIMS1), expr());
                    case 6 -> new Expr.Bin(in.constant(PRIMS2), expr(), expr());
                    case 7 -> new Expr.Select(expr(), expr(), expr());
                    case 8 -> new Expr.Fma(expr(), expr(), expr());
                    case 9 -> new Expr.Convert(in.constant(DTYPES), expr());
                    case 10 -> new Expr.Narrow(in.constant(DTYPES), expr());
                    case 11 -> new Expr.Bits(in.constant(DTYPES), expr());
                    case 12 -> new Expr.Checked(expr(), coef(), in.bool(), coef());
                    default -> throw new FormatException("no kind of expression: " + tag);
                };
        depth--;
        exprs.add(e);
        return e;
    }

    // ---- what has none

    private List<Buf> buffers() {
        int n = in.count();
        List<Buf> list = new ArrayList<>();
        for (int i = 0; i < n; i++) list.add(buffer());
        return List.copyOf(list);
    }

    private Buf buffer() {
        return new Buf(slot(), in.constant(DTYPES), in.constant(KINDS));
    }

    private Coef coef() {
        return in.bool() ? new Coef.Slot(slot()) : new Coef.Lit(in.number());
    }

    private Index index() {
        int n = in.count();
        List<Index.Term> terms = new ArrayList<>();
        for (int i = 0; i < n; i++) terms.add(new Index.Term(coef(), atom()));
        return new Index(List.copyOf(terms), coef());
    }

    private Index.Atom atom() {
        enter();
        Index.Atom a =
                switch (in.u8()) {
                    case 0 -> new Index.VarAtom(var());
                    case 1 -> new Index.DivAtom(index(), coef());
                    case 2 -> new Index.ModAtom(index(), coef());
                    case 3 -> new Index.DataAtom(expr(), coef());
                    default -> throw new FormatException("no kind of index");
                };
        depth--;
        return a;
    }

    private List<Stmt> stmts() {
        int n = in.count();
        List<Stmt> list = new ArrayList<>();
        for (int i = 0; i < n; i++) list.add(stmt());
        return List.copyOf(list);
    }

    private Stmt stmt() {
        enter();
        Stmt s =
                switch (in.u8()) {
                    case 0 -> new Stmt.Loop(var(), in.bool() ? index() : null, in.constant(LOOPS), stmts());
                    case 1 -> new Stmt.Let(local(), expr());
                    case 2 -> new Stmt.Declare(local(), expr());
                    case 3 -> new Stmt.Accumulate(local(), in.constant(COMBINES), expr());
                    case 4 -> new Stmt.Set(local(), expr());
                    case 5 -> new Stmt.Store(buffer(), index(), expr(), optional());
                    case 6 -> new Stmt.If(expr(), stmts());
                    default -> throw new FormatException("no kind of statement");
                };
        depth--;
        return s;
    }
}
