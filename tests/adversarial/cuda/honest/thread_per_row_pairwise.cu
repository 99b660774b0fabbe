// One thread per row; the sum in pairs of pairs.
// expect: passed
// level: measure
struct Sum {
    float levels[12] = {};
    unsigned count = 0;
    __device__ void add(float value) {
#pragma unroll
        for (int i = 0; i < 12; ++i) {
            if ((count >> i & 1) == 0) {
                levels[i] = value;
                break;
            }
            value += levels[i];
        }
        ++count;
    }
    __device__ float value() const {
        float sum = 0;
#pragma unroll
        for (int i = 0; i < 12; ++i) {
            sum += (count >> i & 1) != 0 ? levels[i] : 0;
        }
        return sum;
    }
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
