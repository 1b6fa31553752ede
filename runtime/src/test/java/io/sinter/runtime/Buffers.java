// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.ref.RefArray;
import java.lang.foreign.MemorySegment;

/** Buffers of any device, filled and looked at. */
final class Buffers {
    private Buffers() {}

    /** A new buffer that holds an array. */
    static Buffer of(Session session, RefArray a) {
        Buffer b = session.allocator().allocate(a.type().bytes());
        Elements.store(a, b);
        return b;
    }

    /** The first element, of f32; waits for it. */
    static float first(Buffer b) {
        float[] f = new float[1];
        b.read(0, MemorySegment.ofArray(f));
        return f[0];
    }
}
