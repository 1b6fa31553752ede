// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * A {@link TensorBox} as a function of a parameter block.
 *
 * @param slot of the address
 * @param offset elements from there to the first
 * @param dims variables of the dimensions, the innermost first, whose stride is 1
 * @param strides in elements, of every dimension but the innermost
 */
public record TensorRule(PtxType type, int slot, Coef offset, List<Var> dims, List<Coef> strides, List<Integer> box) {
    private static final int MAX_RANK = 5;
    private static final long MAX_EXTENT = 1L << 32;
    private static final long MAX_STRIDE = 1L << 40;

    public TensorRule {
        dims = List.copyOf(dims);
        strides = List.copyOf(strides);
        box = List.copyOf(box);
    }

    /**
     * The tensor that an operand is, in boxes of {@code across} neighbours and {@code lines}; null if it is none: its rows, or its steps of k, are
     * several variables, or it has too many dimensions.
     */
    static TensorRule of(GemmOperand o, List<Var> batch, PtxType type, int across, int lines) {
        if (o.rows().size() != 1 || o.k().size() != 1) return null;
        Expr.Load load = (Expr.Load) o.value();
        Var unit = o.unit();
        Var other = o.alongK() ? o.rows().getFirst() : o.k().getFirst();
        Coef otherStride = stride(load.index(), other);
        if (otherStride == null) return null;
        List<Var> dims = new ArrayList<>(List.of(unit, other));
        List<Coef> strides = new ArrayList<>(List.of(otherStride));
        List<Integer> box = new ArrayList<>(List.of(across, lines));
        for (Var b : batch) {
            Coef s = stride(load.index(), b);
            if (s == null) continue;
            dims.add(b);
            strides.add(s);
            box.add(1);
        }
        if (dims.size() > MAX_RANK) return null;
        return new TensorRule(type, load.buffer().slot(), load.index().offset(), dims, strides, box);
    }

    private static Coef stride(Index i, Var v) {
        for (Index.Term t : i.terms()) if (((Index.VarAtom) t.atom()).var() == v) return t.coef();
        return null;
    }

    /** Whether there is such a map for a parameter block whose addresses and strides are multiples of 16 bytes. */
    boolean fits(IntToLongFunction slots) {
        for (Var v : dims) {
            long n = LaunchRule.number(v.extent(), slots);
            if (n < 1 || n > MAX_EXTENT) return false;
        }
        for (Coef c : strides) {
            long s = LaunchRule.number(c, slots) * type.bytes();
            if (s < 1 || s >= MAX_STRIDE) return false;
        }
        return true;
    }

    /** The box for a parameter block. */
    public TensorBox at(IntToLongFunction slots) {
        long address = slots.applyAsLong(slot) + LaunchRule.number(offset, slots) * type.bytes();
        List<Long> extents =
                dims.stream().map(v -> LaunchRule.number(v.extent(), slots)).toList();
        List<Long> bytes = strides.stream()
                .map(s -> LaunchRule.number(s, slots) * type.bytes())
                .toList();
        return new TensorBox(type, address, extents, bytes, box);
    }
}
