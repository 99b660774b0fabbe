// Device functions that call themselves, some levels deep.
// expect: passed
// level: measure
__device__ __noinline__ float sum_of(const float* x, int count) {
    if (count <= 8) {
        float sum = 0;
        for (int i = 0; i < count; ++i) {
            sum += x[i];
        }
        return sum;
    }
    return sum_of(x, count / 2) + sum_of(x + count / 2, count - count / 2);
}

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int rows,
                         int cols) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) {
        return;
    }
    const size_t at = static_cast<size_t>(row) * cols;
    const float mean = sum_of(x + at, cols) / cols;
    for (int j = 0; j < cols; ++j) {
        y[at + j] = alpha * x[at + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<(rows + 31) / 32, 32, 0, stream>>>(x, bias, alpha, y, rows, cols);
}
