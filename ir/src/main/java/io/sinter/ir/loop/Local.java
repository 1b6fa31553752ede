// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.DType;

/** A typed local variable or accumulator of a kernel; identity is the variable's. */
public final class Local {
    private final String name;
    private final DType dtype;

    public Local(String name, DType dtype) {
        if (dtype != dtype.compute()) throw new IllegalArgumentException(dtype + " is not a register type");
        this.name = name;
        this.dtype = dtype;
    }

    public String name() {
        return name;
    }

    public DType dtype() {
        return dtype;
    }

    @Override
    public String toString() {
        return name;
    }
}
