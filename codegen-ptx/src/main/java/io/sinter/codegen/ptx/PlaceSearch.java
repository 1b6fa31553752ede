// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic.UnaryOp;
import io.sinter.codegen.ptx.lang.Bitwise.LogicOp;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Var;
import java.util.List;

/**
 * Writes updates of looked-up places ({@link PlaceUpdates}) so that each place's are made by one warp, in their order, while others make other places': a
 * warp that has an update looks through all of them for those of its place; if the first is another warp's, so are the rest.
 *
 * <p>The lowest wrong index is reported: the first update's warp looks at all, and whoever else meets one has looked at all before it.
 */
final class PlaceSearch {
    /** Updates that each lane looks at before the warp decides whether one of them matters. */
    private static final int ABREAST = 4;

    private final BodyEmitter c;
    private final KernelBuilder out;
    private final StatementEmitter statements;
    private final PlaceUpdates updates;
    private final Team team;
    private final List<Var> tasks;
    private final Operand lane;
    private final Operand count;
    private final Operand bound;

    /** @param tasks that each update has; none if they are the launch's */
    PlaceSearch(BodyEmitter c, Team team, StatementEmitter statements, PlaceUpdates updates, List<Var> tasks) {
        this.tasks = tasks;
        this.c = c;
        this.out = c.out;
        this.statements = statements;
        this.updates = updates;
        this.team = team;
        lane = team.lane();
        count = c.indices.coef(updates.number().extent());
        bound = c.indices.coef(updates.place().bound());
    }

    /**
     * What an update's place is.
     *
     * @param given as it was looked up
     * @param inside whether that is right
     * @param place counted from the start
     */
    private record Looked(Reg given, Reg inside, Reg place) {}

    private Looked look(Operand number) {
        Looked[] result = new Looked[1];
        c.nested(false, () -> {
            c.bind(updates.number(), Value.of(DType.I64, number));
            Reg x = c.scalars.register(
                    DType.I64, c.value(updates.place().value()).lane(0));
            Reg inside = c.memory.inside(x, c.memory.least(updates.place(), bound), bound);
            result[0] = new Looked(x, inside, c.memory.wrapped(updates.place(), x, bound));
        });
        return result[0];
    }

    /** The updates of the place of update {@code own}, if that is the first. */
    void task(Operand own) {
        String end = out.newLabel();
        Reg mine = look(own).place;
        Reg isFirst = out.setp(Relation.EQ, PtxType.S32, out.constant(0), out.constant(0));
        c.loop(out.constant(0), count, out.constant(Team.WARP * ABREAST), from -> {
            Reg any = null;
            for (int i = 0; i < ABREAST; i++) {
                Operand at = c.scalars.addLong(c.scalars.addLong(from, lane), out.constant(Team.WARP * i));
                Looked x = look(out.min(PtxType.S64, at, c.scalars.addLong(count, out.constant(-1))));
                Reg matters =
                        out.setp(Relation.EQ, PtxType.S64, x.place, mine, LogicOp.OR, out.not(PtxType.PRED, x.inside));
                Reg there = out.setp(Relation.LT, PtxType.S64, at, count, LogicOp.AND, matters);
                any = any == null ? there : out.or(PtxType.PRED, any, there);
            }
            Reg found = out.register(PtxType.PRED);
            out.add(new WarpOp.Vote(WarpOp.Vote.Mode.ANY, found, any, out.constant(-1)));
            c.memory.when(found, () -> {
                Operand stop = out.min(PtxType.S64, count, c.scalars.addLong(from, out.constant(Team.WARP * ABREAST)));
                c.loop(from, stop, out.constant(Team.WARP), first -> closer(first, own, mine, isFirst, end));
            });
        });
        out.label(end);
    }

    /** Makes the update whose number and place are known. */
    private void update() {
        if (tasks.isEmpty()) {
            statements.run(updates.body());
            return;
        }
        c.loop(out.constant(0), LoopEmitter.count(c, tasks), out.constant(1), task -> {
            LoopEmitter.bind(c, tasks, task);
            statements.run(updates.body());
        });
    }

    private Reg ballot(Reg p) {
        Reg d = out.register(PtxType.B32);
        out.add(new WarpOp.Vote(WarpOp.Vote.Mode.BALLOT, d, p, out.constant(-1)));
        return d;
    }

    /** The lowest bit's number, of bits that are not all 0. */
    private Reg lowest(Reg bits) {
        return out.unary(UnaryOp.CLZ, PtxType.B32, out.unary(UnaryOp.BREV, PtxType.B32, bits));
    }

    /** Goes through the updates of a warp's lanes from {@code first} on. */
    private void closer(Reg first, Operand own, Reg mine, Reg isFirst, String end) {
        Operand at = c.scalars.addLong(first, lane);
        Looked x = look(out.min(PtxType.S64, at, c.scalars.addLong(count, out.constant(-1))));
        Reg there = out.setp(Relation.LT, PtxType.S64, at, count);
        Reg wrong = ballot(out.and(PtxType.PRED, there, out.not(PtxType.PRED, x.inside)));
        c.memory.when(out.setp(Relation.NE, PtxType.S32, wrong, out.constant(0)), () -> {
            Reg lowest = out.wide(lowest(wrong));
            c.memory.when(
                    out.setp(Relation.EQ, PtxType.S64, c.scalars.register(DType.I64, lane), lowest),
                    () -> c.memory.report(updates.place(), x.given, bound));
            out.branch(end);
        });
        Reg left = ballot(out.setp(Relation.EQ, PtxType.S64, x.place, mine, LogicOp.AND, there));
        c.nested(true, () -> {
            String head = out.newLabel();
            String exit = out.newLabel();
            out.label(head);
            out.branchIf(out.setp(Relation.EQ, PtxType.S32, left, out.constant(0)), exit);
            Reg number = out.add(PtxType.S64, first, out.wide(lowest(left)));
            Reg another = out.setp(
                    Relation.NE, PtxType.S64, number, c.scalars.register(DType.I64, own), LogicOp.AND, isFirst);
            out.branchIf(another, end);
            out.assign(PtxType.PRED, isFirst, out.setp(Relation.NE, PtxType.S32, out.constant(0), out.constant(0)));
            c.nested(false, () -> {
                c.bind(updates.number(), Value.of(DType.I64, number));
                c.known(updates.place(), Value.of(DType.I64, mine));
                // A single element is one thread's: another one might read it late.
                if (updates.lanes() == null) c.memory.when(team.first(), this::update);
                else update();
            });
            Reg rest = out.and(PtxType.B32, left, out.sub(PtxType.S32, left, out.constant(1)));
            out.assign(PtxType.B32, left, rest);
            out.branch(head);
            out.label(exit);
        });
    }
}
