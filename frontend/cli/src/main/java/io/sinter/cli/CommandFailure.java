// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

/** A command cannot do its work, and the message says why and what to do: no stack trace is shown. */
public final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** A failure with a message for the user: one sentence that says what is wrong and what to do. */
    public CommandFailure(String message) {
        super(message);
    }

    /** A failure with a message for the user, and the exception it follows from. */
    public CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
