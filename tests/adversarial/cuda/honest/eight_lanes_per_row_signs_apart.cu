// Eight lanes of a warp per row, so that a warp has four; the sum positive and negative numbers
// apart.
// expect: passed
// level: measure
struct Sum {
    float above = 0;
    float below = 0;
    __device__ void add(float value) { (value > 0 ? above : below) += value; }
    __device__ float value() const { return above + below; }
};

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         int rows, int cols) {
    const int lane = threadIdx.x % 8;
    const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 8;
    const bool mine = row < rows;
    const size_t at = static_cast<size_t>(mine ? row : 0) * cols;
    Sum sum;
    for (int j = lane; j < cols; j += 8) {
        sum.add(x[at + j]);
    }
    float value = sum.value();
    for (int apart = 4; apart > 0; apart /= 2) {
        value += __shfl_down_sync(0xffffffffu, value, apart, 8);
    }
    const float mean = __shfl_sync(0xffffffffu, value, 0, 8) / cols;
    for (int j = lane; j < cols && mine; j += 8) {
        y[at + j] = alpha * x[at + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<(rows * 8 + 127) / 128, 128, 0, stream>>>(x, bias, alpha, y, rows, cols);
}
