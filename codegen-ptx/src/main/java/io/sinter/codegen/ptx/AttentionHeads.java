// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks of operands of 16 bits whose lines, all of a head's features, lie in shared memory at once, and their products by {@code mma.sync}. A line's
 * chunks of 16 bytes are exchanged by exclusive or with the line's number modulo 8, so that 8 neighbouring lines' chunks are all banks; features that
 * there are none of are 0.
 *
 * <p>A warp has some tiles of 16 rows. The fragment of a right operand is read once for all of them: shared memory gives 128 bytes a clock, which is
 * less than one tile's products take.
 */
final class AttentionHeads {
    static final int WARPS = 4;
    static final int THREADS = 32 * WARPS;

    /** Bytes of a block of lines that products go through. */
    static final int BLOCK = 8192;

    private static final int CHUNK = GemmOperand.CHUNK;
    /** Rows of a tile, and steps of an instruction. */
    static final int TILE = 16;

    final AttentionCode g;
    final KernelBuilder out;
    final IntCode ints;
    private final PtxType type;
    /** Features of a line, in memory perhaps fewer, and its bytes. */
    final int features;

    final int lineBytes;
    /** Lines of {@link #BLOCK}. */
    final int lines;

    final Operand thread;
    final Operand warp;
    final Operand lane;
    /** The lane's row among 8, and its place among the 4 of a row: it has columns 2 · place and the next of each 8. */
    final Operand laneRow;

    final Operand lanePlace;
    /** The lane's row among 8 for {@code ldmatrix}, and the two bits of its matrix's number. */
    private final Operand matrixRow;

    private final Operand low;
    private final Operand high;

    AttentionHeads(AttentionCode g, AttentionSchedule schedule) {
        this.g = g;
        out = g.out;
        ints = new IntCode(out);
        type = schedule.math().type();
        features = schedule.features();
        lineBytes = 2 * features;
        lines = BLOCK / lineBytes;
        thread = out.mov(PtxType.U32, Operand.Special.TID_X);
        warp = ints.div(thread, 32);
        lane = ints.mod(thread, 32);
        laneRow = ints.div(lane, 4);
        lanePlace = ints.mod(lane, 4);
        matrixRow = ints.mod(lane, 8);
        low = ints.mod(ints.div(lane, 8), 2);
        high = ints.div(lane, 16);
    }

    // ---- copies

    /**
     * Where a thread reads its chunks of an operand's lines, block after block.
     *
     * @param at address of its chunk of the block's first line that it copies
     * @param apart bytes from there to the next
     * @param available bytes of the chunk that are features
     */
    record Source(Reg at, Operand apart, Operand available) {}

    private int chunks() {
        return lineBytes / CHUNK;
    }

    /** Lines between two that a thread copies. */
    private int apart() {
        return THREADS / chunks();
    }

    /** The first line of a block that the thread copies. */
    private Operand copiedLine() {
        return ints.div(thread, chunks());
    }

    /** An operand, from a line on. */
    Source source(Expr operand, Var line, Operand from, Var along) {
        Expr.Load l = (Expr.Load) operand;
        Operand at = ints.wide(ints.mul(ints.mod(thread, chunks()), CHUNK / 2));
        Operand left = out.sub(PtxType.S64, g.extent(along), at);
        Operand some = out.max(PtxType.S64, out.min(PtxType.S64, left, out.constant(CHUNK / 2)), out.constant(0));
        Reg address = address(l.buffer(), l.index(), line, g.scalars.addLong(from, ints.wide(copiedLine())), along, at);
        Operand apart = g.scalars.mulLong(stride(l.index(), line), out.constant(apart()));
        return new Source(address, apart, ints.mul(ints.low(some), 2));
    }

    /** The address of an element of 16 bits, in a register of its own. */
    Reg address(Buf buffer, Index index, Var line, Operand number, Var along, Operand at) {
        Operand[] base = new Operand[1];
        g.side(1, () -> {
            g.c.bind(line, Value.of(DType.I64, number));
            g.c.bind(along, Value.of(DType.I64, at));
            base[0] = g.c.indices.addresses(buffer, index).getFirst().base();
        });
        return out.mov(PtxType.B64, base[0]);
    }

