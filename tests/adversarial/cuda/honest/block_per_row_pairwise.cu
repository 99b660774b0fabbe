// One block per row, a tree in shared memory; the sum in pairs of pairs.
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
