// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

/** A graph is malformed: a fault of the pass that made it. The message names the node. */
public final class VerifyException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    public VerifyException(String message) {
        super(message);
    }

    public VerifyException(String message, Throwable cause) {
        super(message, cause);
    }
}
