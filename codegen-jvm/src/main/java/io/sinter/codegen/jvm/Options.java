// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * How to generate code.
 *
 * @param vectorBits width of vectors in bits: 512, 256 or 128; 0 for scalar code, which needs no Vector API
 * @param intrinsics whether vector code calls HotSpot's intrinsics instead of the Vector API: C2 compiles it in half the time, and the bits are the same
 */
public record Options(int vectorBits, boolean intrinsics) {
    /** @throws IllegalArgumentException if there is no such width, or this JVM does not let code call intrinsics */
    public Options {
        if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 && vectorBits != 512) {
            throw new IllegalArgumentException("vector width " + vectorBits + "; known: 0 (scalar), 128, 256, 512");
        }
        if (intrinsics && (vectorBits == 0 || !Intrinsics.available())) {
            throw new IllegalArgumentException(
                    "no intrinsics for " + vectorBits + " bits; they want the flags " + JvmFlags.INTRINSICS);
        }
    }

    /** Vectors of a width, with intrinsics if this JVM lets code call them. */
    public Options(int vectorBits) {
        this(vectorBits, vectorBits != 0 && Intrinsics.available());
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
