// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

/**
 * A loop variable, from 0 to below its extent; identity is the variable's. Always an integer that fits a long.
 *
 * @param name for printing; unique within a kernel
 * @param extent number of iterations: concrete while a kernel is lowered, possibly a parameter slot afterwards
 */
public final class Var {
    private final String name;
    private final Coef extent;

    public Var(String name, Coef extent) {
        this.name = name;
        this.extent = extent;
    }

    public String name() {
        return name;
    }

    public Coef extent() {
        return extent;
    }

    @Override
    public String toString() {
        return name;
    }
}
