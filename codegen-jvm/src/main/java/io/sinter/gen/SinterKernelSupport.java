// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import static io.sinter.gen.SinterKernelHost.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.invoke.VarHandle;

/** Parameter blocks and index checks, called by generated code outside its inner loops. */
public final class SinterKernelSupport {
    private static final VarHandle LONGS = JAVA_LONG.varHandle();

    private SinterKernelSupport() {}

    /** The first {@code count} slots of the parameter block at an address. */
    public static long[] slots(long params, int count) {
        long[] slots = new long[count];
        for (int i = 0; i < count; i++) slots[i] = MEMORY.get(JAVA_LONG_UNALIGNED, params + 8L * i);
        return slots;
    }

    /**
     * Checks a data-dependent index: {@code value} if it is in [0, bound), {@code value + bound} if {@code
     * wrap} and it is in [-bound, 0). Otherwise the error record at {@code errors} is set, if this is the
     * first error, and the result is 0.
     */
    public static long check(long value, long bound, boolean wrap, long site, long errors) {
        long wrapped = wrap && value < 0 ? value + bound : value;
        if (wrapped >= 0 && wrapped < bound) return wrapped;
        fail(value, bound, site, errors);
        return 0;
    }

    /**
     * Sets the error record (state, site, value, bound) unless it is set: state 0 none, 2 being written, 1
     * complete.
     */
    public static void fail(long value, long bound, long site, long errors) {
        if (!LONGS.compareAndSet(MEMORY, errors, 0L, 2L)) return;
        MEMORY.set(JAVA_LONG, errors + 8, site);
        MEMORY.set(JAVA_LONG, errors + 16, value);
        MEMORY.set(JAVA_LONG, errors + 24, bound);
        LONGS.setRelease(MEMORY, errors, 1L);
    }
}
