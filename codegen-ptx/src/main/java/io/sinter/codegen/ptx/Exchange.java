// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.List;

/** How threads give each other register values: by shuffles, and through cells of memory. */
final class Exchange {
    /** Bytes of a cell: any value's. */
    static final int CELL = 8;

    private final KernelBuilder out;

    Exchange(KernelBuilder out) {
        this.out = out;
    }

    /** The value of another lane of the warp, in which all lanes take part. */
    Operand shuffle(WarpOp.ShuffleMode mode, DType t, Operand value, int distance) {
        Operand by = out.constant(distance);
        return switch (t) {
            case BOOL -> out.setp(Relation.NE, PtxType.S32, out.shfl(mode, number(value), by), out.constant(0));
            case I64, F64 -> {
                Operand.Vector halves = out.registers(PtxType.B32, 2);
                out.assign(PtxType.B64, halves, value);
                List<Operand> moved = new ArrayList<>();
                for (Operand h : halves.elements()) moved.add(out.shfl(mode, h, by));
                Reg d = out.register(t == DType.I64 ? PtxType.B64 : PtxType.F64);
                out.assign(PtxType.B64, d, new Operand.Vector(moved));
                yield d;
            }
            default -> out.shfl(mode, value, by);
        };
    }

    /** A store of a value into a cell. */
    Memory.Store put(Space space, DType t, Operand.Address cell, Operand value) {
        return Memory.Store.of(space, cellType(t), cell, t == DType.BOOL ? number(value) : value);
    }

    /** What stands in a cell. */
    Operand get(Space space, DType t, Operand.Address cell) {
        Reg r = out.load(space, cellType(t), cell);
        return t == DType.BOOL ? out.setp(Relation.NE, PtxType.S32, r, out.constant(0)) : r;
    }

    private static PtxType cellType(DType t) {
        return switch (t) {
            case F64 -> PtxType.F64;
            case F32 -> PtxType.F32;
            case I64 -> PtxType.B64;
            default -> PtxType.B32;
        };
    }

    private Operand number(Operand predicate) {
        return out.selp(PtxType.B32, out.constant(1), out.constant(0), predicate);
    }
}
