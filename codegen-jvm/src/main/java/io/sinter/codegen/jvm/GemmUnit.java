// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** What can be said about a matrix's element expression before its numbers are known. */
final class GemmUnit {
    private GemmUnit() {}

    /**
     * Whether a load is memory of type {@code type} with one stride for each of these variables, and
     * nothing else.
     */
    static boolean isPlain(Expr.Load load, DType type, List<Var> vars) {
        if (load.mask() != null || load.buffer().dtype() != type) return false;
        for (Index.Term t : load.index().terms()) {
            if (!(t.atom() instanceof Index.VarAtom v) || !vars.contains(v.var())) return false;
        }
        return true;
    }

    /**
     * Whether every load reads consecutive memory, or one element, along the innermost of {@code vars};
     * and some load does the former.
     */
    static boolean isUnit(Expr e, List<Var> vars) {
        if (e == null || vars.isEmpty()) return false;
        boolean any = false;
        for (Expr.Load l : loads(e)) {
            Boolean unit = isUnit(l.index(), vars.getLast());
            if (unit == null) return false;
            any |= unit;
        }
        return any;
    }

    /** True: consecutive along the variable. False: independent of it. Null: anything else. */
    private static Boolean isUnit(Index index, Var v) {
        boolean unit = false;
        for (Index.Term t : index.terms()) {
            switch (t.atom()) {
                case Index.VarAtom a -> {
                    if (a.var() != v) continue;
                    if (!t.coef().is(1)) return null;
                    unit = true;
                }
                case Index.DivAtom d -> {
                    if (depends(d.a(), v)) return null;
                }
                case Index.ModAtom d -> {
                    if (depends(d.a(), v)) return null;
                }
                case Index.DataAtom d -> {
                    for (Expr.Load l : loads(d.value())) {
                        if (depends(l.index(), v)) return null;
                    }
                }
            }
        }
        return unit;
    }

    private static boolean depends(Index index, Var v) {
        return !Boolean.FALSE.equals(isUnit(index, v));
    }

    private static List<Expr.Load> loads(Expr e) {
        List<Expr.Load> out = new ArrayList<>();
        loads(e, Collections.newSetFromMap(new IdentityHashMap<>()), out);
        return out;
    }

    private static void loads(Expr e, Set<Expr> seen, List<Expr.Load> out) {
        if (!seen.add(e)) return;
        if (e instanceof Expr.Load l) out.add(l);
        for (Expr c : Facts.children(e)) loads(c, seen, out);
    }
}
