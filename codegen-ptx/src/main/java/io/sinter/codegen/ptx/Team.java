// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
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
import java.util.List;

/**
 * The threads that share a task: those of one row (x) of the CTA. A team that works together is one thread, one warp, or a whole CTA of
 * several warps ({@link LaunchRule}), so that a shuffle or barrier always has all of its threads. Code is the same for all of
 * these, unless the number of threads is fixed.
 */
final class Team {
    static final int WARP = 32;

    /** Most warps of a team. */
    private static final int WARPS = LaunchRule.MAX_TEAM / WARP;

    /** An accumulator whose parts are in the threads' registers. */
    record Part(DType dtype, Combine op, Reg register) {}

    private final KernelBuilder out;
    private final ScalarEmitter scalars;
    private final Exchange exchange;
    private final Reg lane;
    private final Reg lane64;
    private final Reg threads;
    private final Reg threads64;
    private final Reg first;
    private final Reg isBlock;
    private final Reg isWarp;
    private Operand.Symbol cells;
    private final int accumulators;
    /** How many threads there are; 0 if a launch decides. */
    private final int fixed;

    /**
     * @param cooperates whether the threads of a team wait for each other
     * @param accumulators how many values are reduced together at most
     * @param fixed how many threads a team has, a multiple of a warp's; 0 if a launch decides
     */
    Team(KernelBuilder out, boolean cooperates, int accumulators, int fixed) {
        this.out = out;
        this.fixed = fixed;
        this.scalars = new ScalarEmitter(out);
        this.exchange = new Exchange(out);
        this.accumulators = accumulators;
        lane = out.mov(PtxType.U32, Operand.Special.TID_X);
        threads = out.mov(PtxType.U32, Operand.Special.NTID_X);
        lane64 = out.wide(lane);
        threads64 = out.wide(threads);
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
        if (fixed == 0) out.branchUnless(out.or(PtxType.PRED, isBlock, isWarp), end);
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            for (Part p : parts) {
                Operand other = exchange.shuffle(WarpOp.ShuffleMode.BFLY, p.dtype, p.register, distance);
                scalars.assign(p.dtype, p.register, scalars.combine(p.op, p.dtype, p.register, other));
            }
        }
        if (fixed == WARP) return;
        if (fixed == 0) out.branchUnless(isBlock, end);
        if (cells == null) cells = out.shared("team_cells", Exchange.CELL, (long) Exchange.CELL * WARPS * accumulators);
        Reg base = out.mov(PtxType.U64, cells);
        Reg warp = out.shr(PtxType.U32, lane, out.constant(5));
        Reg stride = out.wide(warp);
        Reg mine = out.add(
                PtxType.S64, base, out.mul(PtxType.S64, stride, out.constant((long) Exchange.CELL * parts.size())));
        Reg inWarp = out.and(PtxType.B32, lane, out.constant(WARP - 1));
        Reg leader = out.setp(Relation.EQ, PtxType.U32, inWarp, out.constant(0));
        for (int i = 0; i < parts.size(); i++) {
            Part p = parts.get(i);
            Operand.Address cell = out.at(mine, (long) Exchange.CELL * i);
            out.add(Guard.when(leader), exchange.put(Space.SHARED, p.dtype, cell, p.register));
        }
        out.barrier();
        for (int i = 0; i < parts.size(); i++) load(parts.get(i), base, i);
        if (fixed > 0) {
            for (int w = 1; w < fixed / WARP; w++) {
                for (int i = 0; i < parts.size(); i++) add(parts.get(i), base, w * parts.size() + i);
            }
        } else {
            others(parts, base);
        }
        // The cells are free for what is reduced next.
        out.barrier();
        if (fixed == 0) out.label(end);
    }

    /** Adds what the other warps have, in order. */
    private void others(List<Part> parts, Reg base) {
        Reg at = out.mov(PtxType.U64, base);
        Reg left = out.shr(PtxType.U32, threads, out.constant(5));
        String head = out.newLabel();
        String done = out.newLabel();
        out.label(head);
        out.add(new Arithmetic.Binary(
                Arithmetic.BinaryOp.SUB, FloatMode.DEFAULT, PtxType.S32, left, left, out.constant(1)));
        out.branchIf(out.setp(Relation.EQ, PtxType.S32, left, out.constant(0)), done);
        out.assign(PtxType.B64, at, out.add(PtxType.S64, at, out.constant((long) Exchange.CELL * parts.size())));
        for (int i = 0; i < parts.size(); i++) add(parts.get(i), at, i);
        out.branch(head);
        out.label(done);
    }

    private void add(Part p, Reg base, int i) {
        scalars.assign(p.dtype, p.register, scalars.combine(p.op, p.dtype, p.register, cell(p, base, i)));
    }

    private void load(Part p, Reg base, int i) {
        scalars.assign(p.dtype, p.register, cell(p, base, i));
    }

    private Operand cell(Part p, Reg base, int i) {
        return exchange.get(Space.SHARED, p.dtype, out.at(base, (long) Exchange.CELL * i));
    }
}
