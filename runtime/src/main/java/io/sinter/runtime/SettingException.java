// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** A system property or environment variable says what it cannot say; the message names it. */
public final class SettingException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    SettingException(IllegalArgumentException cause) {
        super(cause.getMessage(), cause);
    }

    SettingException(String message) {
        super(message);
    }

    SettingException(String message, IllegalArgumentException cause) {
        super(message, cause);
    }
}
