// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Access;
import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.WarpOp.ShuffleMode;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A scan of long lines, by CTAs. A CTA takes the elements of a line, or of a part of one, tile by tile: each thread combines some neighbours, warps
 * combine what their threads have by shuffles, and all read what each warp has. Where a line is in parts, a first kernel has combined each of them but the last
 * ("reduce, then scan", after Merrill and Grimshaw 2009): the line is read twice, but nobody waits for another CTA, and the order of all operations follows from
 * the line's length and the number of parts.
 */
final class ScanEmitter {
    /** Threads of a CTA. */
    static final int THREADS = 256;

    private static final int WARP = 32;
    private static final int WARPS = THREADS / WARP;

    /** CTAs that are to fit a multiprocessor at a time; more would cost cheap kernels registers that they need. */
    private static final int CTAS = 3;

    /** Operations of a tile's elements of one thread up to which a kernel is cheap. */
    private static final int CHEAP = 60;

    private final ScanSchedule schedule;
    private final boolean totals;
    private final String listing;
    private final int file;
    private final KernelBuilder out;
    private final Exchange exchange;
    private final BodyEmitter c;
    private final ScanLoop scan;
    private final DType type;
    private final Map<Stmt, Integer> statementLines;
    private final Set<Access> wide;
    private final int width;
    /** Of a tile. */
    private final long elements;

    private final Operand scratch;
    private final Operand lines;
    private final Reg thread;
    private final Operand thread64;
    private final Reg lane;
    private final Reg warp;
    /** Address of the cells of warps; there are two sets, used in turn. */
    private final Reg cells;
    /** What everything before the tile combines to; where parts are combined alone, each thread's own for each of its neighbours. */
    private List<Reg> carry;

    /**
     * The code of a kernel, in one piece or two.
     *
     * @throws IllegalArgumentException if the kernel is no scan
     */
    static PtxKernel emit(LoopKernel kernel, ScanSchedule schedule, String entry, int file) {
        if (schedule.parts() == 1) return new ScanEmitter(kernel, schedule, false, entry, file).emit(null);
        PtxKernel second = new ScanEmitter(kernel, schedule, false, entry + "_scan", file).emit(null);
        return new ScanEmitter(kernel, schedule, true, entry, file).emit(second);
    }

    /** @param totals whether it only combines the parts, all but each line's last, for the kernel after it */
    private ScanEmitter(LoopKernel kernel, ScanSchedule schedule, boolean totals, String entry, int file) {
        this.schedule = schedule;
        this.totals = totals;
        this.file = file;
        out = new KernelBuilder(entry);
        exchange = new Exchange(out);
        String text = KernelText.print(kernel);
        listing = text + "// " + schedule.note() + "\n";
        List<Stmt> body = new Canon().statements(new MathCode().stmts(kernel.body()));
        scan = ScanLoop.in(kernel, body);
        if (scan == null) throw new IllegalArgumentException(kernel.name() + " is no scan");
        statementLines = StatementEmitter.number(body, text);
        type = scan.running().dtype();
        Facts facts = new Facts();
        facts.add(body);
        Stmt.Loop along = scan.along();
        Set<Access> neighbours = SharedLoop.wide(along, facts);
        width = neighbours.isEmpty()
                ? SharedLoop.width(along, type.bytes())
                : SharedLoop.width(along, neighbours, false);
        wide = width == 1 ? Set.of() : neighbours;
        elements = (long) THREADS * width;
        boolean cheap = width * SharedLoop.cost(along) <= CHEAP;
        out.limits(Kernel.Limits.threads(THREADS).withMinCtas(cheap ? CTAS : 1));

        Reg blocks = out.pointer();
        Reg stride = out.parameter(PtxType.U64);
        boolean inParts = schedule.parts() > 1;
        Reg memory = inParts ? out.pointer() : out.parameter(PtxType.U64);
        IntCode ints = new IntCode(out);
        Operand y = ints.wide(out.mov(PtxType.U32, Operand.Special.CTAID_Y));
        Reg block = out.mad(PtxType.S64, y, stride, blocks);
        thread = out.mov(PtxType.U32, Operand.Special.TID_X);
        thread64 = ints.wide(thread);
        lane = out.and(PtxType.B32, thread, out.constant(WARP - 1));
        warp = out.shr(PtxType.U32, thread, out.constant(5));
        long set = (long) WARPS * Exchange.CELL;
        cells = out.mov(PtxType.U64, out.shared("scan_cells", (int) (2 * set), 2 * set));
        c = new BodyEmitter(out, facts, new BodyEmitter.Frame(block, out.constant(0)));
        Operand count = out.constant(1);
        for (var v : scan.lines()) count = c.scalars.mulLong(count, c.indices.coef(v.extent()));
        lines = count;
        Operand cellsOfAll = c.scalars.mulLong(lines, out.constant((long) Exchange.CELL * schedule.parts()));
        scratch = inParts ? c.scalars.addLong(memory, c.scalars.mulLong(y, cellsOfAll)) : null;
    }

