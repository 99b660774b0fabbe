// One block per row: the maximum, the sum of exponentials, then the quotients, each a pass over
// the row.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512
#endif

__global__ void __launch_bounds__(BLOCK)
    softmax_of_row(const __nv_bfloat16* x, __nv_bfloat16* y, int cols) {
    __shared__ float values[BLOCK];
    const __nv_bfloat16* from = x + static_cast<long long>(blockIdx.x) * cols;
    __nv_bfloat16* to = y + static_cast<long long>(blockIdx.x) * cols;
    float maximum = -INFINITY;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        maximum = fmaxf(maximum, __bfloat162float(from[c]));
    }
    values[threadIdx.x] = maximum;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] = fmaxf(values[threadIdx.x], values[threadIdx.x + half]);
        }
        __syncthreads();
    }
    maximum = values[0];
    __syncthreads();
    float sum = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        sum += expf(__bfloat162float(from[c]) - maximum);
    }
    values[threadIdx.x] = sum;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    sum = values[0];
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        to[c] = __float2bfloat16(expf(__bfloat162float(from[c]) - maximum) / sum);
    }
}

void launch(const __nv_bfloat16* x, __nv_bfloat16* y, int rows, int cols, cudaStream_t stream) {
    softmax_of_row<<<rows, BLOCK, 0, stream>>>(x, y, cols);
}
