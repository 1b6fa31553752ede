// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows gone through block by block: row = {@link #block} · size + {@link #row}. The last block may be shorter, and the limit on its rows is part of the code
 * always, so that any number of rows is the same code.
 */
final class RowBlocks {
    private final Var block;
    private final Var row;
    private final long size;
    private final long count;
    private final Map<Var, Index> positions = new HashMap<>();

    /**
     * @param rows the variables that number the rows, outermost first
     * @param size rows of a block
     */
    RowBlocks(List<Var> rows, long size) {
        this.size = size;
        long[] dims = rows.stream().mapToLong(v -> v.extent().lit()).toArray();
        long n = 1;
        for (long d : dims) n *= d;
        count = n;
        String name = rows.getFirst().name();
        block = new Var(name + "b", Coef.of((n + size - 1) / size));
        row = new Var(name + "p", Coef.of(size));
        List<Index> at =
                IndexMath.unflatten(IndexMath.add(IndexMath.mul(IndexMath.var(block), size), IndexMath.var(row)), dims);
        for (int i = 0; i < dims.length; i++) positions.put(rows.get(i), at.get(i));
    }

    /** Numbers the blocks. */
    Var block() {
        return block;
    }

    /** Numbers the rows of a block. */
    Var row() {
        return row;
    }

    /** Rows from the block's first one to the last of all. */
    Index rest() {
        return IndexMath.add(IndexMath.mul(IndexMath.var(block), -size), count);
    }

    /** Steps of {@code each} rows, of which {@code size} is a multiple, that reach the block's end. */
    Index steps(long each) {
        if (size % each != 0) throw new IllegalArgumentException("blocks of " + size + " rows, in steps of " + each);
        return IndexMath.add(IndexMath.mul(IndexMath.var(block), -size / each), (count + each - 1) / each);
    }

    /** Code over the rows as code over blocks and their rows. */
    List<Stmt> inside(List<Stmt> code) {
        return Rewriter.substitute(positions::get).stmts(code);
    }
}