    /** Bytes from line to line. */
    Operand stride(Index index, Var line) {
        for (Index.Term t : index.terms())
            if (t.atom() instanceof Index.VarAtom v && v.var() == line) return g.c.indices.scaled(t.coef(), 2);
        return out.constant(0);
    }

    /** Lines that there are from the thread's first of a block on. */
    Operand left(Operand size, Operand from) {
        return out.sub(PtxType.S64, out.sub(PtxType.S64, size, from), ints.wide(copiedLine()));
    }

    /** For each line that the thread copies whether it is there. */
    List<Reg> there(Operand left, int count) {
        List<Reg> all = new ArrayList<>();
        for (int i = 0; i < count / apart(); i++)
            all.add(out.setp(Relation.GT, PtxType.S64, left, out.constant((long) i * apart())));
        return all;
    }

    /**
     * Copies lines to shared memory, and goes on to the next.
     *
     * @param to shared address of the block
     */
    void copy(Source s, Operand to, List<Reg> there) {
        Operand line = copiedLine();
        Operand chunk = ints.xor(ints.mod(thread, chunks()), ints.mod(line, 8));
        Operand target = ints.add(to, ints.add(ints.mul(line, lineBytes), ints.mul(chunk, CHUNK)));
        for (int i = 0; i < there.size(); i++) {
            Operand bytes = out.selp(PtxType.B32, s.available, out.constant(0), there.get(i));
            out.add(new AsyncCopy.Copy(
                    true, List.of(), out.at(target, (long) i * apart() * lineBytes), out.at(s.at), CHUNK, bytes));
            out.assign(PtxType.B64, s.at, out.add(PtxType.S64, s.at, s.apart));
        }
    }

    // ---- fragments

    /** Where the lane reads a left operand whose lines are rows: of the tile that begins at a line, its first step. */
    Operand leftRows(Operand block, Operand line) {
        return place(block, ints.add(line, ints.add(ints.mul(low, 8), matrixRow)), high);
    }

    /** Where the lane reads a right operand whose lines are columns: of its first 16 columns the first step. */
    Operand rightColumns(Operand block) {
        return place(block, ints.add(ints.mul(high, 8), matrixRow), low);
    }

    /** Where the lane reads a right operand whose lines are steps: of the first step's lines the first 16 columns. */
    Operand rightSteps(Operand block) {
        return place(block, ints.add(ints.mul(low, 8), matrixRow), high);
    }

    private Operand place(Operand block, Operand line, Operand chunk) {
        return ints.add(block, ints.add(ints.mul(line, lineBytes), ints.mul(ints.xor(chunk, matrixRow), CHUNK)));
    }

    /** A place, some pairs of chunks further along its line. */
    Operand along(Operand place, int pairs) {
        return ints.xor(place, out.constant(2L * CHUNK * pairs));
    }

    /** Four matrices, that many lines further. */
    List<Operand> matrices(Operand place, int linesFurther, boolean transposed) {
        Operand.Vector d = out.registers(PtxType.B32, 4);
        out.add(new Matrix.LoadMatrix(4, transposed, Space.SHARED, d, out.at(place, (long) linesFurther * lineBytes)));
        return d.elements();
    }

    /** Two numbers in one register, rounded. */
    Operand pair(Operand first, Operand second) {
        Reg d = out.register(PtxType.B32);
        PtxType both = type == PtxType.BF16 ? PtxType.BF16X2 : PtxType.F16X2;
        out.add(new Movement.Convert(FloatMode.RN, both, PtxType.F32, d, second, first));
        return d;
    }

    /** Registers for sums of 16 rows and some columns: of each 8 columns the lane's two in its row, and in that 8 rows further. */
    List<Reg> tile(int columns) {
        List<Reg> all = new ArrayList<>();
        for (int i = 0; i < columns / 2; i++) all.add(out.register(PtxType.F32));
        return all;
    }

    /**
     * Adds products of two blocks of 8 columns.
     *
     * @param firstBlock number of the first
     * @param b of each block two registers
     * @param zero what products are added to instead of the sums so far; or null
     */
    void multiply(List<Reg> sums, int firstBlock, List<Operand> a, List<Operand> b, Reg zero) {
        for (int i = 0; i < 2; i++) {
            Operand.Vector d =
                    new Operand.Vector(List.copyOf(sums.subList(4 * (firstBlock + i), 4 * (firstBlock + i) + 4)));
            Operand.Vector c = zero == null ? d : Operand.Vector.of(zero, zero, zero, zero);
            out.add(new Matrix.Mma(
                    new Matrix.Shape(TILE, 8, TILE),
                    false,
                    PtxType.F32,
                    type,
                    type,
                    PtxType.F32,
                    d,
                    new Operand.Vector(a),
                    new Operand.Vector(b.subList(2 * i, 2 * i + 2)),
                    c));
        }
    }

