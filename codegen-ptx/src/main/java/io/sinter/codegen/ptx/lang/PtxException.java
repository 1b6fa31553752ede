// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

/** PTX text that cannot be read: malformed, or beyond the subset that this package knows. */
public final class PtxException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final int line;
    private final boolean unsupported;

    public PtxException(int line, String message, boolean unsupported) {
        super("PTX line " + line + ": " + message);
        this.line = line;
        this.unsupported = unsupported;
    }

    /** The line of the text, from 1 on. */
    public int line() {
        return line;
    }

    /** Whether the text may well be right, but uses what is not known here. */
    public boolean unsupported() {
        return unsupported;
    }
}
