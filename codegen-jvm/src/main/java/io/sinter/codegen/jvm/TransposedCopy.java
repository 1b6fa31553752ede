// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * Two loops that copy a matrix whose rows become columns: what is contiguous for the one of them is not for the other. {@code to[x, r] = from[r, x]}.
 *
 * @param rows the loop over r
 * @param columns the loop over x
 * @param read where element (0, 0) is read
 * @param readRow distance of the rows that are read
 * @param written where it is written
 * @param writtenRow distance of the rows that are written
 */
record TransposedCopy(
        Stmt.Loop rows, Stmt.Loop columns, Buf from, Index read, Coef readRow, Buf to, Index written, Coef writtenRow) {

    /** What {@code outer} does if it is such a copy, else null. */
    static TransposedCopy of(Stmt.Loop outer, Facts facts) {
        if (outer.body().size() != 1
                || !(outer.body().getFirst() instanceof Stmt.Loop inner)
                || inner.kind() != Stmt.Loop.Kind.VECTOR
                || inner.body().size() != 1
                || !(inner.body().getFirst() instanceof Stmt.Store store)
                || store.mask() != null
                || !(store.value() instanceof Expr.Load load)
                || load.mask() != null
                || load.buffer().dtype() != store.buffer().dtype()
                || inner.limit() != null && !isFree(inner.limit(), outer.var(), facts)) return null;
        Index read = rest(load.index(), outer.var(), inner.var(), facts);
        Index written = rest(store.index(), outer.var(), inner.var(), facts);
        if (read == null || written == null) return null;
        Coef readOuter = stride(load.index(), outer.var(), facts);
        Coef readInner = stride(load.index(), inner.var(), facts);
        Coef writtenOuter = stride(store.index(), outer.var(), facts);
        Coef writtenInner = stride(store.index(), inner.var(), facts);
        if (readOuter == null || readInner == null || writtenOuter == null || writtenInner == null) return null;
        if (readInner.is(1) && writtenOuter.is(1))
            return new TransposedCopy(
                    outer, inner, load.buffer(), read, readOuter, store.buffer(), written, writtenInner);
        if (readOuter.is(1) && writtenInner.is(1))
            return new TransposedCopy(
                    inner, outer, load.buffer(), read, readInner, store.buffer(), written, writtenOuter);
        return null;
    }

    /** The factor of a variable that stands by itself; null if there is none. */
    private static Coef stride(Index i, Var v, Facts facts) {
        for (Index.Term t : i.terms()) if (facts.of(t.atom()).free().contains(v)) return t.coef();
        return null;
    }

    /** Whether an index does not depend on a variable. */
    static boolean isFree(Index i, Var v, Facts facts) {
        return stride(i, v, facts) == null;
    }

    /** The index without its terms in the two variables; null if they occur in any other way than as terms. */
    private static Index rest(Index i, Var a, Var b, Facts facts) {
        List<Index.Term> rest = new ArrayList<>();
        for (Index.Term t : i.terms()) {
            if (t.atom() instanceof Index.VarAtom v && (v.var() == a || v.var() == b)) continue;
            if (facts.of(t.atom()).free().contains(a)
                    || facts.of(t.atom()).free().contains(b)) return null;
            rest.add(t);
        }
        return new Index(List.copyOf(rest), i.offset());
    }
}
