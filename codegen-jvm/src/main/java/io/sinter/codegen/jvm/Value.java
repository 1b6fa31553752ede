// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.ir.DType;

/**
 * A compiled expression.
 *
 * @param dtype register type
 * @param code its code: a JVM scalar, a vector, or (bool vectors) a mask
 * @param species null for a scalar, which is the same in all lanes; else the species of the vector, or that
 *     the mask is for
 */
public record Value(DType dtype, Code code, Species species) {
    static Value scalar(DType dtype, Code code) {
        return new Value(dtype, code, null);
    }

    static Value of(Vec v) {
        return new Value(v.species().element(), v.code(), v.species());
    }

    static Value mask(Species s, Code code) {
        return new Value(DType.BOOL, code, s);
    }

    public boolean isVector() {
        return species != null;
    }

    Value with(Code other) {
        return new Value(dtype, other, species);
    }
}
