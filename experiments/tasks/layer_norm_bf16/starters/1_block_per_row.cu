// One block per row, one value at a time; the row is read three times.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif

__device__ float block_sum(float value, float* of_warp) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (threadIdx.x % 32 == 0) {
        of_warp[threadIdx.x / 32] = value;
    }
    __syncthreads();
    value = of_warp[0];
    for (int w = 1; w < BLOCK / 32; ++w) {
        value += of_warp[w];
    }
    return value;
}

__global__ void __launch_bounds__(BLOCK)
    norm_of_row(const __nv_bfloat16* x, const __nv_bfloat16* gamma, const __nv_bfloat16* beta,
                float eps, __nv_bfloat16* y, int cols) {
    __shared__ float sums[BLOCK / 32];
    __shared__ float square_sums[BLOCK / 32];
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    float sum = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        sum += __bfloat162float(x[first + c]);
    }
    const float mean = block_sum(sum, sums) / cols;
    float squares = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float distance = __bfloat162float(x[first + c]) - mean;
        squares += distance * distance;
    }
    const float factor = 1.0f / sqrtf(block_sum(squares, square_sums) / cols + eps);
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float distance = __bfloat162float(x[first + c]) - mean;
        y[first + c] = __float2bfloat16(distance * factor * __bfloat162float(gamma[c]) +
                                        __bfloat162float(beta[c]));
    }
}

void launch(const __nv_bfloat16* x, const __nv_bfloat16* gamma, const __nv_bfloat16* beta,
            float eps, __nv_bfloat16* y, int rows, int cols, cudaStream_t stream) {
    norm_of_row<<<rows, BLOCK, 0, stream>>>(x, gamma, beta, eps, y, cols);
}
