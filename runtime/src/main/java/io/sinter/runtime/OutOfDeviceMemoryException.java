// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * A device has no memory left for a buffer, even after a garbage collection. Nothing has run: memory for a whole program is found before its first
 * kernel. The message lists what holds the memory, by the user's source line.
 */
public final class OutOfDeviceMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutOfDeviceMemoryException(String message) {
        super(message);
    }
}
