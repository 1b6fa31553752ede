// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class InnerExtentsTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf POSITIONS = new Buf(2, DType.I64, Buf.Kind.IN);
    private static final Buf OUT = new Buf(3, DType.F32, Buf.Kind.OUT);

    private static Index index(Coef stride, Index.Atom atom, Var last) {
        return new Index(
                List.of(new Index.Term(stride, atom), new Index.Term(Coef.of(1), new Index.VarAtom(last))), Coef.of(0));
    }

    /** out[i,j] = in[row, j] for i in $4, j in $5, k in $6; {@code stride} is the stride of out. */
    private static LoopKernel kernel(Coef stride, Expr row) {
        Var i = new Var("i", new Coef.Slot(4));
        Var j = new Var("j", new Coef.Slot(5));
        Var k = new Var("k", new Coef.Slot(6));
        Expr value = new Expr.Load(IN, index(new Coef.Slot(7), new Index.DataAtom(row, new Coef.Slot(8)), j));
        Stmt store = new Stmt.Store(OUT, index(stride, new Index.VarAtom(i), j), value);
        Stmt loops =
                new Stmt.Loop(k, Stmt.Loop.Kind.SEQ, List.of(new Stmt.Loop(j, Stmt.Loop.Kind.VECTOR, List.of(store))));
        return new LoopKernel("k", List.of(i), List.of(IN, POSITIONS, OUT), 9, 0, List.of(loops));
    }

    private static final Expr LOADED = new Expr.Load(POSITIONS, Index.ZERO);

    @Test
    void extentsOfInnerLoopsAreFound() {
        InnerExtents e =
                InnerExtents.of(kernel(new Coef.Slot(7), new Expr.Checked(LOADED, new Coef.Slot(8), true, Coef.of(0))));
        assertEquals(Set.of(5), e.vector());
        assertEquals(Set.of(6), e.sequential());
        assertFalse(e.trusts());
    }

    @Test
    void anExtentThatIsAStrideTooStays() {
        assertEquals(Set.of(), InnerExtents.of(kernel(new Coef.Slot(5), LOADED)).vector());
    }

    @Test
    void uncheckedIndicesAreTrusted() {
        assertTrue(InnerExtents.of(kernel(new Coef.Slot(7), LOADED)).trusts());
    }

    @Test
    void iterationsMultiply() {
        try (Session s = Session.open(Options.fromProperties())) {
            Buffer block = s.allocator().allocate(9 * 8);
            for (int i = 0; i < 9; i++) Memory.putLong(block.address() + i * 8L, 10 + i);
            assertEquals(14 * 15 * 16, InnerExtents.iterations(kernel(new Coef.Slot(7), LOADED), block.address()));
        }
    }
}
