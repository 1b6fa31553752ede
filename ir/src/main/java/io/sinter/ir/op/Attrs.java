// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Graph;

/**
 * Where an operator writes its attributes, in a fixed order. The text form, the canonical form (hash, cache key) and {@link Op#sameAs}
 * are three implementations, so an attribute can be forgotten in none of them alone.
 */
public interface Attrs {
    void put(String key, long value);

    void put(String key, long[] value);

    void put(String key, boolean value);

    /** Written by its exact bits. */
    void put(String key, double value);

    /** A name: letters, digits, {@code _} only. */
    void put(String key, String value);

    /** A graph by its nodes; their origins are no part of it. */
    void put(String key, Graph value);

    default void put(String key, int[] value) {
        long[] v = new long[value.length];
        for (int i = 0; i < v.length; i++) v[i] = value[i];
        put(key, v);
    }

    /** The reading side, for parsing text. Missing or ill-typed keys throw {@link IllegalArgumentException} naming the key. */
    interface Source {
        long getLong(String key);

        long[] getLongs(String key);

        boolean getBoolean(String key);

        double getDouble(String key);

        String getName(String key);

        Graph getGraph(String key);

        default int getInt(String key) {
            return Math.toIntExact(getLong(key));
        }

        default int[] getInts(String key) {
            long[] v = getLongs(key);
            int[] r = new int[v.length];
            for (int i = 0; i < r.length; i++) r[i] = Math.toIntExact(v[i]);
            return r;
        }
    }
}
