// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * A small constant matrix that is applied to vectors: the transforms of {@link WinogradBlock}. Addresses are
 * absolute, distances are in bytes; nothing here checks bounds.
 */
public abstract class LinearMap {
    /**
     * {@code to[i] = Σ_j matrix[i][j] · from[j]} for runs of vectors: element j of run r begins at {@code
     * from + j · fromStep + r · fromNext}, element i of its result at {@code to + i · toStep + r · toNext}.
     * All of a vector's operands are read before a result is written, so a result may take the place of an
     * operand.
     *
     * @param runs number of runs
     * @param vectors length of a run in vectors
     */
    public abstract void apply(
            long from, long fromStep, long fromNext, long to, long toStep, long toNext, int runs, int vectors);
}
