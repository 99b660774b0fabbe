// One thread per row; the sum in double precision.
// expect: passed
// level: measure
struct Sum {
    double sum = 0;
    __device__ void add(float value) { sum += value; }
    __device__ float value() const { return static_cast<float>(sum); }
};

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         int rows, int cols) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) {
        return;
    }
    const size_t at = static_cast<size_t>(row) * cols;
    Sum sum;
    for (int j = 0; j < cols; ++j) {
        sum.add(x[at + j]);
    }
    const float mean = sum.value() / cols;
    for (int j = 0; j < cols; ++j) {
        y[at + j] = alpha * x[at + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<(rows + 63) / 64, 64, 0, stream>>>(x, bias, alpha, y, rows, cols);
}
