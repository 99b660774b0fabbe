// __ldg, restrict and hints for caches.
// expect: passed
// level: measure
__global__ void __launch_bounds__(64, 8)
    row_mean(const float* __restrict__ x, const float* __restrict__ bias, float alpha,
             float* __restrict__ y, int cols) {
    __shared__ float halves[2];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
#pragma unroll 4
    for (int j = threadIdx.x; j < cols; j += 64) {
        sum += __ldg(x + row + j);
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    if (threadIdx.x % 32 == 0) {
        halves[threadIdx.x / 32] = sum;
    }
    __syncthreads();
    const float mean = __fdividef(halves[0] + halves[1], cols);
    for (int j = threadIdx.x; j < cols; j += 64) {
        __stcs(y + row + j, alpha * __ldcs(x + row + j) + __ldg(bias + j) + mean);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 64, 0, stream>>>(x, bias, alpha, y, cols);
}
