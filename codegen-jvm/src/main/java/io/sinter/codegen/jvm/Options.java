// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * How to generate code.
 *
 * @param vectorBits width of vectors in bits: 512, 256 or 128; 0 for scalar code, which needs no Vector API
 */
public record Options(int vectorBits) {
    public Options {
        if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 && vectorBits != 512) {
            throw new IllegalArgumentException("vector width " + vectorBits + "; known: 0 (scalar), 128, 256, 512");
        }
    }

    /**
     * The widest vectors of this machine; scalar code if the module {@code jdk.incubator.vector} is not
     * there.
     */
    public static Options preferred() {
        return new Options(JvmFlags.hasVectors() ? PreferredWidth.bits() : 0);
    }

    public boolean isVector() {
        return vectorBits != 0;
    }
}
