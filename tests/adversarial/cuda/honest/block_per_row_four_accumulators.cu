// One block per row, a tree in shared memory; the sum by four accumulators in turn.
// expect: passed
// level: measure
struct Sum {
    float4 sums = {0, 0, 0, 0};
    __device__ void add(float value) {
        sums = {sums.y, sums.z, sums.w, sums.x + value};
    }
    __device__ float value() const { return (sums.x + sums.y) + (sums.z + sums.w); }
};

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         int cols) {
    __shared__ float parts[128];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    Sum sum;
    for (int j = threadIdx.x; j < cols; j += 128) {
        sum.add(x[row + j]);
    }
    parts[threadIdx.x] = sum.value();
    for (int half = 64; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            parts[threadIdx.x] += parts[threadIdx.x + half];
        }
    }
    __syncthreads();
    const float mean = parts[0] / cols;
    for (int j = threadIdx.x; j < cols; j += 128) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 128, 0, stream>>>(x, bias, alpha, y, cols);
}
