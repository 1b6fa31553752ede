// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.cast;
import static io.sinter.codegen.jvm.bytecode.Code.constant;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.DType;
import java.util.List;
import org.objectweb.asm.Type;

/** What the methods of {@link GemmTiles} are written with: vectors of one species, and elements, at addresses of all memory. */
abstract class TileCode {
    static final Type LONG = Type.LONG_TYPE;
    static final Type INT = Type.INT_TYPE;
    static final Type VOID = Type.VOID_TYPE;

    final Species species;

    TileCode(Species species) {
        this.species = species;
    }

    /** Of a vector. */
    final int bytes() {
        return species.bits() / 8;
    }

    final Code zero() {
        if (Intrinsics.used())
            return Intrinsics.broadcastBits(species, constant(0L)).code();
        Type t = species.vectorType();
        return Code.call(t, "zero", t, List.of(Species.SPECIES), species.code());
    }

    final Code load(Code address) {
        return Vec.load(species, address, null).code();
    }

    final Code load(Code address, Code mask) {
        return Vec.load(species, address, mask).code();
    }

    final Code store(Code address, Code vector) {
        return vec(vector).store(address, null);
    }

    final Code broadcast(Code scalar) {
        return Vec.broadcast(species, scalar).code();
    }

    final Code fma(Code a, Code b, Code c) {
        return vec(a).fma(vec(b), vec(c)).code();
    }

    final Code sum(Code a, Code b) {
        return vec(a).add(vec(b)).code();
    }

    final Code loadScalar(Code address) {
        return Memory.load(species.element(), address);
    }

    final Code storeScalar(Code address, Code value) {
        return Memory.store(species.element(), address, value);
    }

    final Code firstLanes(Code count) {
        return species.indexInRange(constant(0), count);
    }

    /** Moves an address, which stays one that C2 sees to be {@linkplain Memory#base within memory}. */
    static Code advance(LocalVar address, Code by) {
        return address.set(Memory.base(add(address, by)));
    }

    final Vec vec(Code code) {
        return new Vec(species, code);
    }

    /** An int of a table of offsets. */
    static Code offset(LocalVar table, int at) {
        return cast(LONG, Memory.load(DType.I32, add(table, constant((long) at))));
    }
}
