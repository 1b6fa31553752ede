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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes {@link GemmTiles#dots} and {@link GemmTiles#gatheredDots}. */
final class VectorDots extends TileCode {
    /** Rows of dot products at a time: several, so that x is loaded once for them, then the rest one by one. */
    private static final int[] DOT_ROWS = {4, 1};

    private final ClassBuilder cls;

    VectorDots(ClassBuilder cls, Species species) {
        super(species);
        this.cls = cls;
    }

    void methods() {
        Map<Integer, MethodBuilder> fixed = new HashMap<>();
        for (int r : DOT_ROWS) fixed.put(r, fixedDots(r));
        dotsMethod("dots", fixed);
        dotsMethod("gatheredDots", fixed);
    }

    /** {@code dots} and {@code gatheredDots}. */
    private void dotsMethod(String name, Map<Integer, MethodBuilder> fixed) {
        boolean gathered = name.equals("gatheredDots");
        MethodBuilder m = cls.method(name, VOID);
        LocalVar rows = m.parameter("rows", INT);
        LocalVar a = m.parameter("a", LONG);
        LocalVar aRow = m.parameter(gathered ? "table" : "aRow", LONG);
        LocalVar x = m.parameter("x", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar k = m.parameter("k", INT);
        LocalVar i = m.local("i", INT);
        m.body().add(i.set(constant(0)));
        for (int count : DOT_ROWS) {
            List<Code> arguments = new ArrayList<>();
            for (int r = 0; r < count; r++) {
                arguments.add(add(a, gathered ? offset(aRow, 4 * r) : mul(aRow, constant((long) r))));
            }
            arguments.addAll(List.of(x, c, cRow, k));
            Code next = gathered
                    ? aRow.set(add(aRow, constant(4L * count)))
                    : a.set(add(a, mul(aRow, constant((long) count))));
            Block step = new Block()
                    .add(fixed.get(count).call(arguments))
                    .add(next)
                    .add(c.set(add(c, mul(cRow, constant((long) count)))))
                    .add(i.increment(count));
            m.body().whileLoop(new Compare(Compare.Op.LE, i, sub(rows, constant(count))), step);
        }
    }

    private MethodBuilder fixedDots(int rows) {
        MethodBuilder m = cls.staticMethod("dots" + rows, VOID);
        LocalVar[] a = new LocalVar[rows];
        for (int r = 0; r < rows; r++) a[r] = m.parameter("a" + r, LONG);
        LocalVar x = m.parameter("x", LONG);
        LocalVar c = m.parameter("c", LONG);
        LocalVar cRow = m.parameter("cRow", LONG);
        LocalVar k = m.parameter("k", INT);
        LocalVar full = m.local("full", INT);
        LocalVar j = m.local("j", INT);
        LocalVar at = m.local("at", LONG);
        LocalVar vectorOfX = m.local("x", species.vectorType());
        LocalVar[] sums = new LocalVar[rows];
        Block loop = new Block()
                .add(at.set(mul(cast(LONG, j), constant((long) species.element().bytes()))))
                .add(vectorOfX.set(load(add(x, at))));
        Block tail = new Block();
        LocalVar mask = m.local("mask", Species.MASK);
        tail.add(mask.set(firstLanes(sub(k, full))))
                .add(at.set(
                        mul(cast(LONG, full), constant((long) species.element().bytes()))))
                .add(vectorOfX.set(load(add(x, at), mask)));
        m.body().add(full.set(and(k, constant(-species.lanes()))));
        for (int r = 0; r < rows; r++) {
            sums[r] = m.local("sum" + r, species.vectorType());
            m.body().add(sums[r].set(zero()));
            Code address = add(a[r], at);
            loop.add(sums[r].set(fma(load(address), vectorOfX, sums[r])));
            tail.add(sums[r].set(fma(load(address, mask), vectorOfX, sums[r])));
        }
        m.body().forLoop(j, constant(0), full, species.lanes(), loop).ifThen(lt(full, k), tail);
        for (int r = 0; r < rows; r++) {
            m.body()
                    .add(storeScalar(
                            add(c, mul(constant((long) r), cRow)), vec(sums[r]).sumLanes()));
        }
        return m;
    }
}
