// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.and;
import static io.sinter.codegen.jvm.bytecode.Code.cast;
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
import io.sinter.ir.DType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Type;

/**
 * Generates {@link GemmTiles} for f32 and f64 in the Vector API. A tile's accumulators are as many
 * vectors as there are registers for beside one row of b and a broadcast element of a: 6×4 of 32 (AVX-512,
 * NEON), 6×2 of 16 (AVX2; with 3×4, which needs 17, HotSpot spills and takes twice the time).
 *
 * <p>Each tile shape is a method of its own, as small as it can be: HotSpot's first compiler refuses
 * methods of many memory accesses, and such a method would never be profiled and stay slow. So there are not
 * two of each, of which one adds to what is there: a tile always adds, and finds zeros where it is to add nothing.
 */
final class GemmVectorTiles extends TileCode {
    /** The most rows of a tile. */
    static final int ROWS = 6;

    private static final boolean IS_ARM = System.getProperty("os.arch").equals("aarch64");

    private final int rows;
    private final int vectors;
    private final ClassBuilder cls;

    private GemmVectorTiles(String className, DType dtype, int bits) {
        super(new Species(dtype, bits / 8 / dtype.bytes()));
        this.rows = ROWS;
        this.vectors = vectors(bits);
        this.cls = new ClassBuilder(className, "io/sinter/codegen/jvm/GemmTiles", null);
    }

    /** The most vectors in a row of a tile. */
    static int vectors(int bits) {
        return bits == 512 || IS_ARM ? 4 : 2;
    }

    /** The class file of a subclass of {@link GemmTiles}. */
    static byte[] generate(String className, DType dtype, int bits) {
        return new GemmVectorTiles(className, dtype, bits).generate(dtype);
    }

    private byte[] generate(DType dtype) {
        Type dtypeType = Type.getType(DType.class);
        cls.method("dtype", dtypeType).body().add(Code.ret(Code.getStatic(dtypeType, dtype.name(), dtypeType)));
        constantMethod("lanes", species.lanes());
        constantMethod("rows", rows);
        constantMethod("vectors", vectors);
        for (Form form : Form.values()) tileMethod(form);
        new VectorPixels(cls, species).methods();
        addMethod();
        new VectorDots(cls, species).methods();
        copyMethod();
        panelsMethod();
        VectorSquares.whole(cls.method("transposeSquare", VOID), species.integral());
        halvesMethod();
        return cls.toBytes();
    }

    private void constantMethod(String name, int value) {
        cls.method(name, INT).body().add(Code.ret(constant(value)));
    }

    /** How a tile finds its operands: see {@link GemmTiles#tile}, {@link GemmTiles#shifted}, {@link GemmTiles#gathered}. */
    private enum Form {
        TILE("tile", "a", "aRow", "aK", "b", "bK", "c", "cRow"),
        SHIFTED("shifted", "a", "aRow", "table", "b", "c", "cRow"),
        GATHERED("gathered", "a", "table", "b", "bK", "c", "cRow");

        final String method;
        final List<String> addresses;

        /** Whether what the products are added to is a parameter; else tiles only store. */
        boolean mayAdd() {
            return this != SHIFTED;
        }

        Form(String method, String... addresses) {
            this.method = method;
            this.addresses = List.of(addresses);
        }
    }

    /** Finds the method of the tile's shape. */
    private void tileMethod(Form form) {
        MethodBuilder m = cls.method(form.method, VOID);
        LocalVar adds = form.mayAdd() ? m.parameter("adds", Type.BOOLEAN_TYPE) : null;
        LocalVar r = m.parameter("rows", INT);
        LocalVar c = m.parameter("vectors", INT);
        Map<String, LocalVar> p = addresses(m, form);
        if (form.mayAdd()) summands(m, adds, p);
        List<Code> rest = List.copyOf(p.values());
        MethodBuilder[][] tiles = new MethodBuilder[rows + 1][vectors + 1];
        for (int i = rows; i > 0; i--) for (int j = vectors; j > 0; j--) tiles[i][j] = fixedTile(form, i, j);
        LocalVar aRow = p.get("aRow");
        if (aRow != null) m.body().ifThen(lt(aRow, constant(0L)), downwards(m, r, c, tiles[1], p));
        // The full tile comes first: it is nearly always the one.
        for (int i = rows; i > 0; i--) {
            Block ofRow = new Block();
            for (int j = vectors; j > 0; j--) {
                Block found = new Block().add(tiles[i][j].call(rest), Code.ret());
                ofRow.ifThen(new Compare(Compare.Op.EQ, c, constant(j)), found);
            }
            m.body().ifThen(new Compare(Compare.Op.EQ, r, constant(i)), ofRow);
        }
    }

