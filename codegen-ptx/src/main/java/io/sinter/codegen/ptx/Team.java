// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.Synchronization;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Stmt.Combine;
import java.util.ArrayList;
import java.util.List;

/**
 * The threads that share a task: those of one row (x) of the CTA. A team that works together is one thread, one warp, or a whole CTA of
 * several warps ({@link LaunchRule}), so that a shuffle or barrier always has all of its threads. Code is the same for all of these.
 */
final class Team {
    private static final int WARP = 32;

    /** Bytes for each accumulator and warp in shared memory. */
    private static final int CELL = 8;

    /** Most warps of a team. */
    private static final int WARPS = LaunchRule.MAX_TEAM / WARP;

    /** An accumulator whose parts are in the threads' registers. */
    record Part(DType dtype, Combine op, Reg register) {}

    private final KernelBuilder out;
    private final ScalarEmitter scalars;
    private final Reg lane;
    private final Reg lane64;
    private final Reg threads;
    private final Reg threads64;
    private final Reg first;
    private final Reg isBlock;
    private final Reg isWarp;
    private Operand.Symbol cells;
    private final int accumulators;

    /**
     * @param cooperates whether the threads of a team wait for each other
     * @param accumulators how many values are reduced together at most
     */
    Team(KernelBuilder out, boolean cooperates, int accumulators) {
        this.out = out;
        this.scalars = new ScalarEmitter(out);
        this.accumulators = accumulators;
        lane = out.mov(PtxType.U32, Operand.Special.TID_X);
        threads = out.mov(PtxType.U32, Operand.Special.NTID_X);
        lane64 = out.cvt(FloatMode.DEFAULT, PtxType.U64, PtxType.U32, lane);
        threads64 = out.cvt(FloatMode.DEFAULT, PtxType.U64, PtxType.U32, threads);
        first = out.setp(Relation.EQ, PtxType.U32, lane, out.constant(0));
        isBlock = cooperates ? out.setp(Relation.GT, PtxType.U32, threads, out.constant(WARP)) : null;
        isWarp = cooperates ? out.setp(Relation.EQ, PtxType.U32, threads, out.constant(WARP)) : null;
    }

    /** The thread's number in its team, in 64 bits. */
    Reg lane() {
        return lane64;
    }

    /** The number of threads, in 64 bits. */
    Reg threads() {
        return threads64;
    }

    /** Holds in the team's first thread. */
    Reg first() {
        return first;
    }

    /** The team's threads see what each of them has written so far. */
    void sync() {
        out.add(Guard.when(isBlock), Synchronization.Barrier.all());
        out.add(Guard.when(isWarp), new WarpOp.Barrier(out.constant(-1)));
    }

    /**
     * Reduces the threads' parts; every thread gets the result. Within a warp by butterflies, in which both sides of each exchange compute the
     * same; then over the warps in their order.
     */
    void reduce(List<Part> parts) {
        String end = out.newLabel();
        Reg several = out.or(PtxType.PRED, isBlock, isWarp);
        out.branchUnless(several, end);
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            for (Part p : parts) {
                Operand other = shuffle(p.dtype, p.register, distance);
                scalars.assign(p.dtype, p.register, scalars.combine(p.op, p.dtype, p.register, other));
            }
        }
        out.branchUnless(isBlock, end);
        if (cells == null) cells = out.shared("team_cells", CELL, (long) CELL * WARPS * accumulators);
        Reg base = out.mov(PtxType.U64, cells);
        Reg warp = out.shr(PtxType.U32, lane, out.constant(5));
        Reg stride = out.cvt(FloatMode.DEFAULT, PtxType.U64, PtxType.U32, warp);
        Reg mine = out.add(PtxType.S64, base, out.mul(PtxType.S64, stride, out.constant((long) CELL * parts.size())));
        Reg inWarp = out.and(PtxType.B32, lane, out.constant(WARP - 1));
        Reg leader = out.setp(Relation.EQ, PtxType.U32, inWarp, out.constant(0));
        for (int i = 0; i < parts.size(); i++) {
            Part p = parts.get(i);
            Operand v = p.dtype == DType.BOOL ? number(p.register) : p.register;
            out.add(
                    Guard.when(leader),
                    io.sinter.codegen.ptx.lang.Memory.Store.of(
                            Space.SHARED, cellType(p.dtype), out.at(mine, (long) CELL * i), v));
        }
        out.barrier();
        for (int i = 0; i < parts.size(); i++) load(parts.get(i), base, i);
        Reg at = out.mov(PtxType.U64, base);
        Reg left = out.shr(PtxType.U32, threads, out.constant(5));
        String head = out.newLabel();
        String done = out.newLabel();
        out.label(head);
        out.add(new io.sinter.codegen.ptx.lang.Arithmetic.Binary(
                io.sinter.codegen.ptx.lang.Arithmetic.BinaryOp.SUB,
                FloatMode.DEFAULT,
                PtxType.S32,
                left,
                left,
                out.constant(1)));
        out.branchIf(out.setp(Relation.EQ, PtxType.S32, left, out.constant(0)), done);
        out.assign(PtxType.B64, at, out.add(PtxType.S64, at, out.constant((long) CELL * parts.size())));
        for (int i = 0; i < parts.size(); i++) {
            Part p = parts.get(i);
            Operand other = cell(p, at, i);
            scalars.assign(p.dtype, p.register, scalars.combine(p.op, p.dtype, p.register, other));
        }
        out.branch(head);
        out.label(done);
        // The cells are free for what is reduced next.
        out.barrier();
        out.label(end);
    }

    private void load(Part p, Reg base, int i) {
        scalars.assign(p.dtype, p.register, cell(p, base, i));
    }

    private Operand cell(Part p, Reg base, int i) {
        Reg r = out.load(Space.SHARED, cellType(p.dtype), out.at(base, (long) CELL * i));
        return p.dtype == DType.BOOL ? out.setp(Relation.NE, PtxType.S32, r, out.constant(0)) : r;
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

    private Operand shuffle(DType t, Reg r, int distance) {
        Operand by = out.constant(distance);
        return switch (t) {
            case BOOL ->
                out.setp(Relation.NE, PtxType.S32, out.shfl(WarpOp.ShuffleMode.BFLY, number(r), by), out.constant(0));
            case I64, F64 -> {
                Operand.Vector halves = out.registers(PtxType.B32, 2);
                out.assign(PtxType.B64, halves, r);
                List<Operand> moved = new ArrayList<>();
                for (Operand h : halves.elements()) moved.add(out.shfl(WarpOp.ShuffleMode.BFLY, h, by));
                Reg d = out.register(t == DType.I64 ? PtxType.B64 : PtxType.F64);
                out.assign(PtxType.B64, d, new Operand.Vector(moved));
                yield d;
            }
            default -> out.shfl(WarpOp.ShuffleMode.BFLY, r, by);
        };
    }
}
