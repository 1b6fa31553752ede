// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.dump.Sources;

/** A program made a NaN or an infinity that reached one of its results, and {@link Checks#nan} was on. The message says where it came from. */
public final class NonFiniteException extends ProgramCheckException {
    private static final long serialVersionUID = 1L;

    private final String operator;
    private final String line;
    private final String module;
    private final String kernel;
    private final int element;
    private final double value;

    /**
     * @param operator its name
     * @param source null if it is not known
     * @param kernel null if it is not known
     */
    NonFiniteException(
            String message,
            int origin,
            String operator,
            Sources.Source source,
            String kernel,
            int element,
            double value) {
        super(message, origin);
        this.operator = operator;
        line = source == null ? "" : source.line();
        module = source == null ? "" : source.module();
        this.kernel = kernel == null ? "" : kernel;
        this.element = element;
        this.value = value;
    }

    /** Name of the operator that made it; {@code input} if the program was given it. */
    public String operator() {
        return operator;
    }

    /** The user's line, {@code Model.java:42 (forward)}: in a backward pass, that of the operator whose gradient it is. Empty if it is not known. */
    public String line() {
        return line;
    }

    /** Path of the part of a network, {@code blocks.3.attn}; empty outside of networks, and for the network itself. */
    public String module() {
        return module;
    }

    /** Name of the kernel, as in a dump of the program ({@code 03-amax_exp_log}); empty if it is not known. */
    public String kernel() {
        return kernel;
    }

    /** Row-major number of the first element concerned, in the operator's result. */
    public int element() {
        return element;
    }

    /** NaN or an infinity. */
    public double value() {
        return value;
    }
}
