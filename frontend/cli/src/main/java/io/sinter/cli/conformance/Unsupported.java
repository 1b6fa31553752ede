// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

/**
 * A sample asks for something that Sinter does not claim to have: it counts as unsupported, not as failed.
 */
final class Unsupported extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unsupported(String message) {
        super(message);
    }
}
