// Atomic additions, in another order each time, into memory that a memset clears; the sum of a part
// compensated as Neumaier does.
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
