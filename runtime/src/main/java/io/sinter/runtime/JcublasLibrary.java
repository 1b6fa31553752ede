// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/** cuBLAS 12 through JCublas. It is column-major: a row-major product is the product of the transposes, in the other order. */
final class JcublasLibrary implements MatmulLibrary {
    /** What NVIDIA recommends for Hopper; fixed, so that graphs may be captured. */
    private static final long WORKSPACE = 32L << 20;

    private final GpuDriver driver;
    private final cublasHandle handle = new cublasHandle();
    private final long workspace;
    private final String name;

    /** Loads JCublas; cuBLAS 12 has been loaded. The calling thread has the driver's context. */
    JcublasLibrary(GpuDriver driver, CudaHandles.Stream stream) {
        this.driver = driver;
        CudaNatives.loadCublas();
        check("cublasCreate", JCublas2.cublasCreate(handle));
        check("cublasSetStream", JCublas2.cublasSetStream(handle, new cudaStream_t(stream)));
        workspace = driver.allocate(WORKSPACE);
        if (workspace != 0)
            check(
                    "cublasSetWorkspace",
                    JCublas2.cublasSetWorkspace(handle, CudaHandles.DeviceMemory.at(workspace), WORKSPACE));
        int[] version = new int[1];
        check("cublasGetVersion", JCublas2.cublasGetVersion(handle, version));
        name = "cuBLAS " + version[0] / 10_000 + "." + version[0] / 100 % 100 + " through JCublas";
    }

    private static void check(String call, int status) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS)
            throw new GpuFaultException(call + ": " + cublasStatus.stringFor(status) + " (" + status + ")");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean takes(MatmulProblem p) {
        return !p.bias() && p.activation() == MatmulProblem.Activation.NONE && p.fitsInts();
    }

    @Override
    public void multiply(MatmulProblem p, long a, long b, long c, long bias, long kept) {
        boolean f64 = p.dtype() == DType.F64;
        Pointer one = f64 ? Pointer.to(new double[] {1}) : Pointer.to(new float[] {1});
        Pointer zero = f64 ? Pointer.to(new double[] {0}) : Pointer.to(new float[] {0});
        int type = type(p.dtype());
        check(
                "cublasGemmStridedBatchedEx",
                JCublas2.cublasGemmStridedBatchedEx_new(
                        handle,
                        operation(p.transposedB()),
                        operation(p.transposedA()),
                        (int) p.n(),
                        (int) p.m(),
                        (int) p.k(),
                        one,
                        CudaHandles.DeviceMemory.at(b),
                        type,
                        (int) p.ldb(),
                        p.strideB(),
                        CudaHandles.DeviceMemory.at(a),
                        type,
                        (int) p.lda(),
                        p.strideA(),
                        zero,
                        CudaHandles.DeviceMemory.at(c),
                        type,
                        (int) p.ldc(),
                        p.strideC(),
                        (int) p.batch(),
                        compute(p),
                        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
    }

    private static int operation(boolean transposed) {
        return transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    static int type(DType t) {
        return switch (t) {
            case F64 -> cudaDataType.CUDA_R_64F;
            case F32 -> cudaDataType.CUDA_R_32F;
            case F16 -> cudaDataType.CUDA_R_16F;
            case BF16 -> cudaDataType.CUDA_R_16BF;
            case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("no library multiplies " + t);
        };
    }

    /** Sums are f32, or f64; f32 operands may be rounded only if the user has said so. */
    static int compute(MatmulProblem p) {
        if (p.dtype() == DType.F64) return cublasComputeType.CUBLAS_COMPUTE_64F;
        return p.dtype() == DType.F32 && p.precision() != MatmulPrecision.HIGHEST
                ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32
                : cublasComputeType.CUBLAS_COMPUTE_32F;
    }

    @Override
    public void close() {
        JCublas2.cublasDestroy(handle);
        if (workspace != 0) driver.free(workspace);
    }
}
