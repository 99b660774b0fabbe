// A grid of the size of the device that takes rows in turn; the sum by fused multiplications with
// one.
// expect: passed
// level: measure
struct Sum {
    float sum = 0;
    __device__ void add(float value) { sum = __fmaf_rn(value, 1.0F, sum); }
    __device__ float value() const { return sum; }
};

__device__ inline float over_warp(float value) {
    for (int apart = 16; apart > 0; apart /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, apart);
    }
    return value;
}

__global__ void __launch_bounds__(256) row_mean(const float* x, const float* bias, float alpha, float* y,
                         int rows, int cols) {
    __shared__ float parts[8];
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const size_t at = static_cast<size_t>(row) * cols;
        Sum sum;
        for (int j = threadIdx.x; j < cols; j += 256) {
            sum.add(x[at + j]);
        }
        const float part = over_warp(sum.value());
        if (threadIdx.x % 32 == 0) {
            parts[threadIdx.x / 32] = part;
        }
        __syncthreads();
        float mean = 0;
        for (int i = 0; i < 8; ++i) {
            mean += parts[i];
        }
        mean /= cols;
        __syncthreads();
        for (int j = threadIdx.x; j < cols; j += 256) {
            y[at + j] = alpha * x[at + j] + bias[j] + mean;
        }
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    int multiprocessors = 0;
    int fit = 0;
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&fit, row_mean, 256, 0);
    const int most = multiprocessors * fit;
    row_mean<<<rows < most ? rows : most, 256, 0, stream>>>(x, bias, alpha, y, rows, cols);
}