    /** Rows of a that follow each other downwards in memory, one by one: the rows of a tile lie at distances that are not negative. */
    private static Block downwards(
            MethodBuilder m, LocalVar rows, LocalVar vectors, MethodBuilder[] ofVectors, Map<String, LocalVar> p) {
        Block row = new Block();
        for (int j = 1; j < ofVectors.length; j++) {
            Block one = new Block().add(ofVectors[j].call(List.copyOf(p.values())));
            row.ifThen(new Compare(Compare.Op.EQ, vectors, constant(j)), one);
        }
        for (String name : List.of("a", "c", "from")) {
            if (p.containsKey(name)) row.add(p.get(name).set(add(p.get(name), p.get(name + "Row"))));
        }
        return new Block().forLoop(m.local("i", INT), constant(0), rows, 1, row).add(Code.ret());
    }

    private static Map<String, LocalVar> addresses(MethodBuilder m, Form form) {
        Map<String, LocalVar> p = new LinkedHashMap<>();
        for (String name : form.addresses) p.put(name, m.parameter(name, LONG));
        p.put("k", m.parameter("k", INT));
        return p;
    }

    /** Where the values are that the products are added to: in c, or zeros. */
    private static void summands(MethodBuilder m, LocalVar adds, Map<String, LocalVar> p) {
        LocalVar from = m.local("from", LONG);
        LocalVar fromRow = m.local("fromRow", LONG);
        Code nothing = Code.call(Type.getType(GemmTiles.class), "nothing", LONG, List.of());
        Block there = new Block().add(from.set(p.get("c")), fromRow.set(p.get("cRow")));
        m.body().add(from.set(nothing), fromRow.set(constant(0L))).ifThen(adds, there);
        p.put("from", from);
        p.put("fromRow", fromRow);
    }

