// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.runtime.MatmulProblem.Activation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;

/**
 * A launch of a matrix product that a library could do as well: plain matrices, and nothing fused but a bias and an activation.
 *
 * @param a where the left operand is
 * @param b where the right one is
 * @param c where the product goes
 * @param bias where the bias is; null for none
 * @param kept where what the activation is applied to goes, too; null if it does not
 */
record LibraryMatmul(MatmulProblem problem, Operand a, Operand b, Operand c, Operand bias, Operand kept) {
    /** A matrix: the slot of the parameter block that has its buffer's address, and bytes from there. */
    record Operand(int slot, long offset) {
        long address(long block) {
            return Memory.getLong(block + 8L * slot) + offset;
        }
    }

    /** Elements from one index to the next: of the batch, of rows, of columns. */
    private record Strides(long batch, long row, long column, long offset) {
        boolean isLike(Strides s) {
            return s != null && s.batch == batch && s.row == row && s.column == column;
        }
    }

    /**
     * What a launch of {@code kernel} is to a library; null if it is more, or something else.
     *
     * @param slot the numbers of the parameter block
     */
    static LibraryMatmul of(Kernel kernel, IntToLongFunction slot, MatmulPrecision precision) {
        if (!(kernel instanceof GemmKernel g) || g.stencil() != null) return null;
        if (g.m().size() != 1
                || g.n().size() > 1
                || g.k().size() > 1
                || g.batch().size() > 1) return null;
        if (!(g.a() instanceof Expr.Load a) || !(g.b() instanceof Expr.Load b)) return null;
        List<Stmt.Store> stores = stores(g.epilogue());
        if (stores == null || a.mask() != null || b.mask() != null) return null;
        Stmt.Store store = stores.getFirst();
        Stmt.Store kept = stores.size() == 1 ? null : stores.getLast();
        DType t = store.buffer().dtype();
        Activated value = activated(store.value(), t);
        if (!isSum(value.of, g.result())) return null;
        boolean keeps =
                kept != null && kept.buffer().dtype() == t && kept.value().equals(value.of);
        if (kept != null && !(keeps && value.by == Activation.GELU)) return null;
        if (!t.isFloat() || a.buffer().dtype() != t || b.buffer().dtype() != t) return null;

        Var batch = g.batch().isEmpty() ? null : g.batch().getFirst();
        Var m = g.m().getFirst();
        Var n = g.n().isEmpty() ? null : g.n().getFirst();
        Var k = g.k().isEmpty() ? null : g.k().getFirst();
        Expr.Load bias = bias(value.of, g);
        Strides sa = strides(a.index(), slot, batch, m, k);
        Strides sb = strides(b.index(), slot, batch, k, n);
        Strides sc = strides(store.index(), slot, batch, m, n);
        if (sa == null || sb == null || sc == null) return null;
        Strides sk = kept == null ? null : strides(kept.index(), slot, batch, m, n);
        if (kept != null && !sc.isLike(sk)) return null;
        Strides sv = bias == null ? null : strides(bias.index(), slot, null, null, n);
        if (bias != null
                && (sv == null
                        || sv.column != 1
                        || bias.mask() != null
                        || bias.buffer().dtype() != t)) return null;
        long rows = extent(m, slot);
        long columns = extent(n, slot);
        long depth = extent(k, slot);
        if (rows == 0 || columns == 0 || depth == 0) return null;
        long lda = leading(sa, rows, depth);
        long ldb = leading(sb, depth, columns);
        long ldc = leading(sc, rows, columns);
        boolean ta = lda < 0;
        boolean tb = ldb < 0;
        if (lda == 0 || ldb == 0 || ldc <= 0) return null;
        MatmulProblem problem = new MatmulProblem(
                t,
                precision,
                extent(batch, slot),
                rows,
                columns,
                depth,
                ta,
                tb,
                Math.abs(lda),
                Math.abs(ldb),
                ldc,
                sa.batch,
                sb.batch,
                sc.batch,
                bias != null,
                kept == null ? value.by : Activation.KEPT_GELU);
        return new LibraryMatmul(
                problem,
                operand(a.buffer(), sa),
                operand(b.buffer(), sb),
                operand(store.buffer(), sc),
                bias == null ? null : operand(bias.buffer(), sv),
                kept == null ? null : operand(kept.buffer(), sk));
    }

    private static Operand operand(Buf buffer, Strides s) {
        return new Operand(buffer.slot(), s.offset * buffer.dtype().bytes());
    }

