// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Type;

/**
 * Quotients and remainders of an index that steps by 1 from lane to lane, counted along with the lanes: windows side by side, elements that are
 * repeated. A division for each lane would take longer than all that is done with its result.
 */
final class LaneQuotients {
    private static final Type LONG = Type.LONG_TYPE;
    private static final Type MATH = Code.object("java/lang/Math");

    private record Division(Index a, Coef by) {}

    private record Pair(LocalVar quotient, LocalVar remainder) {}

    private final BodyCompiler c;
    private final Map<Division, Pair> pairs = new LinkedHashMap<>();

    /** Those of {@code index}, for lane 0. */
    LaneQuotients(BodyCompiler c, Index index) {
        this.c = c;
        for (Index.Term t : index.terms()) {
            switch (t.atom()) {
                case Index.DivAtom d -> begin(new Division(d.a(), d.by()));
                case Index.ModAtom m -> begin(new Division(m.a(), m.by()));
                case Index.VarAtom _, Index.DataAtom _ -> {}
            }
        }
    }

    private void begin(Division d) {
        if (c.indices.access(d.a) != IndexCompiler.Access.UNIT || pairs.containsKey(d)) return;
        Code a = c.held(c.indices.first(d.a));
        Code by = c.indices.coef(d.by);
        Pair p = new Pair(c.method.local("quotient", LONG), c.method.local("remainder", LONG));
        // Lanes that a mask switches off may have begun before 0.
        c.block().add(p.quotient.set(Code.call(MATH, "floorDiv", LONG, List.of(LONG, LONG), a, by)));
        c.block().add(p.remainder.set(Code.call(MATH, "floorMod", LONG, List.of(LONG, LONG), a, by)));
        pairs.put(d, p);
    }

    /** The quotient in the present lane; null if it is not counted. */
    Code quotient(Index.DivAtom d) {
        Pair p = pairs.get(new Division(d.a(), d.by()));
        return p == null ? null : p.quotient;
    }

    /** As {@link #quotient}. */
    Code remainder(Index.ModAtom m) {
        Pair p = pairs.get(new Division(m.a(), m.by()));
        return p == null ? null : p.remainder;
    }

    /** On to the next lane. */
    void next(Block block) {
        pairs.forEach((d, p) -> {
            Block carry = new Block()
                    .add(p.remainder.set(Code.constant(0L)))
                    .add(p.quotient.set(Code.add(p.quotient, Code.constant(1L))));
            block.add(p.remainder.set(Code.add(p.remainder, Code.constant(1L))));
            block.ifThen(Code.compare(Compare.Op.EQ, p.remainder, c.indices.coef(d.by)), carry);
        });
    }
}
