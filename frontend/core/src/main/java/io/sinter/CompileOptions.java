// SPDX-License-Identifier: Apache-2.0
package io.sinter;

/**
 * How {@link Sinter#compileAll(java.util.function.UnaryOperator, CompileOptions)} treats a function.
 *
 * @param strictAfter after so many calls, a call that would have to be traced and compiled is an error: a production loop finds out about a shape
 *     that it did not expect instead of compiling for each batch. {@link Long#MAX_VALUE}: never. A function whose results are still to be
 *     differentiated is traced at every call, strict or not
 */
public record CompileOptions(long strictAfter) {
    /** Traces and compiles whenever a signature is new. */
    public static final CompileOptions DEFAULT = new CompileOptions(Long.MAX_VALUE);

    public CompileOptions {
        if (strictAfter < 0) throw new IllegalArgumentException("strictAfter must not be negative: " + strictAfter);
    }

    /** Strict after the first {@code calls} calls. */
    public static CompileOptions strict(long calls) {
        return new CompileOptions(calls);
    }
}