    private MethodBuilder fixedTile(Form form, int rows, int vectors) {
        MethodBuilder m = cls.staticMethod(form.method + rows + "x" + vectors, VOID);
        Map<String, LocalVar> p = addresses(m, form);
        LocalVar from = form.mayAdd() ? m.parameter("from", LONG) : null;
        LocalVar fromRow = form.mayAdd() ? m.parameter("fromRow", LONG) : null;
        LocalVar a = p.get("a");
        LocalVar b = p.get("b");
        LocalVar c = p.get("c");
        LocalVar table = p.get("table");
        LocalVar[][] sums = new LocalVar[rows][vectors];
        LocalVar[] rowOfA = new LocalVar[rows];
        for (int i = 0; i < rows; i++) {
            rowOfA[i] = m.local("a" + i, LONG);
            Code row = form == Form.GATHERED ? add(a, offset(table, 4 * i)) : mul(constant((long) i), p.get("aRow"));
            m.body().add(rowOfA[i].set(Memory.base(row)));
            for (int j = 0; j < vectors; j++) {
                sums[i][j] = m.local("sum" + i + "_" + j, species.vectorType());
                m.body().add(sums[i][j].set(zero()));
            }
        }
        LocalVar step = m.local("step", INT);
        LocalVar[] rowOfB = new LocalVar[vectors];
        Block loop = new Block();
        // What each row's address is added to: a's element in row 0, whose distances the rows are, or how far along its
        // row it is.
        Code fromA = a;
        LocalVar fromB = b;
        m.body().add(a.set(Memory.base(a)), b.set(Memory.base(b)));
        switch (form) {
            case TILE -> {}
            case SHIFTED -> {
                LocalVar shifted = m.local("from", LONG);
                fromB = m.local("fromB", LONG);
                loop.add(shifted.set(Memory.base(add(a, offset(table, 0)))));
                loop.add(fromB.set(Memory.base(add(b, offset(table, 4)))));
                fromA = shifted;
            }
            case GATHERED ->
                fromA = mul(cast(LONG, step), constant((long) species.element().bytes()));
        }
        for (int j = 0; j < vectors; j++) {
            rowOfB[j] = m.local("b" + j, species.vectorType());
            loop.add(rowOfB[j].set(load(add(fromB, constant((long) j * bytes())))));
        }
        LocalVar element = m.local("element", species.vectorType());
        for (int i = 0; i < rows; i++) {
            loop.add(element.set(broadcast(loadScalar(add(rowOfA[i], fromA)))));
            for (int j = 0; j < vectors; j++) loop.add(sums[i][j].set(fma(element, rowOfB[j], sums[i][j])));
        }
        switch (form) {
            case TILE -> loop.add(advance(a, p.get("aK")), advance(b, p.get("bK")));
            case SHIFTED -> loop.add(advance(table, constant(8L)));
            case GATHERED -> loop.add(advance(b, p.get("bK")));
        }
        m.body().forLoop(step, constant(0), p.get("k"), 1, loop).add(c.set(Memory.base(c)));
        if (from != null) m.body().add(from.set(Memory.base(from)));
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < vectors; j++) {
                Code at = constant((long) j * bytes());
                Code value = from == null ? sums[i][j] : sum(load(add(from, at)), sums[i][j]);
                m.body().add(store(add(c, at), value));
            }
            m.body().add(advance(c, p.get("cRow")));
            if (from != null) m.body().add(advance(from, fromRow));
        }
        return m;
    }

    private void addMethod() {
        MethodBuilder m = cls.method("add", VOID);
        LocalVar a = m.parameter("a", LONG);
        LocalVar aRow = m.parameter("aRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar rows = m.parameter("rows", INT);
        LocalVar vectors = m.parameter("vectors", INT);
        LocalVar i = m.local("i", INT);
        LocalVar j = m.local("j", INT);
        LocalVar x = m.local("x", LONG);
        Block inner = new Block()
                .add(x.set(mul(cast(LONG, j), constant((long) bytes()))))
                .add(store(add(c, x), sum(load(add(c, x)), load(add(a, x)))));
        Block outer =
                new Block().forLoop(j, constant(0), vectors, 1, inner).add(a.set(add(a, aRow)), c.set(add(c, cRow)));
        m.body().forLoop(i, constant(0), rows, 1, outer);
    }

    private void copyMethod() {
        MethodBuilder m = cls.method("copy", VOID);
        LocalVar a = m.parameter("a", LONG);
        LocalVar aRow = m.parameter("aRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar rows = m.parameter("rows", INT);
        LocalVar columns = m.parameter("columns", INT);
        LocalVar padded = m.parameter("padded", INT);
        MethodBuilder row = copyRow();
        LocalVar i = m.local("i", INT);
        Block step =
                new Block().add(row.call(List.of(a, c, columns, padded))).add(a.set(add(a, aRow)), c.set(add(c, cRow)));
        m.body().forLoop(i, constant(0), rows, 1, step);
    }

    private MethodBuilder copyRow() {
        MethodBuilder m = cls.staticMethod("copyRow", VOID);
        LocalVar a = m.parameter("a", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar columns = m.parameter("columns", INT);
        LocalVar padded = m.parameter("padded", INT);
        LocalVar full = m.local("full", INT);
        LocalVar j = m.local("j", INT);
        LocalVar at = m.local("at", LONG);
        Code offset =
                at.set(mul(cast(LONG, j), constant((long) species.element().bytes())));
        LocalVar mask = m.local("mask", Species.MASK);
        LocalVar part = m.local("part", species.vectorType());
        Block tail = new Block()
                .add(offset)
                .add(mask.set(firstLanes(sub(columns, full))))
                .add(part.set(load(add(a, at), mask)))
                .add(mask.set(firstLanes(sub(padded, full))))
                .add(vec(part).store(add(c, at), mask))
                .add(j.increment(species.lanes()));
        m.body()
                .add(full.set(and(columns, constant(-species.lanes()))))
                .forLoop(
                        j,
                        constant(0),
                        full,
                        species.lanes(),
                        new Block().add(offset, store(add(c, at), load(add(a, at)))))
                .ifThen(lt(full, columns), tail)
                .whileLoop(
                        lt(j, padded),
                        new Block()
                                .add(offset)
                                .add(mask.set(firstLanes(sub(padded, j))))
                                .add(vec(zero()).store(add(c, at), mask))
                                .add(j.increment(species.lanes())));
        return m;
    }

    private void panelsMethod() {
        MethodBuilder m = cls.method("panels", VOID);
        LocalVar a = m.parameter("a", LONG);
        LocalVar aRow = m.parameter("aRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar panelBytes = m.parameter("panelBytes", LONG);
        LocalVar rows = m.parameter("rows", INT);
        LocalVar panels = m.parameter("panels", INT);
        MethodBuilder row = panelsRow();
        LocalVar i = m.local("i", INT);
        Block step = new Block()
                .add(row.call(List.of(a, c, panelBytes, panels)))
                .add(a.set(add(a, aRow)), c.set(add(c, constant((long) vectors * bytes()))));
        m.body().forLoop(i, constant(0), rows, 1, step);
    }

    private MethodBuilder panelsRow() {
        MethodBuilder m = cls.staticMethod("panelsRow", VOID);
        LocalVar a = m.parameter("a", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar panelBytes = m.parameter("panelBytes", LONG);
        LocalVar panels = m.parameter("panels", INT);
        LocalVar p = m.local("p", INT);
        Block step = new Block();
        for (int j = 0; j < vectors; j++) {
            Code at = constant((long) j * bytes());
            step.add(store(add(c, at), load(add(a, at))));
        }
        step.add(a.set(add(a, constant((long) vectors * bytes()))), c.set(add(c, panelBytes)));
        m.body().forLoop(p, constant(0), panels, 1, step);
        return m;
    }

    /** {@code halves}: of two vectors, the even elements and the odd ones. */
    private void halvesMethod() {
        MethodBuilder m = cls.method("halves", VOID);
        LocalVar a = m.parameter("a", LONG);
        LocalVar even = m.parameter("even", LONG);
        LocalVar evens = m.parameter("evens", INT);
        LocalVar odd = m.parameter("odd", LONG);
        LocalVar odds = m.parameter("odds", INT);
        Species bits = species.integral();
        Code first = Vec.iota(bits).mul(Vec.bits(bits, 2)).code();
        LocalVar ofEven = m.local("ofEven", bits.vectorType());
        LocalVar ofOdd = m.local("ofOdd", bits.vectorType());
        m.body().add(ofEven.set(first));
        m.body().add(ofOdd.set(new Vec(bits, ofEven).add(Vec.bits(bits, 1)).code()));
        LocalVar low = m.local("low", bits.vectorType());
        LocalVar high = m.local("high", bits.vectorType());
        LocalVar i = m.local("i", INT);
        Code vector = constant((long) bytes());
        Block loads = new Block()
                .add(low.set(Vec.load(bits, a, null).code()))
                .add(high.set(Vec.load(bits, add(a, vector), null).code()));
        Vec evenHalf = new Vec(bits, ofEven).selectFrom(new Vec(bits, low), new Vec(bits, high));
        Vec oddHalf = new Vec(bits, ofOdd).selectFrom(new Vec(bits, low), new Vec(bits, high));
        Block step = new Block()
                .add(loads, evenHalf.store(even, null), oddHalf.store(odd, null))
                .add(a.set(add(a, constant(2L * bytes()))))
                .add(even.set(add(even, vector)), odd.set(add(odd, vector)));
        Block tail = new Block()
                .add(loads)
                .add(evenHalf.store(even, bits.indexInRange(i, evens)))
                .add(oddHalf.store(odd, bits.indexInRange(i, odds)));
        m.body()
                .forLoop(i, constant(0), sub(odds, constant(bits.lanes() - 1)), bits.lanes(), step)
                .ifThen(lt(i, evens), tail);
    }
}