    private PtxKernel emit(PtxKernel next) {
        int parts = totals ? schedule.parts() - 1 : schedule.parts();
        Operand units = c.scalars.mulLong(lines, out.constant(parts));
        IntCode ints = new IntCode(out);
        Operand ctas = ints.wide(out.mov(PtxType.U32, Operand.Special.NCTAID_X));
        Operand first = ints.wide(out.mov(PtxType.U32, Operand.Special.CTAID_X));
        ScalarEmitter.Divisor perPart = schedule.parts() == 1 ? null : c.scalars.divisor(lines);
        c.loop(first, units, ctas, unit -> {
            // Neighbouring lines at the same time: they may share what one access brings.
            Operand part = perPart == null ? out.constant(0) : c.scalars.quotient(unit, perPart);
            Operand line = perPart == null ? unit : c.scalars.rest(unit, part, perPart);
            LoopEmitter.bind(c, scan.lines(), line);
            if (scan.limit() == null) {
                part(line, part);
                return;
            }
            Operand last = c.binding(scan.lines().getLast()).lane(0);
            Operand limit = c.indices.value(scan.limit()).lane(0);
            c.memory.when(
                    out.setp(Relation.LT, PtxType.S64, c.scalars.register(DType.I64, last), limit),
                    () -> part(line, part));
        });
        out.ret();
        LaunchRule rule = new LaunchRule.Parts(
                scan.lines().stream().map(v -> v.extent()).toList(),
                parts,
                THREADS,
                schedule.parts() == 1 ? 0 : (long) Exchange.CELL * schedule.parts());
        return new PtxKernel(out.build(), listing, rule, next, List.of());
    }

    // ---- a part of a line

    private void part(Operand line, Operand part) {
        Operand n = c.indices.coef(scan.along().var().extent());
        Operand from = out.constant(0);
        Operand end = n;
        if (schedule.parts() > 1) {
            // Parts are whole tiles, but for the end of the line; what is beyond it is empty.
            long all = elements * schedule.parts();
            Operand up = c.scalars.addLong(n, out.constant(all - 1));
            Operand length = out.mul(
                    PtxType.S64,
                    out.shr(PtxType.U64, up, out.constant(Long.numberOfTrailingZeros(all))),
                    out.constant(elements));
            from = out.min(PtxType.S64, out.mul(PtxType.S64, part, length), n);
            end = out.min(PtxType.S64, out.add(PtxType.S64, from, length), n);
        }
        begin(line, part);
        Operand length = c.scalars.register(DType.I64, schedule.parts() > 1 ? out.sub(PtxType.S64, end, from) : end);
        Operand whole = c.scalars.addLong(from, out.and(PtxType.B64, length, out.constant(-elements)));
        Operand start = from;
        if (wide.isEmpty()) {
            tiles(new Step(scan.along().var(), width, Set.of()), start, whole);
        } else {
            Reg aligned = (Reg) SharedLoop.aligned(c, scan, wide, scan.along().var(), width);
            c.memory.when(aligned, () -> tiles(new Step(scan.along().var(), width, wide), start, whole));
            Reg not = out.not(PtxType.PRED, aligned);
            c.memory.when(not, () -> tiles(new Step(scan.along().var(), width, Set.of()), start, whole));
        }
        rest(whole, end);
        if (totals) finish(line, part);
    }

    private void begin(Operand line, Operand part) {
        carry = new ArrayList<>();
        for (int k = 0; k < (totals ? width : 1); k++) carry.add(identity());
        if (totals || schedule.parts() == 1) return;
        Reg before = identity();
        Reg mine = out.setp(Relation.LT, PtxType.S64, c.scalars.register(DType.I64, thread64), part);
        c.memory.when(
                mine,
                () -> c.scalars.assign(
                        type, before, exchange.get(Space.GLOBAL, type, out.at(total(line, part, thread64)))));
        c.scalars.assign(type, carry.getFirst(), inCta(before).all);
    }

    private Reg identity() {
        return (Reg) c.scalars
                .copy(Value.of(type, c.scalars.identity(scan.op(), type)))
                .lane(0);
    }

    /** Address of what a part of a line combines to. */
    private Operand total(Operand line, Operand part, Operand number) {
        Operand cell = c.scalars.addLong(c.scalars.mulLong(line, out.constant(schedule.parts())), number);
        return c.scalars.addLong(scratch, c.scalars.mulLong(cell, out.constant(Exchange.CELL)));
    }

    /** Whole tiles. */
    private void tiles(Step step, Operand from, Operand end) {
        Operand first = c.scalars.mulLong(thread64, out.constant(step.width()));
        Operand by = out.constant((long) THREADS * step.width());
        c.loop(
                from,
                end,
                by,
                base -> c.nestedStep(step, false, () -> {
                    c.bind(step.variable(), Value.of(DType.I64, out.add(PtxType.S64, base, first)));
                    line(scan.along().body().getFirst());
                    Value x = c.value(scan.value());
                    List<Operand> running = running(x, step.width());
                    if (!totals) store(Value.of(type, step.width(), running::get));
                }));
        c.unbind(step.variable());
    }

