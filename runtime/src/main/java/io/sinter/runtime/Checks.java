// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * What is checked of programs when they run. Checks are for finding faults: they cost time and memory, and change no result.
 *
 * @param nan a program that makes a NaN or an infinity which reaches a result fails with a {@link NonFiniteException}, which names where it was made
 *     (PyTorch's {@code detect_anomaly}, JAX's {@code debug_nans}); system property {@code sinter.nan=trap}
 * @param reference the first run of each program is compared with the reference evaluator, on the same arguments, and fails with a {@link
 *     MiscompiledException} if a kernel computes something else; {@code sinter.check=reference}
 */
public record Checks(boolean nan, boolean reference) {
    /** Nothing is checked. */
    public static final Checks NONE = new Checks(false, false);

    /** The checks that the system properties ask for. */
    public static Checks fromProperties() {
        return new Checks(on("sinter.nan", "trap"), on("sinter.check", "reference"));
    }

    private static boolean on(String property, String name) {
        String value = System.getProperty(property, "off");
        if (value.equals(name)) return true;
        if (value.equals("off")) return false;
        throw new IllegalArgumentException(
                "unknown value '" + value + "' of " + property + "; known: " + name + ", off");
    }

    public Checks withNan(boolean value) {
        return new Checks(value, reference);
    }

    public Checks withReference(boolean value) {
        return new Checks(nan, value);
    }

    /** Whether anything is checked. */
    public boolean any() {
        return nan || reference;
    }
}
