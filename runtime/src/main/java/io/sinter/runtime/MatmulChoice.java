// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * Who does the matrix products of a GPU that a library could do: {@code -Dsinter.matmul=own|cublas|auto}. A library adds in another order than our
 * kernels, so the choice is a function of the product alone, never of a measurement: the same program gives the same bits.
 * It is made when a session links a plan; plans, in memory or on disk, know nothing of it, and so it is in no key of theirs. A program that asks for its
 * forms to be measured ({@link Session#autotune}) is another matter: there the library is one of the forms, and the choice is a part of the plan and its key.
 */
enum MatmulChoice {
    /** Our own kernels, always. */
    OWN,
    /** The library, wherever it can; without one the session does not open. */
    CUBLAS,
    /** The library where there is one and the table says so. */
    AUTO;

    static final String PROPERTY = "sinter.matmul";

    /** Below this many operations a product is too small for a call of a library to pay. */
    private static final double LEAST_FLOPS = 1 << 24;

    /** Products with an extent below this are streams of memory, which our own kernels are as good at. */
    private static final long LEAST_EXTENT = 32;

    /**
     * What the system property says; by default {@link #AUTO}.
     *
     * @throws SettingException if it says anything else
     */
    static MatmulChoice fromProperty() {
        String text = System.getProperty(PROPERTY, "auto");
        return switch (text) {
            case "own" -> OWN;
            case "cublas" -> CUBLAS;
            case "auto" -> AUTO;
            default ->
                throw new SettingException(
                        "unknown choice '" + text + "' in -D" + PROPERTY + "; known: own, cublas, auto");
        };
    }

    /** Whether the library does a product that it takes. */
    boolean isForLibrary(MatmulProblem p) {
        return switch (this) {
            case OWN -> false;
            case CUBLAS -> true;
            case AUTO -> p.flops() >= LEAST_FLOPS && Math.min(Math.min(p.m(), p.n()), p.k()) >= LEAST_EXTENT;
        };
    }
}
