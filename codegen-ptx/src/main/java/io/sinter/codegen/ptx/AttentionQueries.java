// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionCells.Places;
import io.sinter.codegen.ptx.AttentionEmitter.Result;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Stmt.Combine;
import java.util.Arrays;
import java.util.List;

/**
 * What attention's gradients know of the queries of a block, in shared memory: of each the logarithm of its sum, and Σ dout · out. That one is added up for the
 * gradient of queries, which leaves it in scratch memory to the kernels after it.
 */
final class AttentionQueries {
    private final KernelBuilder out;
    private final Result result;
    private final Reg sums;
    private final Reg deltas;
    private AttentionCode g;
    /** The row of scratch memory of the matrix's first query; there are some for each row of all blocks of queries. */
    private Operand scratchRow;

    /** @param bytes of an element */
    AttentionQueries(KernelBuilder out, int bytes, Result result) {
        this.out = out;
        this.result = result;
        int n = AttentionCode.SIDE * bytes;
        Operand.Symbol first = out.shared("query_sums", 16, n);
        Operand.Symbol second = out.shared("query_deltas", 16, n);
        sums = out.mov(PtxType.U64, first);
        deltas = out.mov(PtxType.U64, second);
    }

    /**
     * Begins a block of the result.
     *
     * @param g what makes its code
     * @param batches how many matrices there are
     * @param matrix number of the block's
     */
    void begin(AttentionCode g, Operand batches, Operand matrix) {
        this.g = g;
        Operand before = g.scalars.mulLong(g.special(Operand.Special.CTAID_Y), batches);
        Operand queries = g.scalars.mulLong(g.blocks(g.extent(g.kernel.i())), out.constant(AttentionCode.SIDE));
        scratchRow = g.scalars.mulLong(g.scalars.addLong(before, matrix), queries);
    }

    /** The logarithms of the sums of the queries at the thread's places. */
    List<Operand> sums(Places places) {
        return known(sums, places);
    }

    /** The same of Σ dout · out. */
    List<Operand> deltas(Places places) {
        return known(deltas, places);
    }

    private List<Operand> known(Reg of, Places places) {
        Reg at = out.add(PtxType.S64, of, g.scalars.mulLong(places.base(), out.constant(g.bytes)));
        return Arrays.stream(places.offsets())
                .mapToObj(i -> (Operand) out.load(Space.SHARED, g.type, out.at(at, (long) i * g.bytes)))
                .toList();
    }

    /**
     * Writes down what is known of each query of a block.
     *
     * @param value0 the result's first column
     */
    void write(Operand query0, Operand value0) {
        int each = result == Result.DQ ? g.cells.threadsOfQuery() : 1;
        int some = Math.min(AttentionCode.SIDE, g.threads / each);
        Operand number = g.high(each);
        if (each * some < g.threads)
            g.c.memory.when(
                    out.setp(Relation.LT, PtxType.S64, number, out.constant(some)),
                    () -> query(query0, number, each, value0));
        else if (some == AttentionCode.SIDE) query(query0, number, each, value0);
        else
            g.c.loop(
                    out.constant(0),
                    out.constant(AttentionCode.SIDE),
                    out.constant(some),
                    from -> query(query0, g.scalars.addLong(from, number), each, value0));
        out.barrier();
    }

    /**
     * Writes down what is known of a query.
     *
     * @param number of the query within the block
     * @param each threads that do it together
     * @param value0 the result's first column
     */
    private void query(Operand query0, Operand number, int each, Operand value0) {
        Operand query = g.scalars.addLong(query0, number);
        Operand place = g.within(List.of(query), g.extent(g.kernel.i())).getFirst();
        Operand delta = result == Result.DQ ? g.butterfly(Combine.SUM, delta(place, each), each / 2) : null;
        Operand sum = g.values(g.saved.get(2), g.kernel.i(), List.of(place), null, null)
                .getFirst();
        Operand offset = g.scalars.mulLong(number, out.constant(g.bytes));
        Operand inScratch = g.scalars.addLong(scratchRow, query);
        Reg scratch = out.add(PtxType.S64, g.scratch, g.scalars.mulLong(inScratch, out.constant(g.bytes)));
        if (each == 1) {
            put(sums, offset, sum);
            if (result != Result.DV) put(deltas, offset, out.load(Space.GLOBAL, g.type, out.at(scratch)));
            return;
        }
        Reg first = out.setp(Relation.EQ, PtxType.S64, g.low(each), out.constant(0));
        g.c.memory.when(first, () -> {
            put(sums, offset, sum);
            put(deltas, offset, delta);
            Reg alone = out.setp(Relation.EQ, PtxType.S64, value0, out.constant(0));
            g.c.memory.when(alone, () -> out.store(Space.GLOBAL, g.type, out.at(scratch), delta));
        });
    }

    /** A thread's part of Σ dout · out of a query. */
    private Reg delta(Operand query, int each) {
        Reg delta = g.register(g.zero());
        g.c.loop(
                g.low(each),
                g.extent(g.kernel.e()),
                out.constant(each),
                e -> g.side(1, () -> {
                    g.c.bind(g.kernel.i(), Value.of(DType.I64, query));
                    g.c.bind(g.kernel.e(), Value.of(DType.I64, e));
                    Operand x = g.c.value(g.saved.get(0)).lane(0);
                    Operand y = g.c.value(g.saved.get(1)).lane(0);
                    g.scalars.assign(g.kernel.acc(), delta, out.mad(g.type, x, y, delta));
                }));
        return delta;
    }

    private void put(Reg to, Operand offset, Operand value) {
        Reg at = out.add(PtxType.S64, to, offset);
        out.add(Memory.Store.of(Space.SHARED, g.type, out.at(at), g.scalars.register(g.kernel.acc(), value)));
    }
}
