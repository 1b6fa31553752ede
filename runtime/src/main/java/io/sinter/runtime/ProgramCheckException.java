// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** A program failed one of the {@link Checks}. Its arguments hold what they held before it ran, those that were donated, too. */
public abstract sealed class ProgramCheckException extends RuntimeException
        permits NonFiniteException, MiscompiledException {
    private static final long serialVersionUID = 1L;

    private final int origin;

    ProgramCheckException(String message, int origin) {
        super(message);
        this.origin = origin;
    }

    /** {@link io.sinter.ir.Node#origin} of the node that is to blame, or -1. */
    public int origin() {
        return origin;
    }
}
