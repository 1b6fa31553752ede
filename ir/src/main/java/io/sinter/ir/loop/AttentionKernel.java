// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.DType;
import java.util.List;

/**
 * Template for scaled dot-product attention by blocks with the online softmax (Dao et al. 2022, Milakov and Gimelshein 2018), forward or
 * backward; the T×T matrix is never held. Operands are given by their loads, so any strides (heads split by views) come for free.
 *
 * <p>Forward: {@code out[b,i,:] = softmax_j(scale · q[b,i,:]·k[b,j,:] + bias[b,i,j]) · v[b,j,:]} and {@code lse[b,i]}, the row's log-sum-exp.
 * Backward: dq, dk, dv from q, k, v, out, lse, dout (delta_i = Σ_d dout·out is computed inside).
 *
 * @param pass which of the two
 * @param batch batch and head variables
 * @param i query position
 * @param j key position
 * @param d variable over the head size of q and k (their dot product)
 * @param e variable over the head size of v and out
 * @param q load of q in batch, i, d
 * @param k load of k in batch, j, d
 * @param v load of v in batch, j, e
 * @param bias additive mask or bias in batch, i, j (f32; minus infinity hides), or null
 * @param causal query i sees keys j ≤ i only, as PyTorch's is_causal
 * @param scale factor of the scores (a scalar argument or constant)
 * @param saved backward only: loads of out (batch,i,e), dout (batch,i,e), and lse (batch,i); else empty
 * @param outputs forward: out (batch,i,e), lse (batch,i). Backward: dq (batch,i,d), dk (batch,j,d), dv (batch,j,e). Store targets
 */
public record AttentionKernel(
        String name,
        Pass pass,
        List<Var> batch,
        Var i,
        Var j,
        Var d,
        Var e,
        Expr q,
        Expr k,
        Expr v,
        Expr bias,
        boolean causal,
        Expr scale,
        List<Expr> saved,
        List<Target> outputs,
        DType acc,
        List<Buf> buffers,
        int slots)
        implements Kernel {
    public enum Pass {
        FORWARD,
        BACKWARD
    }

    /** Where a result goes. */
    public record Target(Buf buffer, Index index) {}

    @Override
    public List<Var> grid() {
        return List.of();
    }

    @Override
    public long scratchBytes() {
        return 0;
    }
}