    /** Two numbers of one register. */
    List<Operand> apart(Operand pair) {
        if (type == PtxType.BF16)
            return List.of(
                    g.scalars.bits(DType.F32, out.shl(PtxType.B32, pair, out.constant(16))),
                    g.scalars.bits(DType.F32, out.and(PtxType.B32, pair, out.constant(0xffff0000L))));
        Operand.Vector halves = out.registers(PtxType.B16, 2);
        out.assign(PtxType.B32, halves, pair);
        return halves.elements().stream()
                .map(x -> (Operand) g.scalars.fromHalf(x))
                .toList();
    }

    /** Sums as the left operand of a product over their columns, rounded: one step of 16. */
    List<Operand> asLeft(List<? extends Operand> tile, int step) {
        List<Operand> all = new ArrayList<>();
        for (int half = 0; half < 2; half++)
            for (int row = 0; row < 2; row++) {
                int at = 4 * (2 * step + half) + 2 * row;
                all.add(pair(tile.get(at), tile.get(at + 1)));
            }
        return all;
    }

    // ---- results

    /** Puts a tile of 16 lines into shared memory, rounded, from a line of it on. */
    void put(List<? extends Operand> tile, Operand to, Operand line) {
        Operand row = ints.add(line, laneRow);
        Operand at = ints.add(
                ints.add(to, ints.mul(row, lineBytes)), ints.add(ints.mul(laneRow, CHUNK), ints.mul(lanePlace, 4)));
        for (int block = 0; block < features / 8; block++) {
            Operand chunk = ints.xor(at, out.constant((long) CHUNK * block));
            for (int half = 0; half < 2; half++)
                out.store(
                        Space.SHARED,
                        PtxType.B32,
                        out.at(chunk, 8L * half * lineBytes),
                        pair(tile.get(4 * block + 2 * half), tile.get(4 * block + 2 * half + 1)));
        }
    }

    /**
     * Stores lines that the warp has put into shared memory, by 16 bytes.
     *
     * @param from the line that is the first in shared memory
     * @param size how many there are
     * @param line the warp's first in shared memory
     * @param count of the warp
     */
    void store(
            Stmt.Store target,
            Var lineVar,
            Operand from,
            Operand size,
            Var along,
            Operand memory,
            Operand line,
            int count) {
        int atOnce = 32 / chunks();
        Operand first = ints.div(lane, chunks());
        Operand number = ints.mod(lane, chunks());
        Operand place = ints.add(
                ints.add(memory, ints.mul(ints.add(line, first), lineBytes)), ints.mul(ints.xor(number, first), CHUNK));
        Operand at = ints.wide(ints.mul(number, CHUNK / 2));
        Operand row = g.scalars.addLong(from, ints.wide(ints.add(line, first)));
        Reg to = address(target.buffer(), target.index(), lineVar, row, along, at);
        Operand apart = g.scalars.mulLong(stride(target.index(), lineVar), out.constant(atOnce));
        Reg across = out.setp(Relation.LT, PtxType.S64, at, g.extent(along));
        Operand left = out.sub(PtxType.S64, size, row);
        for (int i = 0; i < count / atOnce; i++) {
            Operand swizzled = ints.xor(place, out.constant((long) CHUNK * (i * atOnce % 8)));
            Operand.Vector chunk =
                    out.load(Space.SHARED, PtxType.B32, 4, out.at(swizzled, (long) i * atOnce * lineBytes));
            Reg inside = out.setp(
                    Relation.GT, PtxType.S64, left, out.constant((long) i * atOnce), Bitwise.LogicOp.AND, across);
            out.add(Guard.when(inside), Memory.Store.of(Space.GLOBAL, PtxType.B32, out.at(to), chunk));
            out.assign(PtxType.B64, to, out.add(PtxType.S64, to, apart));
        }
    }
}
