// SPDX-License-Identifier: Apache-2.0
package io.sinter;

/**
 * A call was given shapes, dtypes, axes or values that it does not take. Thrown by the call itself, not when
 * its result is computed; the message names the operator, the operands' types, what to do, and the user's
 * source line.
 */
public final class TensorException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    TensorException(String message, Throwable cause) {
        super(message, cause);
    }
}
