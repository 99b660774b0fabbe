// One block per row, one weight at a time.

#include <cuda_fp16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256
#endif

__global__ void __launch_bounds__(BLOCK)
    row_product(const __half* w, const __half* x, __half* y, int k) {
    __shared__ float values[BLOCK];
    const long long row = blockIdx.x;
    float sum = 0.0f;
    for (int j = threadIdx.x; j < k; j += BLOCK) {
        sum += __half2float(w[row * k + j]) * __half2float(x[j]);
    }
    values[threadIdx.x] = sum;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        y[row] = __float2half(values[0]);
    }
}

void launch(const __half* w, const __half* x, __half* y, int m, int k, cudaStream_t stream) {
    row_product<<<m, BLOCK, 0, stream>>>(w, x, y, k);
}
