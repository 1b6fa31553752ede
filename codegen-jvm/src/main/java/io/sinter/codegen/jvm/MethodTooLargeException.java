// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.ClassBuilder;

/** A generated method exceeds what HotSpot compiles; it would stay interpreted for ever. */
public final class MethodTooLargeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int codeSize;

    public MethodTooLargeException(String method, int codeSize) {
        super("method " + method + " has " + codeSize + " bytes of bytecode; HotSpot compiles up to "
                + ClassBuilder.HUGE_METHOD);
        this.codeSize = codeSize;
    }

    public int codeSize() {
        return codeSize;
    }
}
