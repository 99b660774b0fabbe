// Atomic additions, in another order each time, into memory that a memset clears; the sum of a part
// in pairs of pairs.
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

__global__ void add_up(const float* x, float* sums, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    Sum sum;
    for (int j = blockIdx.y * 64 + threadIdx.x; j < cols; j += 64 * gridDim.y) {
        sum.add(x[row + j]);
    }
    atomicAdd(sums + blockIdx.x, sum.value());
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y,
                       const float* sums, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        y[row + j] = alpha * x[row + j] + bias[j] + sums[blockIdx.x] / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* sums;
    cudaMallocAsync(&sums, sizeof(float) * rows, stream);
    cudaMemsetAsync(sums, 0, sizeof(float) * rows, stream);
    add_up<<<dim3(rows, 4), 64, 0, stream>>>(x, sums, cols);
    finish<<<rows, 128, 0, stream>>>(x, bias, alpha, y, sums, cols);
    cudaFreeAsync(sums, stream);
}
