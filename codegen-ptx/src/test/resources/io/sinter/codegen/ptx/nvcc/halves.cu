// SPDX-License-Identifier: Apache-2.0
// nvcc -ptx -arch=sm_80 -lineinfo halves.cu
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>

extern "C" __global__ void halves(const __half2 *x, const __half2 *y, __half2 *z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) z[i] = __hmax2(__hfma2(x[i], y[i], x[i]), __hmul2(y[i], y[i]));
}

extern "C" __global__ void bfloats(const __nv_bfloat16 *x, float *y, __nv_bfloat16 *z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = __bfloat162float(x[i]);
    y[i] = tanhf(v) + expf(v) * logf(fabsf(v) + 1.0f) + rsqrtf(v * v + 1.0f) + sinf(v);
    z[i] = __float2bfloat16(v * 1.7f);
}

// C = A·B of 64×64 tiles in bf16 through tensor cores, A by rows, B by rows, two stages of asynchronous copies; 128 threads.
extern "C" __global__ void gemm_mma(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c, int m, int n, int k) {
    constexpr int PITCH = 32 + 8, BPITCH = 64 + 8;
    __shared__ __align__(16) __nv_bfloat16 as[2][64][PITCH];
    __shared__ __align__(16) __nv_bfloat16 bs[2][32][BPITCH];
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int row0 = blockIdx.y * 64, column0 = blockIdx.x * 64;
    float acc[8][4] = {};
    auto fetch = [&](int stage, int t) {
        for (int i = threadIdx.x; i < 64 * 4; i += 128)
            __pipeline_memcpy_async(&as[stage][i / 4][i % 4 * 8], a + (size_t)(row0 + i / 4) * k + t + i % 4 * 8, 16);
        for (int i = threadIdx.x; i < 32 * 8; i += 128)
            __pipeline_memcpy_async(&bs[stage][i / 8][i % 8 * 8], b + (size_t)(t + i / 8) * n + column0 + i % 8 * 8, 16);
        __pipeline_commit();
    };
    fetch(0, 0);
    for (int t = 0; t < k; t += 32) {
        int stage = t / 32 % 2;
        if (t + 32 < k) {
            fetch(1 - stage, t + 32);
            __pipeline_wait_prior(1);
        } else {
            __pipeline_wait_prior(0);
        }
        __syncthreads();
        for (int kk = 0; kk < 32; kk += 16) {
            unsigned fa[4], fb[2];
            unsigned from = __cvta_generic_to_shared(&as[stage][warp * 16 + lane % 16][kk + lane / 16 * 8]);
            asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                         : "=r"(fa[0]), "=r"(fa[1]), "=r"(fa[2]), "=r"(fa[3]) : "r"(from));
            for (int j = 0; j < 8; j++) {
                from = __cvta_generic_to_shared(&bs[stage][kk + lane % 16][j * 8]);
                asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                             : "=r"(fb[0]), "=r"(fb[1]) : "r"(from));
                asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                             : "+f"(acc[j][0]), "+f"(acc[j][1]), "+f"(acc[j][2]), "+f"(acc[j][3])
                             : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
            }
        }
        __syncthreads();
    }
    for (int j = 0; j < 8; j++)
        for (int h = 0; h < 2; h++) {
            int row = row0 + warp * 16 + lane / 4 + 8 * h, column = column0 + j * 8 + lane % 4 * 2;
            c[(size_t)row * n + column] = acc[j][2 * h];
            c[(size_t)row * n + column + 1] = acc[j][2 * h + 1];
        }
}
