// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Buffer;
import java.lang.foreign.MemorySegment;

/** Values as Java has them. Reading runs what the value needs. */
public sealed interface Reading permits Tensor {
    Tensor self();

    /** The single element. */
    default double item() {
        return Host.single("item", self()).getDouble(0);
    }

    /** The single element; floats truncate. */
    default long itemLong() {
        return Host.single("itemLong", self()).getLong(0);
    }

    /** Whether the single element is nonzero. */
    default boolean itemBoolean() {
        return Host.single("itemBoolean", self()).getBoolean(0);
    }

    /** All elements in row-major order, converted. */
    default double[] toDoubles() {
        return Host.read(self()).toDoubles();
    }

    default float[] toFloats() {
        return Host.read(self()).toFloats();
    }

    /** All elements in row-major order, converted; floats truncate. */
    default long[] toLongs() {
        return Host.read(self()).toLongs();
    }

    default int[] toInts() {
        long[] v = toLongs();
        int[] r = new int[v.length];
        for (int i = 0; i < r.length; i++) r[i] = (int) v[i];
        return r;
    }

    default boolean[] toBooleans() {
        Host.Elements e = Host.read(self());
        boolean[] r = new boolean[e.size()];
        for (int i = 0; i < r.length; i++) r[i] = e.getBoolean(i);
        return r;
    }

    /** The raw elements, row-major, in the machine's byte order: copied. */
    default byte[] toBytes() {
        Tensor x = self();
        byte[] r = new byte[Math.toIntExact(x.type().bytes())];
        copyTo(MemorySegment.ofArray(r));
        return r;
    }

    /** Copies the raw elements, row-major, in the machine's byte order. */
    default void copyTo(MemorySegment target) {
        Tensor x = self();
        if (target.byteSize() != x.type().bytes()) {
            throw Errors.argument(
                    "copyTo", x, "needs " + x.type().bytes() + " bytes, the target has " + target.byteSize());
        }
        Buffer b = Host.buffer(x);
        if (target.byteSize() > 0) b.read(0, target);
    }

    /** The elements as text, computed if need be. */
    default String show() {
        Host.buffer(self());
        return Printer.print(self(), true);
    }

    /** Keeps this value readable after the next optimizer steps. Returns this tensor. */
    default Tensor keep() {
        self().value().flags |= Value.KEPT;
        return self();
    }

    /**
     * Gives this tensor's memory back now. Reading it, or anything not yet computed from it, is an error from
     * now on.
     */
    default void release() {
        Host.release(self());
    }
}