    /** What is left: one element a thread, as far as there are any. */
    private void rest(Operand from, Operand end) {
        Step step = new Step(scan.along().var(), 1, Set.of());
        c.loop(
                from,
                end,
                out.constant(THREADS),
                base -> c.nestedStep(step, false, () -> {
                    Reg i = out.add(PtxType.S64, base, thread64);
                    c.bind(step.variable(), Value.of(DType.I64, i));
                    Reg inside = out.setp(Relation.LT, PtxType.S64, i, end);
                    Reg x = identity();
                    c.memory.when(inside, () -> {
                        line(scan.along().body().getFirst());
                        c.scalars.assign(type, x, c.value(scan.value()).lane(0));
                    });
                    List<Operand> running = running(Value.of(type, x), 1);
                    if (!totals) c.memory.when(inside, () -> store(Value.of(type, running.getFirst())));
                }));
        c.unbind(step.variable());
    }

    private void store(Value running) {
        c.bind(scan.running(), running);
        line(scan.store());
        c.memory.store(scan.store(), null);
        c.unbind(scan.running());
    }

    private void line(Stmt s) {
        Integer line = statementLines.get(s);
        if (line != null) out.location(file, line, 0);
    }

    // ---- combining

    private Operand combine(Operand a, Operand b) {
        Operand x = c.scalars.combine(scan.op(), type, a, b);
        return scan.narrow() == null ? x : c.scalars.narrow(scan.narrow(), x);
    }

    /** The running values of a thread's neighbours, where all threads have a tile's; or nothing but the sums for {@link #finish}. */
    private List<Operand> running(Value x, int n) {
        if (totals) {
            for (int k = 0; k < n; k++) c.scalars.assign(type, carry.get(k), combine(carry.get(k), x.lane(k)));
            return List.of();
        }
        List<Operand> own = new ArrayList<>(List.of(x.lane(0)));
        for (int k = 1; k < n; k++) own.add(combine(own.getLast(), x.lane(k)));
        Reg before = carry.getFirst();
        Scanned tile = inCta(own.getLast());
        Operand prefix = combine(before, tile.before);
        List<Operand> all = own.stream().map(v -> combine(prefix, v)).toList();
        c.scalars.assign(type, before, combine(before, tile.all));
        return all;
    }

    /** The first kernel's end: threads combine what each has, and the first one stores it. */
    private void finish(Operand line, Operand part) {
        Operand mine = carry.getFirst();
        for (int k = 1; k < width; k++) mine = combine(mine, carry.get(k));
        Operand all = inCta(mine).all;
        Reg first = out.setp(Relation.EQ, PtxType.U32, thread, out.constant(0));
        Operand to = total(line, part, part);
        out.add(Guard.when(first), exchange.put(Space.GLOBAL, type, out.at(to), all));
    }

    /**
     * What a CTA's threads combine to.
     *
     * @param before of the threads before this one
     * @param all of all threads
     */
    private record Scanned(Operand before, Operand all) {}

    private Scanned inCta(Operand mine) {
        Operand inclusive = c.scalars.register(type, mine);
        for (int distance = 1; distance < WARP; distance *= 2) {
            Operand other = exchange.shuffle(ShuffleMode.UP, type, inclusive, distance);
            Reg has = out.setp(Relation.GE, PtxType.U32, lane, out.constant(distance));
            inclusive = c.scalars.select(type, has, combine(other, inclusive), inclusive);
        }
        Operand none = c.scalars.identity(scan.op(), type);
        Operand left = exchange.shuffle(ShuffleMode.UP, type, inclusive, 1);
        Reg isFirst = out.setp(Relation.EQ, PtxType.U32, lane, out.constant(0));
        Operand inWarp = c.scalars.select(type, isFirst, none, left);
        // The other set of cells: nobody reads it any more, as all have met at a barrier since.
        out.assign(PtxType.B64, cells, out.xor(PtxType.B64, cells, out.constant((long) WARPS * Exchange.CELL)));
        Reg isLast = out.setp(Relation.EQ, PtxType.U32, lane, out.constant(WARP - 1));
        Operand own = c.scalars.addLong(cells, new IntCode(out).wide(out.shl(PtxType.B32, warp, out.constant(3))));
        out.add(Guard.when(isLast), exchange.put(Space.SHARED, type, out.at(own), inclusive));
        out.barrier();
        Operand before = none;
        Operand all = null;
        for (int w = 0; w < WARPS; w++) {
            if (w > 0) {
                Reg isBefore = out.setp(Relation.GE, PtxType.U32, warp, out.constant(w));
                before = c.scalars.select(type, isBefore, all, before);
            }
            Operand cell = exchange.get(Space.SHARED, type, out.at(cells, (long) w * Exchange.CELL));
            all = w == 0 ? cell : combine(all, cell);
        }
        return new Scanned(combine(c.scalars.register(type, before), inWarp), all);
    }
}
