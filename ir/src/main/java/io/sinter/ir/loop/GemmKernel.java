// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.DType;
import java.util.List;

/**
 * Template for everything that is a matrix product inside: {@code c[b,m,n] = Σ_k a[b,m,k] · b[b,k,n]}, then the epilogue for each element.
 * Matmul has one variable in each of m, n, k; convolution has several (implicit GEMM: m = output channel, n = (image, oy, ox), k = (channel,
 * ky, kx)), so that a generator that packs panels sees the structure of the index instead of divisions.
 *
 * @param batch batch variables, possibly none
 * @param m row variables, outermost first
 * @param n column variables, outermost first
 * @param k variables that are summed over, outermost first
 * @param a left operand, in batch, m and k (prologue code around a load; masked loads for padding)
 * @param b right operand, in batch, k and n
 * @param acc accumulation type: f32, f64, or i32/i64
 * @param result the finished sum, of type acc, for the epilogue
 * @param epilogue statements (Let and Store) for one (batch, m, n); the stores' buffers are the kernel's outputs
 * @param stencil what is known of b if the kernel is a convolution; else null
 */
public record GemmKernel(
        String name,
        List<Var> batch,
        List<Var> m,
        List<Var> n,
        List<Var> k,
        Expr a,
        Expr b,
        DType acc,
        Local result,
        List<Stmt> epilogue,
        Stencil stencil,
        List<Buf> buffers,
        int slots)
        implements Kernel {
    /** A product that is no convolution. */
    public GemmKernel(
            String name,
            List<Var> batch,
            List<Var> m,
            List<Var> n,
            List<Var> k,
            Expr a,
            Expr b,
            DType acc,
            Local result,
            List<Stmt> epilogue,
            List<Buf> buffers,
            int slots) {
        this(name, batch, m, n, k, a, b, acc, result, epilogue, null, buffers, slots);
    }

    /** Templates schedule themselves: the generator chooses tiles and tasks. */
    @Override
    public List<Var> grid() {
        return List.of();
    }

    @Override
    public long scratchBytes() {
        return 0;
    }
}
