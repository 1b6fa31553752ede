// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A loop kernel as PTX. Teams of threads take the tasks in turn; the threads of a team share the loops that the IR calls VECTOR, and do
 * everything else alike.
 */
final class LoopEmitter {
    /**
     * CTAs that are to fit a multiprocessor at a time, so that other threads hide what one waits for. Left alone, the assembler spills registers for the
     * sake of more; three leave each thread 80, which cheap kernels do with.
     */
    private static final int CTAS = 3;

    /** The same of CTAs of {@link LaunchRule#MAX_TEAM} threads: two leave each 64, which do unless elements take two registers. */
    private static final int TEAM_CTAS = 2;

    /**
     * Operations of all elements that a thread takes side by side, up to which a kernel is cheap; one of several results with more than {@link #SOME_SLOTS}, an
     * optimizer's update; and one with more than {@link #FEW_SLOTS}.
     */
    private static final int CHEAP = 450;

    private static final int CHEAP_WITH_SOME_SLOTS = 150;

    private static final int CHEAP_WITH_MANY_SLOTS = 120;

    private static final int SOME_SLOTS = 10;

    /** Slots of the parameter block that leave room for the loads of many steps. */
    private static final int ROOMY = 12;

    /** Slots of the parameter block that leave room for so many operations, and of a team's: what loops do not change is held in two registers each. */
    private static final int FEW_SLOTS = 16;

    private static final int FEW_TEAM_SLOTS = 10;

    /** Operations, and accumulators' parts, beyond which two teams of {@link LaunchRule#MAX_TEAM} threads would have too few registers. */
    private static final int LARGE = 300;

    static final int MANY_PARTS = 8;

    /** The same of one such team. Several smaller ones have more long rows under way than a GPU's cache holds from pass to pass. */
    private static final int TOO_LARGE = 450;

    private static final int TOO_MANY_PARTS = 12;

    /** Slots of the parameter block that leave such a team too few registers: what loops do not change is held in two registers each. */
    private static final int MANY_SLOTS = 32;

    /** CTAs of warps with a row each that are to fit a multiprocessor: they leave each thread 80 registers, or 128 if a row's code is long. */
    private static final int ROW_CTAS = 3;

    private static final int LONG_ROW_CTAS = 2;

    /** Operations of all elements of a step, of all passes, up to which 80 registers do. */
    private static final int LONG_ROW = 170;

    private final LoopKernel kernel;
    /** Null where rows are not held in registers. */
    private final RowSchedule rows;

    private final boolean anyOrder;
    /** Null where updates are not sought by their places. */
    private final Schedule.ByPlace byPlace;

    private final int file;
    private final KernelBuilder out;

    /** @param form {@link Schedule.AnyOrder}: stores, each an {@link Update}, are atomic, as several threads may update one element */
    LoopEmitter(LoopKernel kernel, Schedule form, String entry, int file) {
        this.kernel = kernel;
        rows = form instanceof RowSchedule r ? r : null;
        anyOrder = form instanceof Schedule.AnyOrder;
        byPlace = form instanceof Schedule.ByPlace b ? b : null;
        this.file = file;
        this.out = new KernelBuilder(entry);
    }

