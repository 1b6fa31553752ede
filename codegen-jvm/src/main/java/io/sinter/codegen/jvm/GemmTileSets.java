// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The process's {@link GemmTiles}: one for each element type and vector width, made when first asked for.
 */
final class GemmTileSets {
    private record Key(DType dtype, int bits) {}

    private static final ConcurrentHashMap<Key, GemmTiles> SETS = new ConcurrentHashMap<>();

    private GemmTileSets() {}

    /**
     * @param dtype f32, f64, i32 or i64
     * @param bits width of vectors; 0 for plain Java. Integers are always multiplied in plain Java
     */
    static GemmTiles of(DType dtype, int bits) {
        // Not computeIfAbsent alone: a lookup on every launch must not lock.
        Key key = new Key(dtype, dtype.isFloat() ? bits : 0);
        GemmTiles known = SETS.get(key);
        return known != null ? known : SETS.computeIfAbsent(key, GemmTileSets::make);
    }

    private static GemmTiles make(Key key) {
        if (key.bits == 0) return new GemmScalarTiles(key.dtype);
        String name = "Tiles_" + key.dtype + "_" + key.bits + "_" + GemmVectorTiles.ROWS + "x"
                + GemmVectorTiles.vectors(key.bits);
        return SharedClass.make(name, GemmTiles.class, n -> GemmVectorTiles.generate(n, key.dtype, key.bits));
    }
}
