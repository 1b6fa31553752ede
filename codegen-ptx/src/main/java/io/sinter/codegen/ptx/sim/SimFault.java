// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/** A fault that the simulator found in a kernel, or in how it was launched. It ends the launch. */
public final class SimFault extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What is wrong. */
    public enum Kind {
        /** An access outside of every allocation or variable, or to freed memory. */
        OUT_OF_BOUNDS,
        /** An address that is no multiple of the access's size. */
        MISALIGNED,
        /** An address of another state space than the instruction's. */
        WRONG_SPACE,
        UNINITIALIZED_REGISTER,
        UNINITIALIZED_MEMORY,
        /** Data or registers of an asynchronous operation that was not waited for. */
        ASYNC_NOT_WAITED,
        /** Two unordered accesses to shared memory, or by threads of one CTA to global memory, one of which writes. */
        RACE,
        /** A barrier, shuffle or matrix operation that not all of its threads execute. */
        DIVERGENT,
        /** Nobody can go on, or nobody ever ends. */
        DEADLOCK,
        /** An operand that the instruction does not allow. */
        INVALID_OPERAND,
        TRAP,
        /** Extents, shared memory or parameters that do not fit the kernel. */
        LAUNCH
    }

    private final Kind kind;
    private final String kernel;
    private final int line;
    private final String source;

    SimFault(Kind kind, String kernel, int line, String source, String where, String message) {
        super(kind + " in kernel " + kernel + (line > 0 ? ", PTX line " + line : "")
                + (source.isEmpty() ? "" : " (" + source + ")") + (where.isEmpty() ? "" : ", " + where) + ": "
                + message);
        this.kind = kind;
        this.kernel = kernel;
        this.line = line;
        this.source = source;
    }

    public Kind kind() {
        return kind;
    }

    public String kernel() {
        return kernel;
    }

    /** Line of the PTX text, from 1 on; 0 if no instruction is concerned. */
    public int line() {
        return line;
    }

    /** {@code file:line:column} of the {@code .loc} in force; empty if there is none. */
    public String source() {
        return source;
    }
}