    PtxKernel emit() {
        String text = KernelText.print(kernel);
        String listing = text
                + (anyOrder ? "// updates by atomic instructions, in any order\n" : "")
                + (byPlace != null ? "// updates of one place by a warp, in their order\n" : "")
                + (byPlace != null && byPlace.whole() ? "// a warp's are of whole slices\n" : "")
                + (rows != null ? "// " + rows.note() + "\n" : "");
        RowPasses passes = rows == null ? null : RowPasses.in(kernel);
        List<Stmt> body = passes != null ? passes.body() : new Canon().statements(new MathCode().stmts(kernel.body()));
        Facts facts = new Facts();
        facts.add(body);
        PlaceUpdates updates = byPlace != null ? PlaceUpdates.in(kernel, body) : null;
        List<Stmt.Loop> loops = SharedLoop.in(body);
        Hazards hazards = new Hazards(passes != null || updates != null ? List.of() : body);
        boolean scratch = passes == null && kernel.buffers().stream().anyMatch(b -> b.kind() == Buf.Kind.SCRATCH);
        int accumulators = 0;
        for (Stmt.Loop l : loops)
            accumulators += StatementEmitter.accumulators(l).size();
        boolean cooperates = accumulators > 0 || !loops.isEmpty() && (scratch || hazards.any());
        int width = 1;
        int cost = 0;
        for (Stmt.Loop l : loops) {
            int w = SharedLoop.width(l, SharedLoop.wide(l, facts), anyOrder);
            width = Math.max(width, w);
            cost += w * SharedLoop.cost(l);
        }
        boolean whole = byPlace != null && byPlace.whole();
        List<Var> grid = new ArrayList<>(whole ? List.of() : kernel.grid());
        Var own = updates == null ? null : new Var("own", updates.number().extent());
        if (own != null) grid.add(own);
        List<Coef> tasks = grid.stream().map(Var::extent).toList();
        LaunchRule rule;
        boolean ample = false;
        if (passes != null) {
            rule = new LaunchRule.RowTeams(tasks, rows.threads());
            out.limits(rowLimits(cost));
        } else if (updates != null) {
            rule = new LaunchRule.RowTeams(tasks, Team.WARP);
            out.limits(Kernel.Limits.threads(LaunchRule.CTA).withMinCtas(CTAS));
        } else {
            int parts = accumulators * width;
            boolean large = cost > LARGE || parts > MANY_PARTS || kernel.slots() > MANY_SLOTS;
            boolean tooLarge = cost > TOO_LARGE || parts > TOO_MANY_PARTS || kernel.slots() > MANY_SLOTS;
            int most = cooperates && !tooLarge ? LaunchRule.MAX_TEAM : LaunchRule.CTA;
            rule = new LaunchRule.Teams(
                    tasks,
                    loops.stream().map(l -> l.var().extent()).toList(),
                    cooperates,
                    most,
                    width,
                    kernel.scratchBytes());
            boolean cheap = cost <= cheap();
            boolean smallTeam = !large && width == SharedLoop.MAX_WIDTH && kernel.slots() <= FEW_TEAM_SLOTS;
            boolean small = cooperates ? smallTeam : cheap;
            int minCtas = !small ? 1 : cooperates ? TEAM_CTAS : CTAS;
            ample = minCtas == 1 && most == LaunchRule.CTA;
            out.limits(Kernel.Limits.threads(most).withMinCtas(minCtas));
        }

        Reg blocks = out.pointer();
        Reg stride = out.parameter(PtxType.U64);
        Reg scratchBase = out.parameter(PtxType.U64);
        Reg y = out.wide(out.mov(PtxType.U32, Operand.Special.CTAID_Y));
        Reg block = out.mad(PtxType.S64, y, stride, blocks);
        Reg teams = out.wide(out.mov(PtxType.U32, Operand.Special.NTID_Y));
        Reg ctas = out.wide(out.mov(PtxType.U32, Operand.Special.NCTAID_X));
        Reg x = out.wide(out.mov(PtxType.U32, Operand.Special.CTAID_X));
        Reg inCta = out.wide(out.mov(PtxType.U32, Operand.Special.TID_Y));
        Reg first = out.mad(PtxType.S64, x, teams, inCta);
        Reg all = out.mul(PtxType.S64, ctas, teams);
        Operand mine = passes != null ? null : scratchBase;
        if (passes == null && kernel.scratchBytes() > 0) {
            Reg number = out.mad(PtxType.S64, y, all, first);
            mine = out.mad(PtxType.S64, number, out.constant(kernel.scratchBytes()), scratchBase);
            if (rule.usesDynamicShared()) mine = scratch(scratchBase, inCta, mine);
        }
        Team team = new Team(
                out, cooperates, accumulators, passes != null ? rows.threads() : updates != null ? Team.WARP : 0);
        BodyEmitter c = new BodyEmitter(out, facts, new BodyEmitter.Frame(block, mine), anyOrder);
        Map<Stmt, Integer> lines = StatementEmitter.number(body, text);
        StatementEmitter statements =
                new StatementEmitter(c, team, hazards, loops.isEmpty(), kernel.slots() <= ROOMY, ample, file, lines);
        if (passes != null) statements.hold(new HeldRows(c, team, statements, passes, rows));
        PlaceSearch search = updates == null
                ? null
                : new PlaceSearch(c, team, statements, updates, whole ? kernel.grid() : List.of());
        c.loop(first, count(c, grid), all, task -> {
            bind(c, grid, task);
            if (search != null) search.task(c.binding(own).lane(0));
            else statements.run(body);
            // The next task's writes into scratch memory are not to meet this one's reads.
            if (cooperates && scratch) team.sync();
        });
        out.ret();
        return new PtxKernel(out.build(), listing, rule);
    }

