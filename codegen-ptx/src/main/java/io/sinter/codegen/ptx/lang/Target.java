// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The architectures that are generated for, and what each can do: the one place that says so. */
public enum Target {
    /** Ampere A100: the baseline. */
    SM_80(80, false, 167_936 - 1024, 108),
    /** Ada: L4, RTX 40. */
    SM_89(89, false, 102_400 - 1024, 128),
    /** Hopper, what runs on later ones too. */
    SM_90(90, false, 233_472 - 1024, 132),
    /** Hopper alone: wgmma and setmaxnreg. */
    SM_90A(90, true, 233_472 - 1024, 132);

    /** Version of PTX that is written: the newest that the assembler used in tests knows. */
    public static final String VERSION = "8.0";

    /** Shared memory of a CTA in bytes that needs no opting in. */
    public static final int STATIC_SHARED_BYTES = 48 * 1024;

    private final int capability;
    private final boolean specific;
    private final int sharedBytes;
    private final int multiprocessors;

    Target(int capability, boolean specific, int sharedBytes, int multiprocessors) {
        this.capability = capability;
        this.specific = specific;
        this.sharedBytes = sharedBytes;
        this.multiprocessors = multiprocessors;
    }

    /** Compute capability, ten times. */
    public int capability() {
        return capability;
    }

    /** The most shared memory that one CTA can have, in bytes. */
    public int sharedBytes() {
        return sharedBytes;
    }

    /** Multiprocessors of the usual board. */
    public int multiprocessors() {
        return multiprocessors;
    }

    /** wgmma and setmaxnreg. */
    public boolean hasWarpgroupMma() {
        return specific;
    }

    /**
     * The target of a name: {@code sm_90a}.
     *
     * @throws IllegalArgumentException if there is none; the message lists those that there are
     */
    public static Target parse(String name) {
        for (Target t : values()) if (t.toString().equals(name)) return t;
        throw new IllegalArgumentException("no target '" + name + "'; known: "
                + Arrays.stream(values()).map(Target::toString).collect(Collectors.joining(", ")));
    }

    /** The best of these that code runs on a device of a compute capability; null if none does. */
    public static Target forCapability(int major, int minor) {
        int c = 10 * major + minor;
        if (c == 90) return SM_90A;
        return c > 90 ? SM_90 : c >= 89 ? SM_89 : c >= 80 ? SM_80 : null;
    }

    /** The name as PTX has it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
