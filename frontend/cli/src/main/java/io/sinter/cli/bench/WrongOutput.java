// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

/** A case computed something else than its plain evaluation. */
final class WrongOutput extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WrongOutput(String message) {
        super(message);
    }
}
