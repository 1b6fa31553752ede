// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

/** Stored bytes that are not what they should be: cut short, damaged, or written by another version. */
public class FormatException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public FormatException(String message) {
        super(message);
    }

    public FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