    private int cheap() {
        if (kernel.slots() > FEW_SLOTS) return CHEAP_WITH_MANY_SLOTS;
        long results =
                kernel.buffers().stream().filter(b -> b.kind() == Buf.Kind.OUT).count();
        return kernel.slots() > SOME_SLOTS && results > 1 ? CHEAP_WITH_SOME_SLOTS : CHEAP;
    }

    /** What is held of a row, and what is computed of it, is to stay in registers. */
    private Kernel.Limits rowLimits(int cost) {
        boolean isLong = cost > LONG_ROW
                || kernel.slots() > FEW_SLOTS
                || kernel.buffers().stream().anyMatch(b -> b.dtype().bytes() == Long.BYTES);
        int threads = Math.max(LaunchRule.CTA, rows.threads());
        int ctas = (isLong ? LONG_ROW_CTAS : ROW_CTAS) * LaunchRule.CTA / threads;
        return Kernel.Limits.threads(threads).withMinCtas(Math.max(1, ctas));
    }

    /** The generic address of a team's own memory: shared memory, where the launch has no scratch memory. */
    private Reg scratch(Reg scratchBase, Reg team, Operand inGlobal) {
        Reg shared = out.register(PtxType.U64);
        Reg at = out.mov(PtxType.U64, new Operand.Symbol(PtxCodegen.DYNAMIC_SHARED));
        out.add(new Movement.ConvertAddress(false, Space.SHARED, PtxType.U64, shared, at));
        Reg inShared = out.mad(PtxType.S64, team, out.constant(kernel.scratchBytes()), shared);
        Reg isShared = out.setp(Relation.EQ, PtxType.S64, scratchBase, out.constant(0));
        return out.selp(PtxType.B64, inShared, inGlobal, isShared);
    }

    /** The number of a grid's tasks. */
    static Operand count(BodyEmitter c, List<Var> grid) {
        Operand count = c.out.constant(1);
        for (Var v : grid) count = c.scalars.mulLong(count, c.indices.coef(v.extent()));
        return count;
    }

    /** Gives a grid's variables their values in a task, whose number counts them row-major. */
    static void bind(BodyEmitter c, List<Var> grid, Operand task) {
        Operand rest = task;
        for (int i = grid.size() - 1; i >= 0; i--) {
            Var v = grid.get(i);
            if (i == 0) {
                c.bind(v, Value.of(DType.I64, rest));
                return;
            }
            ScalarEmitter.Divisor n = c.indices.divisor(v.extent());
            Operand quotient = c.scalars.quotient(rest, n);
            c.bind(v, Value.of(DType.I64, c.scalars.rest(rest, quotient, n)));
            rest = quotient;
        }
    }
}