    /** One store or two, their locals put in, that of an activated value first; null if there is more. */
    private static List<Stmt.Store> stores(List<Stmt> epilogue) {
        Map<Local, Expr> values = new HashMap<>();
        List<Stmt.Store> stores = new ArrayList<>();
        for (Stmt s : epilogue) {
            if (s instanceof Stmt.Let let && stores.isEmpty()) values.put(let.local(), let.value());
            else if (s instanceof Stmt.Store t && t.mask() == null) {
                Expr value = t.value() instanceof Expr.Ref r ? values.remove(r.local()) : null;
                stores.add(value == null ? t : new Stmt.Store(t.buffer(), t.index(), value));
            } else return null;
        }
        if (!values.isEmpty() || stores.isEmpty() || stores.size() > 2) return null;
        boolean first =
                activated(stores.getFirst().value(), stores.getFirst().buffer().dtype()).by != Activation.NONE;
        return first ? stores : stores.reversed();
    }

    /** A value taken apart: what is done to it last. */
    private record Activated(Expr of, Activation by) {}

    /** @param t the type that it is rounded to in any case, as it is stored */
    private static Activated activated(Expr value, DType t) {
        Expr e = value instanceof Expr.Narrow n && n.to() == t ? n.a() : value;
        DType sums = e.dtype();
        if (!(e instanceof Expr.Bin b) || !sums.isFloat()) return new Activated(e, Activation.NONE);
        if (b.op() == Prim2.MAX && b.b().equals(Expr.Const.of(sums, 0))) return new Activated(b.a(), Activation.RELU);
        if (b.op() == Prim2.MUL && b.a() instanceof Expr.Bin half && e.equals(gelu(half.a())))
            return new Activated(half.a(), Activation.GELU);
        return new Activated(e, Activation.NONE);
    }

    /** The approximation by tanh, as {@link io.sinter.ir.op.Gelu} decomposes it. */
    private static Expr gelu(Expr x) {
        Expr cube = product(product(x, x), x);
        Expr inner = new Expr.Bin(Prim2.ADD, x, product(cube, number(x, 0.044715)));
        Expr tanh = new Expr.Un(Prim1.TANH, product(inner, number(x, Math.sqrt(2 / Math.PI))));
        return product(product(x, number(x, 0.5)), new Expr.Bin(Prim2.ADD, tanh, number(x, 1)));
    }

    private static Expr product(Expr a, Expr b) {
        return new Expr.Bin(Prim2.MUL, a, b);
    }

    private static Expr number(Expr like, double value) {
        return Expr.Const.of(like.dtype(), value);
    }

    private static boolean isSum(Expr e, Local result) {
        if (e instanceof Expr.Ref r) return r.local() == result;
        return e instanceof Expr.Bin add
                && add.op() == Prim2.ADD
                && (isSum(add.a(), result) && add.b() instanceof Expr.Load
                        || isSum(add.b(), result) && add.a() instanceof Expr.Load)
                && !(add.a() instanceof Expr.Bin || add.b() instanceof Expr.Bin);
    }

    private static Expr.Load bias(Expr value, GemmKernel g) {
        if (!(value instanceof Expr.Bin add)) return null;
        return (Expr.Load) (add.a() instanceof Expr.Ref r && r.local() == g.result() ? add.b() : add.a());
    }

    /** How an index steps; null if other variables are in it, or it is not affine. */
    private static Strides strides(Index index, IntToLongFunction slot, Var batch, Var row, Var column) {
        long[] s = new long[3];
        for (Index.Term t : index.terms()) {
            if (!(t.atom() instanceof Index.VarAtom v)) return null;
            int which = v.var() == batch ? 0 : v.var() == row ? 1 : v.var() == column ? 2 : -1;
            if (which < 0) return null;
            s[which] = number(t.coef(), slot);
        }
        return new Strides(s[0], s[1], s[2], number(index.offset(), slot));
    }

    /** The leading dimension; negative if the matrix lies transposed; 0 if neither rows nor columns are contiguous. */
    private static long leading(Strides s, long rows, long columns) {
        if ((s.column == 1 || columns == 1) && (s.row >= columns || rows == 1)) return Math.max(s.row, columns);
        if ((s.row == 1 || rows == 1) && (s.column >= rows || columns == 1)) return -Math.max(s.column, rows);
        return 0;
    }

    private static long extent(Var v, IntToLongFunction slot) {
        return v == null ? 1 : number(v.extent(), slot);
    }

    private static long number(Coef c, IntToLongFunction slot) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s -> slot.applyAsLong(s.slot());
        };
    }
}
