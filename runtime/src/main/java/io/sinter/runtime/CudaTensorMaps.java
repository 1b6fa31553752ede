// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.TensorBox;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Maps of tensors as the driver encodes them, which JCuda cannot ask for. CUDA 12 and later have them. */
final class CudaTensorMaps {
    private static final String FUNCTION = "cuTensorMapEncodeTiled";
    private static final int MAX_RANK = 5;

    // Values of the driver's enumerations.
    private static final int FLOAT16 = 6;
    private static final int BFLOAT16 = 9;
    private static final int INTERLEAVE_NONE = 0;
    private static final int SWIZZLE_128B = 3;
    private static final int PROMOTE_TO_256B = 3;
    private static final int FILL_ZEROS = 0;

    private final CudaLibrary library;
    private final MethodHandle encode;
    // Guarded by the driver that this belongs to: arguments of a call.
    private final MemorySegment extents;
    private final MemorySegment strides;
    private final MemorySegment box;
    private final MemorySegment ones;

    /** Null if the driver has none. */
    static CudaTensorMaps of(CudaLibrary library, Arena arena) {
        return library.symbols()
                .find(FUNCTION)
                .map(f -> new CudaTensorMaps(library, f, arena))
                .orElse(null);
    }

    private CudaTensorMaps(CudaLibrary library, MemorySegment function, Arena arena) {
        this.library = library;
        ValueLayout.OfInt n = ValueLayout.JAVA_INT;
        ValueLayout.OfLong p = ValueLayout.JAVA_LONG;
        encode = Linker.nativeLinker()
                .downcallHandle(function, FunctionDescriptor.of(n, p, n, n, p, p, p, p, p, n, n, n, n));
        extents = arena.allocate(8L * MAX_RANK, 8);
        strides = arena.allocate(8L * MAX_RANK, 8);
        box = arena.allocate(4L * MAX_RANK, 8);
        ones = arena.allocate(4L * MAX_RANK, 8);
        for (int d = 0; d < MAX_RANK; d++) ones.setAtIndex(n, d, 1);
    }

    /**
     * Writes a map.
     *
     * @param to {@link TensorBox#MAP_BYTES} bytes at a multiple of {@link TensorBox#MAP_ALIGNMENT}
     */
    void write(TensorBox tensor, MemorySegment to) {
        int rank = tensor.extents().size();
        for (int d = 0; d < rank; d++) {
            extents.setAtIndex(ValueLayout.JAVA_LONG, d, tensor.extents().get(d));
            box.setAtIndex(ValueLayout.JAVA_INT, d, tensor.box().get(d));
            if (d > 0)
                strides.setAtIndex(
                        ValueLayout.JAVA_LONG, d - 1, tensor.strides().get(d - 1));
        }
        int status;
        try {
            status = (int) encode.invokeExact(
                    to.address(),
                    type(tensor),
                    rank,
                    tensor.address(),
                    extents.address(),
                    strides.address(),
                    box.address(),
                    ones.address(),
                    INTERLEAVE_NONE,
                    SWIZZLE_128B,
                    PROMOTE_TO_256B,
                    FILL_ZEROS);
        } catch (Throwable e) {
            throw new IllegalStateException(FUNCTION + " failed", e);
        }
        if (status != 0) throw new GpuFaultException(FUNCTION + " of " + tensor + ": " + library.name(status));
    }

    private static int type(TensorBox tensor) {
        return switch (tensor.type()) {
            case F16 -> FLOAT16;
            case BF16 -> BFLOAT16;
            default -> throw new IllegalArgumentException("no maps of tensors of " + tensor.type() + " are generated");
        };
    }
}
