// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import jcuda.Pointer;
import jcuda.driver.CUjitInputType;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUlinkState;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/** The driver's assembler: from PTX text to a cubin, and from either to a module. For the context that is the calling thread's. */
final class CudaAssembler {
    /** Bytes of the assembler's messages. */
    private static final int LOG_BYTES = 16 * 1024;

    private final CudaLibrary library;

    CudaAssembler(CudaLibrary library) {
        this.library = library;
    }

    /** As {@link GpuDriver#load(String)}. */
    CUmodule load(String ptx) {
        return load(terminated(ptx), "PTX");
    }

    /** As {@link GpuDriver#load(byte[])}. */
    CUmodule load(byte[] assembled) {
        return load(assembled, "a cubin");
    }

    private CUmodule load(byte[] image, String what) {
        JITOptions options = options();
        CUmodule module = new CUmodule();
        int status = JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(image), options);
        if (status != CUresult.CUDA_SUCCESS) throw refused(what, status, options);
        return module;
    }

    /** As {@link GpuDriver#assemble}. */
    byte[] assemble(String ptx) {
        byte[] text = terminated(ptx);
        JITOptions options = options();
        CUlinkState state = new CUlinkState();
        library.check("cuLinkCreate", JCudaDriver.cuLinkCreate(options, state));
        try {
            int status = JCudaDriver.cuLinkAddData(
                    state, CUjitInputType.CU_JIT_INPUT_PTX, Pointer.to(text), text.length, "sinter", new JITOptions());
            if (status != CUresult.CUDA_SUCCESS) throw refused("PTX", status, options);
            CudaHandles.HostMemory image = new CudaHandles.HostMemory(); // the state's
            long[] bytes = new long[1];
            status = JCudaDriver.cuLinkComplete(state, image, bytes);
            if (status != CUresult.CUDA_SUCCESS) throw refused("PTX", status, options);
            return MemorySegment.ofAddress(image.address())
                    .reinterpret(bytes[0])
                    .toArray(ValueLayout.JAVA_BYTE);
        } finally {
            library.check("cuLinkDestroy", JCudaDriver.cuLinkDestroy(state));
        }
    }

    private static byte[] terminated(String ptx) {
        return (ptx + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private static JITOptions options() {
        JITOptions options = new JITOptions();
        options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[LOG_BYTES]);
        options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG_BYTES);
        return options;
    }

    private IllegalArgumentException refused(String what, int status, JITOptions options) {
        String log = new String(options.getBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER), StandardCharsets.UTF_8)
                .replace("\0", "")
                .strip();
        return new IllegalArgumentException("the driver refuses " + what + ": " + library.name(status) + "\n" + log);
    }
}
