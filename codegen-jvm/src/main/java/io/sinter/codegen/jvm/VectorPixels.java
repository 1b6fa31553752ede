// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.constant;
import static io.sinter.codegen.jvm.bytecode.Code.lt;
import static io.sinter.codegen.jvm.bytecode.Code.mul;
import static io.sinter.codegen.jvm.bytecode.Code.sub;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The methods of {@link GemmTiles} over rows of pixels of one channel, in the Vector API. */
final class VectorPixels extends TileCode {

    /** Rows of pixels at a time: their sums are chains, so several hide the latency of one. */
    private static final int[] PIXEL_ROWS = {4, 2, 1};

    private final ClassBuilder cls;

    VectorPixels(ClassBuilder cls, Species species) {
        super(species);
        this.cls = cls;
    }

    void methods() {
        pixels();
        pixels3x3();
        taps3x3();
        laneSums();
    }

    private void pixels() {
        MethodBuilder m = cls.method("pixels", VOID);
        LocalVar rows = m.parameter("rows", INT);
        LocalVar columns = m.parameter("columns", INT);
        LocalVar a = m.parameter("a", LONG);
        LocalVar table = m.parameter("table", LONG);
        LocalVar b = m.parameter("b", LONG);
        LocalVar bRow = m.parameter("bRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar k = m.parameter("k", INT);
        LocalVar i = m.local("i", INT);
        m.body().add(i.set(constant(0)));
        for (int count : PIXEL_ROWS) {
            Block step = new Block()
                    .add(pixelRows(count).call(List.of(columns, a, table, b, bRow, c, cRow, k)))
                    .add(b.set(add(b, mul(bRow, constant((long) count)))))
                    .add(c.set(add(c, mul(cRow, constant((long) count)))))
                    .add(i.increment(count));
            m.body().whileLoop(new Compare(Compare.Op.LE, i, sub(rows, constant(count))), step);
        }
    }

    private MethodBuilder pixelRows(int rows) {
        MethodBuilder m = cls.staticMethod("pixels" + rows, VOID);
        LocalVar columns = m.parameter("columns", INT);
        LocalVar a = m.parameter("a", LONG);
        LocalVar table = m.parameter("table", LONG);
        LocalVar b = m.parameter("b", LONG);
        LocalVar bRow = m.parameter("bRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar k = m.parameter("k", INT);
        LocalVar x = m.local("x", INT);
        LocalVar j = m.local("j", INT);
        LocalVar from = m.local("from", LONG);
        LocalVar element = m.local("element", species.vectorType());
        LocalVar mask = m.local("mask", Species.MASK);
        LocalVar[] sums = new LocalVar[rows];
        for (int r = 0; r < rows; r++) sums[r] = m.local("sum" + r, species.vectorType());
        Block product = new Block()
                .add(element.set(weight(a, table, 0)))
                .add(from.set(add(b, offset(table, 4))))
                .add(table.set(add(table, constant(8L))));
        for (int r = 0; r < rows; r++) {
            product.add(sums[r].set(fma(element, load(add(from, mul(constant((long) r), bRow)), null), sums[r])));
        }
        LocalVar first = m.local("first", LONG);
        m.body().add(first.set(table));
        Block vector = new Block().add(table.set(first));
        for (int r = 0; r < rows; r++) vector.add(sums[r].set(zero()));
        vector.forLoop(j, constant(0), k, 1, product);
        Block whole = new Block();
        Block part = new Block().add(mask.set(firstLanes(sub(columns, x))));
        for (int r = 0; r < rows; r++) {
            Code to = add(c, mul(constant((long) r), cRow));
            whole.add(store(to, sums[r]));
            part.add(vec(sums[r]).store(to, mask));
        }
        vector.ifElse(new Compare(Compare.Op.LE, x, sub(columns, constant(species.lanes()))), whole, part)
                .add(b.set(add(b, constant((long) bytes()))), c.set(add(c, constant((long) bytes()))));
        m.body().forLoop(x, constant(0), columns, species.lanes(), vector);
        return m;
    }

    /** What methods of 3 × 3 taps get, behind the step: {@link GemmTiles#pixels3x3} and {@link GemmTiles#taps3x3}, and their methods of one vector of columns. */
    private record Operands(
            LocalVar rows,
            LocalVar columns,
            LocalVar a,
            LocalVar second,
            LocalVar b,
            LocalVar bRow,
            LocalVar firstRow,
            LocalVar endRow,
            LocalVar firstColumn,
            LocalVar endColumn,
            LocalVar zeros,
            List<LocalVar> results) {
        /**
         * @param second what follows a: a's table or the distance of its rows
         * @param results addresses and distances behind the plane
         */
        static Operands parameters(MethodBuilder m, String second, List<String> results) {
            return new Operands(
                    m.parameter("rows", INT),
                    m.parameter("columns", INT),
                    m.parameter("a", LONG),
                    m.parameter(second, LONG),
                    m.parameter("b", LONG),
                    m.parameter("bRow", LONG),
                    m.parameter("firstRow", INT),
                    m.parameter("endRow", INT),
                    m.parameter("firstColumn", INT),
                    m.parameter("endColumn", INT),
                    m.parameter("zeros", LONG),
                    results.stream().map(r -> m.parameter(r, LONG)).toList());
        }

        /** All of them for the columns from {@code x} on, which begin at column {@code seen} of b. Addresses are moved there by the caller. */
        List<Code> from(LocalVar x, LocalVar seen) {
            List<Code> all = new ArrayList<>(List.of(rows, sub(columns, x), a, second, b, bRow, firstRow, endRow));
            all.addAll(List.of(sub(firstColumn, seen), sub(endColumn, seen), zeros));
            all.addAll(results);
            return all;
        }
    }

    private Operands ofPixels(MethodBuilder m) {
        return Operands.parameters(m, "table", List.of("c", "cRow"));
    }

    private Operands ofTaps(MethodBuilder m) {
        return Operands.parameters(m, "aRow", List.of("sums"));
    }

    private void pixels3x3() {
        MethodBuilder m = cls.method("pixels3x3", VOID);
        LocalVar step = m.parameter("step", INT);
        Operands o = ofPixels(m);
        eachVector(m, step, o, o.results.getFirst(), Map.of(1, column3x3(1), -1, column3x3(-1), 2, column3x3(2)));
    }

    private void taps3x3() {
        MethodBuilder m = cls.method("taps3x3", VOID);
        LocalVar step = m.parameter("step", INT);
        Operands o = ofTaps(m);
        eachVector(m, step, o, o.a, Map.of(1, columnTaps(1), 2, columnTaps(2)));
    }

    /**
     * Calls a method for each vector of columns.
     *
     * @param along address that goes along the columns, as b does with its step
     * @param methods for each step
     */
    private void eachVector(
            MethodBuilder m, LocalVar step, Operands o, LocalVar along, Map<Integer, MethodBuilder> methods) {
        LocalVar x = m.local("x", INT);
        LocalVar seen = m.local("seen", INT);
        for (int known : new TreeSet<>(methods.keySet())) {
            int distance = Math.abs(known);
            Block vector = new Block()
                    .add(seen.set(mul(x, constant(distance))))
                    .add(methods.get(known).call(o.from(x, seen)))
                    .add(o.b.set(add(o.b, constant((long) distance * bytes()))))
                    .add(along.set(add(along, constant((long) bytes()))));
            Block all = new Block().forLoop(x, constant(0), o.columns, species.lanes(), vector);
            m.body().ifThen(new Compare(Compare.Op.EQ, step, constant(known)), all);
        }
    }

    /** The rows of the plane that a vector of columns sees, one after the other: variables of a method, and the code that reads the next row. */
    private final class Rows {
        final LocalVar[] taps = new LocalVar[3];
        final Block read = new Block();

        /** @param columns lanes that count; null: what is read in others does not matter */
        Rows(MethodBuilder m, int step, Operands o, Code columns) {
            LocalVar row = m.local("row", INT);
            LocalVar from = m.local("from", LONG);
            m.body().add(row.set(constant(0)));
            Compare there = new Compare(Compare.Op.GE, row, o.firstRow);
            read.add(from.set(o.zeros)).ifThen(there, new Block().ifThen(lt(row, o.endRow), from.set(o.b)));
            for (int j = 0; j < 3; j++) taps[j] = m.local("b" + j, species.vectorType());
            if (step == 2) {
                halfTaps(m, read, from, o, taps);
                for (int j = 0; j < 3 && columns != null; j++)
                    read.add(taps[j].set(new Vec(species, zero())
                            .blend(vec(taps[j]), columns)
                            .code()));
            } else {
                for (int j = 0; j < 3; j++) {
                    int column = step < 0 ? 2 - j : j;
                    LocalVar seen = m.local("seen" + j, Species.MASK);
                    Code within = lanesWithin(species, o, column);
                    m.body().add(seen.set(columns == null ? within : Masks.and(within, columns)));
                    read.add(taps[j].set(load(
                            add(from, constant((long) column * species.element().bytes())), seen)));
                }
            }
            read.add(o.b.set(add(o.b, o.bRow)), row.increment(1));
        }
    }

    /**
     * One vector of columns, from row to row: a row of b is read once, and has its part in the sums of three rows of c, of which the first is whole
     * then (of two rows with a step of 2). Each sum is a chain in the order of the taps, so its bits are those of a tile.
     */
    private MethodBuilder column3x3(int step) {
        MethodBuilder m = cls.staticMethod(step < 0 ? "mirrored3x3" : "column3x3By" + step, VOID);
        Operands o = ofPixels(m);
        LocalVar c = o.results.getFirst();
        LocalVar mask = m.local("mask", Species.MASK);
        m.body().add(mask.set(firstLanes(o.columns)));
        LocalVar[] weights = new LocalVar[9];
        for (int j = 0; j < 9; j++) {
            weights[j] = m.local("a" + j, species.vectorType());
            m.body().add(weights[j].set(weight(o.a, o.second, 8 * j)));
        }
        Rows seen = new Rows(m, step, o, null);
        LocalVar old = m.local("old", species.vectorType());
        LocalVar young = m.local("young", species.vectorType());
        Code first = chain(weights, 0, seen.taps, zero());
        m.body().add(seen.read, young.set(first));
        Block each = new Block();
        Block second = step == 2 ? each : m.body();
        second.add(seen.read, old.set(chain(weights, 3, seen.taps, young)));
        if (step != 2) second.add(young.set(first));
        each.add(seen.read, vec(chain(weights, 6, seen.taps, old)).store(c, mask));
        if (step != 2) each.add(old.set(chain(weights, 3, seen.taps, young)));
        each.add(young.set(first), c.set(add(c, o.results.getLast())));
        m.body().forLoop(m.local("i", INT), constant(0), o.rows, 1, each);
        return m;
    }

    /** One vector of columns of {@code taps3x3}: the rows that three taps see are held, so that each is read once. */
    private MethodBuilder columnTaps(int step) {
        MethodBuilder m = cls.staticMethod("columnTapsBy" + step, VOID);
        Operands o = ofTaps(m);
        LocalVar mask = m.local("mask", Species.MASK);
        m.body().add(mask.set(firstLanes(o.columns)));
        LocalVar[] sum = new LocalVar[9];
        for (int j = 0; j < 9; j++) {
            sum[j] = m.local("sum" + j, species.vectorType());
            m.body().add(sum[j].set(load(sumOf(o, j))));
        }
        Rows seen = new Rows(m, step, o, mask);
        LocalVar[][] held = new LocalVar[2][3];
        for (int r = 0; r < 2; r++)
            for (int j = 0; j < 3; j++) held[r][j] = m.local("held" + r + j, species.vectorType());
        LocalVar pixel = m.local("pixel", species.vectorType());
        m.body().add(seen.read, copy(held[0], seen.taps));
        Block each = new Block();
        (step == 2 ? each : m.body()).add(seen.read, copy(held[1], seen.taps));
        each.add(seen.read, pixel.set(load(o.a, mask)));
        for (int j = 0; j < 9; j++) {
            LocalVar tap = j < 6 ? held[j / 3][j % 3] : seen.taps[j % 3];
            each.add(sum[j].set(fma(pixel, tap, sum[j])));
        }
        if (step != 2) each.add(copy(held[0], held[1]), copy(held[1], seen.taps));
        else each.add(copy(held[0], seen.taps));
        each.add(o.a.set(add(o.a, o.second)));
        m.body().forLoop(m.local("i", INT), constant(0), o.rows, 1, each);
        for (int j = 0; j < 9; j++) m.body().add(store(sumOf(o, j), sum[j]));
        return m;
    }

    private Code sumOf(Operands o, int tap) {
        return add(o.results.getFirst(), constant((long) tap * bytes()));
    }

    private static Block copy(LocalVar[] to, LocalVar[] from) {
        Block b = new Block();
        for (int j = 0; j < to.length; j++) b.add(to[j].set(from[j]));
        return b;
    }

    private void laneSums() {
        MethodBuilder m = cls.method("laneSums", VOID);
        LocalVar count = m.parameter("count", INT);
        LocalVar sums = m.parameter("sums", LONG);
        LocalVar to = m.parameter("to", LONG);
        LocalVar toRow = m.parameter("toRow", LONG);
        LocalVar lanes = m.local("lanes", species.vectorType());
        Block each = new Block()
                .add(lanes.set(load(sums)))
                .add(storeScalar(to, vec(lanes).sumLanes()))
                .add(sums.set(add(sums, constant((long) bytes()))), to.set(add(to, toRow)));
        m.body().forLoop(m.local("i", INT), constant(0), count, 1, each);
    }

    /** What every second pixel of a row sees: even elements, odd ones, and the even ones from the second on. As integers, whose lanes a vector can select. */
    private void halfTaps(MethodBuilder m, Block read, LocalVar from, Operands o, LocalVar[] taps) {
        Species bits = species.integral();
        LocalVar even = m.local("even", bits.vectorType());
        LocalVar odd = m.local("odd", bits.vectorType());
        m.body().add(even.set(Vec.iota(bits).mul(Vec.bits(bits, 2)).code()));
        m.body().add(odd.set(new Vec(bits, even).add(Vec.bits(bits, 1)).code()));
        Vec[] parts = new Vec[4];
        for (int p = 0; p < 4; p++) {
            int column = p / 2 * 2 + p % 2 * species.lanes();
            LocalVar seen = m.local("seen" + p, Species.MASK);
            LocalVar part = m.local("part" + p, bits.vectorType());
            m.body().add(seen.set(lanesWithin(bits, o, column)));
            Code at = add(from, constant((long) column * species.element().bytes()));
            read.add(part.set(Vec.load(bits, at, seen).code()));
            parts[p] = new Vec(bits, part);
        }
        Vec evens = new Vec(bits, even);
        read.add(taps[0].set(
                evens.selectFrom(parts[0], parts[1]).reinterpret(species).code()));
        read.add(taps[1].set(new Vec(bits, odd)
                .selectFrom(parts[0], parts[1])
                .reinterpret(species)
                .code()));
        read.add(taps[2].set(
                evens.selectFrom(parts[2], parts[3]).reinterpret(species).code()));
    }

    /** Lanes of a vector that begins at {@code column} whose columns are there. */
    private static Code lanesWithin(Species s, Operands o, int column) {
        Code below = s.indexInRange(constant(0), sub(o.endColumn, constant(column)));
        return Masks.andNot(below, s.indexInRange(constant(0), sub(o.firstColumn, constant(column))));
    }

    private Code chain(LocalVar[] weights, int from, LocalVar[] taps, Code sum) {
        for (int j = 0; j < taps.length; j++) sum = fma(weights[from + j], taps[j], sum);
        return sum;
    }

    /** A weight, in all lanes. */
    private Code weight(LocalVar a, LocalVar table, int at) {
        return broadcast(loadScalar(add(a, offset(table, at))));
    }
}
