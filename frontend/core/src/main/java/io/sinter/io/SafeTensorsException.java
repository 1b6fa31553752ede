// SPDX-License-Identifier: Apache-2.0
package io.sinter.io;

/** A safetensors file that is not what it says, or a set of tensors that cannot be written as one. */
public final class SafeTensorsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SafeTensorsException(String message) {
        super(message);
    }

    public SafeTensorsException(String message, Throwable cause) {
        super(message, cause);
    }
}
