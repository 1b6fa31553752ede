// SPDX-License-Identifier: Apache-2.0
package io.sinter.data;

import io.sinter.Tensor;

/**
 * Inputs with what a network should make of them; the first axis counts the samples.
 *
 * @param x inputs
 * @param y targets
 */
public record Batch(Tensor x, Tensor y) {
    /** Number of samples. */
    public long size() {
        return x.size(0);
    }
}
