// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.and;
import static io.sinter.codegen.jvm.bytecode.Code.cast;
import static io.sinter.codegen.jvm.bytecode.Code.constant;
import static io.sinter.codegen.jvm.bytecode.Code.lt;
import static io.sinter.codegen.jvm.bytecode.Code.shr;
import static io.sinter.codegen.jvm.bytecode.Code.sub;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import org.objectweb.asm.Type;

/** Generates {@link Squares} in the Vector API. */
final class VectorSquares {
    private static final Type LONG = Type.LONG_TYPE;
    private static final Type INT = Type.INT_TYPE;

    private VectorSquares() {}

    /** The class file of a subclass of {@link Squares}. */
    static byte[] generate(String className, Species s) {
        ClassBuilder cls = new ClassBuilder(className, "io/sinter/codegen/jvm/Squares", null);
        cls.method("side", INT).body().add(Code.ret(constant(s.lanes())));
        whole(cls.method("whole", Type.VOID_TYPE), s);
        part(cls.method("part", Type.VOID_TYPE), s);
        return cls.toBytes();
    }

    /** A method {@code (long a, long aRow, long c, long cRow)} that is {@link Squares#whole}. */
    static void whole(MethodBuilder m, Species s) {
        LocalVar a = m.parameter("a", LONG);
        LocalVar aRow = m.parameter("aRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar[] rows = new LocalVar[s.lanes()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = m.local("row" + i, s.vectorType());
            m.body().add(rows[i].set(Vec.load(s, a, null).code()), a.set(add(a, aRow)));
        }
        for (LocalVar row : transposed(m, s, rows)) {
            m.body().add(new Vec(s, row).store(c, null), c.set(add(c, cRow)));
        }
    }

    /** {@link Squares#part}: the last row is read again where there is none. */
    private static void part(MethodBuilder m, Species s) {
        LocalVar a = m.parameter("a", LONG);
        LocalVar aRow = m.parameter("aRow", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar height = m.parameter("rows", INT);
        LocalVar width = m.parameter("columns", INT);
        LocalVar mask = m.local("mask", Species.MASK);
        m.body().add(mask.set(s.indexInRange(constant(0), width)));
        LocalVar[] rows = new LocalVar[s.lanes()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = m.local("row" + i, s.vectorType());
            Code another = cast(LONG, shr(sub(constant(i + 1), height), constant(31)));
            m.body().add(rows[i].set(Vec.load(s, a, mask).code()), a.set(add(a, and(aRow, another))));
        }
        LocalVar[] columns = transposed(m, s, rows);
        m.body().add(mask.set(s.indexInRange(constant(0), height)));
        for (int x = 0; x < columns.length; x++) {
            Block store = new Block().add(new Vec(s, columns[x]).store(c, mask), c.set(add(c, cRow)));
            m.body().ifThen(lt(constant(x), width), store);
        }
    }

    /**
     * The rows as columns: as many rounds as a lane number has bits. A round interleaves the lanes of rows i and i + n/2 to rows 2i and 2i + 1; in the number of
     * an element, row bits before lane bits, that is a rotation by one bit, so that in the end row and lane have changed places.
     */
    private static LocalVar[] transposed(MethodBuilder m, Species s, LocalVar[] rows) {
        int n = rows.length;
        Vec low = interleaving(m, "low", s, 0);
        Vec high = interleaving(m, "high", s, n / 2);
        for (int round = 1; round < n; round *= 2) {
            LocalVar[] next = new LocalVar[n];
            for (int i = 0; i < n; i++) {
                next[i] = m.local("row" + i, s.vectorType());
                Vec index = i % 2 == 0 ? low : high;
                Vec both = index.selectFrom(new Vec(s, rows[i / 2]), new Vec(s, rows[i / 2 + n / 2]));
                m.body().add(next[i].set(both.code()));
            }
            rows = next;
        }
        return rows;
    }

    /** A vector of lane numbers: first, n + first, first + 1, n + first + 1, … */
    private static Vec interleaving(MethodBuilder m, String name, Species s, int first) {
        LocalVar v = m.local(name, s.vectorType());
        Vec lane = Vec.iota(s);
        Vec half = lane.ushr(1).add(Vec.bits(s, first));
        Vec odd = lane.and(Vec.bits(s, 1)).mul(Vec.bits(s, s.lanes()));
        m.body().add(v.set(half.add(odd).code()));
        return new Vec(s, v);
    }
}
