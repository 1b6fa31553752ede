// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.ir.DType;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * A value of the loop IR in registers: one operand, or one for each element that a thread computes side by side. Bools are predicates.
 *
 * @param dtype a register type
 */
record Value(DType dtype, List<Operand> lanes) {
    Value {
        lanes = List.copyOf(lanes);
    }

    static Value of(DType dtype, Operand one) {
        return new Value(dtype, List.of(one));
    }

    static Value of(DType dtype, int lanes, IntFunction<Operand> lane) {
        return new Value(dtype, IntStream.range(0, lanes).mapToObj(lane).toList());
    }

    int width() {
        return lanes.size();
    }

    /** The operand of one element. */
    Operand lane(int i) {
        return lanes.size() == 1 ? lanes.getFirst() : lanes.get(i);
    }
}
