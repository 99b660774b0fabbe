// Eight lanes of a warp per row, so that a warp has four; the sum in pairs of pairs.
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
