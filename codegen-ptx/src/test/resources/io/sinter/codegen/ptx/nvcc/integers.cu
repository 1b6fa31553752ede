// SPDX-License-Identifier: Apache-2.0
// nvcc -ptx -arch=sm_80 -lineinfo integers.cu
extern "C" __global__ void histogram(const unsigned char *x, unsigned *bins, int n) {
    __shared__ unsigned local[256];
    for (int i = threadIdx.x; i < 256; i += blockDim.x) local[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[x[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < 256; i += blockDim.x) atomicAdd(&bins[i], local[i]);
}

__constant__ unsigned primes[8] = {2654435761u, 2246822519u, 3266489917u, 668265263u, 374761393u, 7u, 11u, 13u};

extern "C" __global__ void hash(const unsigned *x, unsigned long long *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned h = x[i];
    for (int r = 0; r < 8; r++) {
        h = h * primes[r] + (h >> 13);
        h ^= __brev(h) + __popc(h) - __clz(h);
        h = __funnelshift_l(h, h, r + 1);
        h ^= __byte_perm(h, i, 0x2134);
    }
    y[i] = __umul64hi((unsigned long long)h << 20, 0x9E3779B97F4A7C15ull) / (i + 3) + h % 1000u;
}

// Collatz: the lanes of a warp leave the loop at different times, through inner branches.
extern "C" __global__ void collatz(const int *x, int *steps, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long v = x[i];
    int s = 0;
    while (v != 1) {
        if (v & 1) {
            v = 3 * v + 1;
            if (v < 0) break;
        } else {
            v /= 2;
        }
        s++;
    }
    steps[i] = s;
}

// A local array that is indexed by data, and a switch.
extern "C" __global__ void machine(const int *program, int *out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int registers[8];
    for (int r = 0; r < 8; r++) registers[r] = i + r;
    for (int pc = 0; pc < n; pc++) {
        int op = program[pc];
        int d = (op >> 8) & 7, a = (op >> 16) & 7, b = (op >> 24) & 7;
        switch ((op + i) & 3) {
            case 0: registers[d] = registers[a] + registers[b]; break;
            case 1: registers[d] = registers[a] * registers[b]; break;
            case 2: registers[d] = registers[a] ^ (registers[b] >> 3); break;
            default: registers[d] = registers[a] - registers[b];
        }
    }
    int sum = 0;
    for (int r = 0; r < 8; r++) sum = sum * 31 + registers[r];
    out[i] = sum;
}

__device__ unsigned ticket;

// The last block adds what the others wrote.
extern "C" __global__ void last_block(const int *x, volatile int *partial, int *out, int n) {
    __shared__ bool last;
    __shared__ int total;
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    atomicAdd(&total, i < n ? x[i] : 0);
    __syncthreads();
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = total;
        __threadfence();
        last = atomicInc(&ticket, gridDim.x - 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        int sum = 0;
        for (int b = 0; b < gridDim.x; b++) sum += partial[b];
        *out = sum;
    }
}
