// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.lang.Target;
import java.nio.charset.StandardCharsets;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;

/**
 * NVIDIA's PTX compiler as a library (nvPTXCompiler, in JCuda's natives linked statically): assembles PTX where there is neither a GPU nor a driver
 * nor any of NVIDIA's tools. Says what kernels use; cubins that run are made by the driver ({@link CudaAssembler}).
 */
public final class PtxCompiler {
    private PtxCompiler() {}

    /** Whether it is on the class path: JCuda and, for this platform, its natives. */
    public static boolean isThere() {
        return CudaNatives.hasPtxCompiler();
    }

    /**
     * Assembles a module.
     *
     * @return registers, shared memory and spills of each kernel, as {@code ptxas -v} says them
     * @throws IllegalArgumentException if it does not assemble; the message has lines and reasons
     * @throws IllegalStateException if the compiler is not there, or cannot be loaded
     */
    public static String report(String ptx, Target target) {
        if (!isThere()) throw new IllegalStateException("JNvPTXCompiler is not on the class path");
        CudaNatives.loadPtxCompiler();
        return Loaded.report(ptx, target);
    }

    /** Apart, since JCuda's class loads its library when it is initialised. */
    private static final class Loaded {
        static String report(String ptx, Target target) {
            byte[] text = (ptx + "\0").getBytes(StandardCharsets.UTF_8);
            nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
            check(JNvPTXCompiler.nvPTXCompilerCreate(handle, text.length, text), "nvPTXCompilerCreate");
            try {
                String[] options = {"--gpu-name=" + target, "--verbose"};
                int status = JNvPTXCompiler.nvPTXCompilerCompile(handle, options.length, options);
                long[] size = new long[1];
                if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
                    check(JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size), "nvPTXCompilerGetErrorLogSize");
                    byte[] log = new byte[Math.toIntExact(size[0]) + 1];
                    check(JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log), "nvPTXCompilerGetErrorLog");
                    throw new IllegalArgumentException("nvPTXCompiler refuses PTX for " + target + ": "
                            + nvPTXCompileResult.stringFor(status) + "\n" + string(log));
                }
                check(JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(handle, size), "nvPTXCompilerGetInfoLogSize");
                byte[] log = new byte[Math.toIntExact(size[0]) + 1];
                check(JNvPTXCompiler.nvPTXCompilerGetInfoLog(handle, log), "nvPTXCompilerGetInfoLog");
                return string(log);
            } finally {
                check(JNvPTXCompiler.nvPTXCompilerDestroy(handle), "nvPTXCompilerDestroy");
            }
        }

        private static String string(byte[] log) {
            int n = 0;
            while (n < log.length && log[n] != 0) n++;
            return new String(log, 0, n, StandardCharsets.UTF_8);
        }

        private static void check(int status, String call) {
            if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS)
                throw new IllegalStateException(call + ": " + nvPTXCompileResult.stringFor(status));
        }
    }
}
