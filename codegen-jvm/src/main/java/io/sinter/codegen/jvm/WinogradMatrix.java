// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.util.concurrent.ConcurrentHashMap;

/**
 * The transforms of Winograd's convolutions over the points 0, 1, -1 and ∞ (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks", 2015): {@code y = OUTPUT ((FILTER g) ⊙ (INPUT d))} along each axis. Four elements
 * of the input make two pixels under three taps, or, in the gradient of a weight, three taps out of two pixels.
 */
enum WinogradMatrix {
    /** Four elements of the input. */
    INPUT(new float[][] {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}),
    /** Three taps. */
    FILTER(new float[][] {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}}),
    /** Two pixels. */
    OUTPUT(new float[][] {{1, 1, 1, 0}, {0, 1, -1, -1}}),
    /** Two pixels' gradients, in the place of taps. */
    PIXELS(new float[][] {{1, 0}, {0.5f, 0.5f}, {0.5f, -0.5f}, {0, 1}}),
    /** Three taps' gradients. */
    TAPS(new float[][] {{1, 1, 1, 0}, {0, 1, -1, 0}, {0, 1, 1, -1}});

    record Key(WinogradMatrix matrix, int bits) {}

    private static final ConcurrentHashMap<Key, LinearMap> MAPS = new ConcurrentHashMap<>();

    private final float[][] coefficients;

    WinogradMatrix(float[][] coefficients) {
        this.coefficients = coefficients;
    }

    float[][] coefficients() {
        return coefficients;
    }

    /** The columns of a row that are not 0, in the order in which they are added up: one with the factor 1 first. */
    static int[] terms(float[] row) {
        int[] terms = java.util.stream.IntStream.range(0, row.length)
                .filter(j -> row[j] != 0)
                .toArray();
        for (int i = 0; i < terms.length; i++) {
            if (row[terms[i]] == 1) {
                int one = terms[i];
                System.arraycopy(terms, 0, terms, 1, i);
                terms[0] = one;
                break;
            }
        }
        return terms;
    }

    /**
     * The process's code for this matrix, made when first asked for.
     *
     * @param bits width of vectors; 0 for plain Java
     */
    LinearMap map(int bits) {
        Key key = new Key(this, bits);
        LinearMap known = MAPS.get(key);
        return known != null ? known : MAPS.computeIfAbsent(key, WinogradMatrix::make);
    }

    /** Loads the process's code for all matrices where a cache keeps it: nobody waits then when a program turns out to need it. */
    static void loadKept(int bits) {
        if (bits == 0) return;
        for (WinogradMatrix m : values()) {
            Key key = new Key(m, bits);
            LinearMap kept = MAPS.containsKey(key) ? null : SharedClass.find(name(key), LinearMap.class);
            if (kept != null) MAPS.putIfAbsent(key, kept);
        }
    }

    /** Whether the process has the code for all matrices. */
    static boolean areMade(int bits) {
        for (WinogradMatrix m : values()) if (!MAPS.containsKey(new Key(m, bits))) return false;
        return true;
    }

    private static String name(Key key) {
        return "Winograd_" + key.matrix + "_" + key.bits;
    }

    private static LinearMap make(Key key) {
        if (key.bits == 0) return new ScalarLinearMap(key.matrix, GemmScalarTiles.LANES);
        return SharedClass.make(name(key), LinearMap.class, n -> VectorLinearMap.generate(n, key.matrix, key.bits));
    }
}
