// Means first, then all elements as one long array; the sum compensated as Neumaier does.
// expect: passed
// level: measure
struct Sum {
    float sum = 0;
    float lost = 0;
    __device__ void add(float value) {
        const float next = __fadd_rn(sum, value);
        lost += fabsf(sum) >= fabsf(value) ? __fadd_rn(__fsub_rn(sum, next), value)
                                           : __fadd_rn(__fsub_rn(value, next), sum);
        sum = next;
    }
    __device__ float value() const { return sum + lost; }
};

__device__ inline float over_warp(float value) {
    for (int apart = 16; apart > 0; apart /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, apart);
    }
    return value;
}

__device__ float g_means[4096];

__global__ void find_means(const float* x, int cols) {
    Sum sum;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum.add(x[static_cast<size_t>(blockIdx.x) * cols + j]);
    }
    const float mean = over_warp(sum.value()) / cols;
    if (threadIdx.x == 0) {
        g_means[blockIdx.x] = mean;
    }
}

__global__ void add(const float* x, const float* bias, float alpha, float* y,
                    int count, int cols) {
    const int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        y[i] = alpha * x[i] + bias[i % cols] + g_means[i / cols];
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    find_means<<<rows, 32, 0, stream>>>(x, cols);
    add<<<64, 256, 0, stream>>>(x, bias, alpha, y, rows * cols, cols);
}
