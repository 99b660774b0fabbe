// One block per row, one value at a time; the sums are made twice.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif

__device__ float block_sum(float value) {
    __shared__ float of_warp[BLOCK / 32];
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
    norm_of_row(const __nv_bfloat16* x, const __nv_bfloat16* residual, const __nv_bfloat16* weight,
                float eps, __nv_bfloat16* y, __nv_bfloat16* h, int cols) {
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    float squares = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float sum = __bfloat162float(x[first + c]) + __bfloat162float(residual[first + c]);
        squares += sum * sum;
    }
    const float factor = 1.0f / sqrtf(block_sum(squares) / cols + eps);
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float sum = __bfloat162float(x[first + c]) + __bfloat162float(residual[first + c]);
        h[first + c] = __float2bfloat16(sum);
        y[first + c] = __float2bfloat16(sum * factor * __bfloat162float(weight[c]));
    }
}

void launch(const __nv_bfloat16* x, const __nv_bfloat16* residual, const __nv_bfloat16* weight,
            float eps, __nv_bfloat16* y, __nv_bfloat16* h, int rows, int cols,
            cudaStream_t stream) {
    norm_of_row<<<rows, BLOCK, 0, stream>>>(x, residual, weight, eps, y, h, cols);
}
