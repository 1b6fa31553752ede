// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * One operand of a matrix product, and how it lies in memory. Its rows are m of the left operand, n of the right one.
 *
 * @param isLeft which one
 * @param value an element
 * @param rows variables of the rows, outermost first
 * @param k variables of the sum
 * @param alongK whether neighbours in memory are neighbours along k; else they are along the rows
 */
record GemmOperand(boolean isLeft, Expr value, List<Var> rows, List<Var> k, boolean alongK) {
    /** Bytes of a copy, and what its addresses are multiples of. */
    static final int CHUNK = 16;

    static GemmOperand left(GemmKernel g) {
        return new GemmOperand(true, g.a(), g.m(), g.k(), alongK(g.a(), g.m(), g.k(), true, true));
    }

    static GemmOperand right(GemmKernel g) {
        boolean windowsInK = g.stencil() != null && g.stencil().pixelsInK();
        return new GemmOperand(false, g.b(), g.n(), g.k(), alongK(g.b(), g.n(), g.k(), windowsInK, false));
    }

    /** The same with other code for the element. */
    GemmOperand withValue(Expr e) {
        return new GemmOperand(isLeft, e, rows, k, alongK);
    }

    private static boolean alongK(Expr e, List<Var> rows, List<Var> k, boolean ifBoth, boolean ifNeither) {
        boolean byRows = steps(e, rows);
        boolean byK = steps(e, k);
        return byRows && byK ? ifBoth : byRows || byK ? byK : ifNeither;
    }

    /** Whether a load steps from element to element with the innermost of some variables. */
    private static boolean steps(Expr e, List<Var> vars) {
        if (vars.isEmpty()) return false;
        if (e instanceof Expr.Load l && isUnit(l.index(), vars.getLast())) return true;
        for (Expr c : Facts.children(e)) if (steps(c, vars)) return true;
        return false;
    }

    private static boolean isUnit(Index i, Var v) {
        for (Index.Term t : i.terms())
            if (t.atom() instanceof Index.VarAtom a && a.var() == v && t.coef().is(1)) return true;
        return false;
    }

    /** The type that elements have in memory, if all the value does is to read them; else the register type. */
    DType element() {
        return element(value);
    }

    private static DType element(Expr e) {
        return switch (e) {
            case Expr.Load l
            when l.mask() == null || isZero(l.otherwise()) -> l.buffer().dtype();
            case Expr.Select s when isZero(s.b()) -> element(s.a());
            case Expr.Select s when isZero(s.a()) -> element(s.b());
            case Expr.Narrow n -> n.to();
            default -> e.dtype();
        };
    }

    private static boolean isZero(Expr e) {
        return e instanceof Expr.Const c && c.bits() == 0;
    }

    /**
     * The same, read as the bits of its elements, which are 16-bit floats: nothing is widened that is to be narrowed again. The operand itself if it does
     * more than to read them.
     */
    GemmOperand asBits() {
        Expr e = bits(value);
        return e == null ? this : withValue(e);
    }

    private static Expr bits(Expr e) {
        Expr zero = Expr.Const.of(DType.I32, 0);
        return switch (e) {
            case Expr.Load l
            when l.mask() == null || isZero(l.otherwise()) -> {
                Buf b = new Buf(l.buffer().slot(), DType.I16, l.buffer().kind());
                yield new Expr.Load(b, l.index(), l.mask(), l.mask() == null ? null : zero);
            }
            case Expr.Select s
            when isZero(s.b()) && bits(s.a()) != null -> new Expr.Select(s.cond(), bits(s.a()), zero);
            case Expr.Select s
            when isZero(s.a()) && bits(s.b()) != null -> new Expr.Select(s.cond(), zero, bits(s.b()));
            default -> null;
        };
    }

    /** The variable along which neighbours in memory lie. */
    Var unit() {
        return alongK ? k.getLast() : rows.getLast();
    }

    /** Whether the operand is memory with a stride for each variable, as it stands multiplied so, in neighbours. */
    boolean copies(GemmSchedule.Math math) {
        if (!(value instanceof Expr.Load l) || l.mask() != null || l.buffer().kind() != Buf.Kind.IN) return false;
        List<Var> inner = alongK ? k : rows;
        if (inner.isEmpty() || !isUnit(l.index(), inner.getLast())) return false;
        for (Index.Term t : l.index().terms()) if (!(t.atom() instanceof Index.VarAtom)) return false;
        return switch (math) {
            case FMA -> l.buffer().dtype().bytes() >= 4;
            case BF16 -> l.buffer().dtype() == DType.BF16;
            case F16 -> l.buffer().dtype() == DType.F16;
            case TF32 -> l.buffer().dtype() == DType.F32;
            case F64 -> l.buffer().dtype() == DType.F64;
        };
    }

    /** Whether every 16 bytes that a tile begins at, or steps to, are whole: the address and all strides, and rows that follow each other. */
    boolean isAligned(IntToLongFunction slot) {
        Expr.Load l = (Expr.Load) value;
        long bytes = l.buffer().dtype().bytes();
        long all = slot.applyAsLong(l.buffer().slot())
                | LaunchRule.number(l.index().offset(), slot) * bytes;
        for (Index.Term t : l.index().terms())
            if (((Index.VarAtom) t.atom()).var() != unit()) all |= LaunchRule.number(t.coef(), slot) * bytes;
        // Where the innermost variable ends, the next element lies elsewhere.
        Coef extent = unit().extent();
        if ((alongK ? k : rows).size() > 1) all |= LaunchRule.number(extent, slot) * bytes;
        return all % CHUNK == 0;
    }
}
