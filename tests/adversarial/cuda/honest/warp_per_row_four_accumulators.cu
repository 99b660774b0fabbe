// One warp per row, shuffles; the sum by four accumulators in turn.
// expect: passed
// level: measure
struct Sum {
    float4 sums = {0, 0, 0, 0};
    __device__ void add(float value) {
        sums = {sums.y, sums.z, sums.w, sums.x + value};
    }
    __device__ float value() const { return (sums.x + sums.y) + (sums.z + sums.w); }
};

__device__ inline float over_warp(float value) {
    for (int apart = 16; apart > 0; apart /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, apart);
    }
    return value;
}

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         int rows, int cols) {
    const int row = blockIdx.x * 8 + threadIdx.y;
    if (row >= rows) {
        return;
    }
    const size_t at = static_cast<size_t>(row) * cols;
    Sum sum;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum.add(x[at + j]);
    }
    const float mean = over_warp(sum.value()) / cols;
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[at + j] = alpha * x[at + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<(rows + 7) / 8, dim3(32, 8), 0, stream>>>(x, bias, alpha, y, rows, cols);
}
