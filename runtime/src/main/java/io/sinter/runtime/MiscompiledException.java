// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.nio.file.Path;

/**
 * A compiled program gave another result than the reference evaluator, and {@link Checks#reference} was on: a fault of Sinter. The message names the
 * kernel and the element; the folder has what is needed to look closer.
 */
public final class MiscompiledException extends ProgramCheckException {
    private static final long serialVersionUID = 1L;

    private final String kernel;
    private final transient Path folder;

    MiscompiledException(String message, int origin, String kernel, Path folder) {
        super(message, origin);
        this.kernel = kernel;
        this.folder = folder;
    }

    /** Name of the kernel, as in a dump ({@code 03-amax_exp_log}); empty if it is no kernel by itself. */
    public String kernel() {
        return kernel;
    }

    /** The program's dump with its arguments, for {@code sinter dump replay} and {@code minimize}. */
    public Path folder() {
        return folder;
    }
}
