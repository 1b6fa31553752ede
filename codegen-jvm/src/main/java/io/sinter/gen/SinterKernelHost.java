// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;

/**
 * What generated classes share, and the package that they are defined in. Names in this package begin with
 * {@code SinterKernel}, so that one HotSpot option covers them all (see {@code
 * io.sinter.codegen.jvm.JvmFlags}).
 */
public final class SinterKernelHost {
    /** All of memory, by absolute address: a static final, so that C2 folds its bounds away. */
    public static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /** Byte order of vector loads and stores. */
    public static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private SinterKernelHost() {}

    /** The lookup that hidden classes of this package are defined with. */
    public static MethodHandles.Lookup lookup() {
        return MethodHandles.lookup();
    }
}
