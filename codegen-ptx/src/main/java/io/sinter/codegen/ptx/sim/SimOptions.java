// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/**
 * How kernels are simulated.
 *
 * @param seed chooses the order of warps and CTAs, and when asynchronous copies end
 * @param checkRaces finds unordered accesses to shared memory, and of one CTA's threads to global memory
 * @param checkInitialized finds reads of registers and memory that nothing wrote
 * @param maxInstructions a launch that takes more instructions of warps than this is taken for one that never ends
 */
public record SimOptions(long seed, boolean checkRaces, boolean checkInitialized, long maxInstructions) {
    public static final SimOptions DEFAULT = new SimOptions(1, true, true, 1_000_000_000L);

    public SimOptions withSeed(long s) {
        return new SimOptions(s, checkRaces, checkInitialized, maxInstructions);
    }

    public SimOptions withMaxInstructions(long n) {
        return new SimOptions(seed, checkRaces, checkInitialized, n);
    }
}
