// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import jcuda.Pointer;
import jcuda.driver.CUjitInputType;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/** The driver's assembler: from PTX text to a cubin, and from either to a module. For the context that is the calling thread's. */
final class CudaAssembler {
    /** Bytes of the assembler's messages. */
    private static final int LOG_BYTES = 16 * 1024;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final AddressLayout ADDRESS = ValueLayout.ADDRESS;

    private static final FunctionDescriptor CREATE = FunctionDescriptor.of(INT, INT, ADDRESS, ADDRESS, ADDRESS);
    private static final FunctionDescriptor ADD =
            FunctionDescriptor.of(INT, ADDRESS, INT, ADDRESS, LONG, ADDRESS, INT, ADDRESS, ADDRESS);
    private static final FunctionDescriptor COMPLETE = FunctionDescriptor.of(INT, ADDRESS, ADDRESS, ADDRESS);
    private static final FunctionDescriptor DESTROY = FunctionDescriptor.of(INT, ADDRESS);

    private final CudaLibrary library;

    CudaAssembler(CudaLibrary library) {
        this.library = library;
    }

    /** As {@link GpuDriver#load(String)}. */
    CUmodule load(String ptx) {
        return load((ptx + "\0").getBytes(StandardCharsets.UTF_8), "PTX");
    }

    /** As {@link GpuDriver#load(byte[])}. */
    CUmodule load(byte[] assembled) {
        return load(assembled, "a cubin");
    }

    private CUmodule load(byte[] image, String what) {
        JITOptions options = new JITOptions();
        options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[LOG_BYTES]);
        options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG_BYTES);
        CUmodule module = new CUmodule();
        int status = JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(image), options);
        if (status != CUresult.CUDA_SUCCESS)
            throw refused(what, status, options.getBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER));
        return module;
    }

    /**
     * As {@link GpuDriver#assemble}. By the foreign-function API: the driver writes messages until the linker is destroyed, and JCuda gives their
     * memory back when {@code cuLinkCreate} returns.
     */
    byte[] assemble(String ptx) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment log = arena.allocate(LOG_BYTES);
            MemorySegment options = arena.allocateFrom(
                    INT, CUjit_option.CU_JIT_ERROR_LOG_BUFFER, CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
            MemorySegment values = arena.allocateFrom(LONG, log.address(), LOG_BYTES);
            MemorySegment made = arena.allocate(ADDRESS);
            library.check("cuLinkCreate", library.call("cuLinkCreate_v2", CREATE, 2, options, values, made));
            MemorySegment linker = made.get(ADDRESS, 0);
            try {
                MemorySegment text = arena.allocateFrom(ptx);
                MemorySegment none = MemorySegment.NULL;
                int status = library.call(
                        "cuLinkAddData_v2",
                        ADD,
                        linker,
                        CUjitInputType.CU_JIT_INPUT_PTX,
                        text,
                        text.byteSize(),
                        arena.allocateFrom("sinter"),
                        0,
                        none,
                        none);
                MemorySegment image = arena.allocate(ADDRESS);
                MemorySegment bytes = arena.allocate(LONG);
                if (status == CUresult.CUDA_SUCCESS)
                    status = library.call("cuLinkComplete", COMPLETE, linker, image, bytes);
                if (status != CUresult.CUDA_SUCCESS) throw refused("PTX", status, log.toArray(ValueLayout.JAVA_BYTE));
                // The cubin is the linker's, and goes with it.
                return image.get(ADDRESS, 0).reinterpret(bytes.get(LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
            } finally {
                library.check("cuLinkDestroy", library.call("cuLinkDestroy", DESTROY, linker));
            }
        }
    }

    private IllegalArgumentException refused(String what, int status, byte[] log) {
        String messages =
                new String(log, StandardCharsets.UTF_8).replace("\0", "").strip();
        return new IllegalArgumentException(
                "the driver refuses " + what + ": " + library.name(status) + "\n" + messages);
    }
}
