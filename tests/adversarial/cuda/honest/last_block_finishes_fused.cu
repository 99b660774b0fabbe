// Three blocks per row, of which the last to be done finishes it; the sum of a part by fused
// multiplications with one.
// expect: passed
// level: measure
struct Sum {
    float sum = 0;
    __device__ void add(float value) { sum = __fmaf_rn(value, 1.0F, sum); }
    __device__ float value() const { return sum; }
};

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         float* parts, unsigned* done, int cols) {
    __shared__ float shared[64];
    __shared__ bool last;
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    Sum sum;
    for (int j = blockIdx.y * 64 + threadIdx.x; j < cols; j += 64 * gridDim.y) {
        sum.add(x[row + j]);
    }
    shared[threadIdx.x] = sum.value();
    for (int half = 32; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            shared[threadIdx.x] += shared[threadIdx.x + half];
        }
    }
    if (threadIdx.x == 0) {
        parts[blockIdx.x * gridDim.y + blockIdx.y] = shared[0];
        __threadfence();
        last = atomicAdd(done + blockIdx.x, 1) + 1 == gridDim.y;
    }
    __syncthreads();
    if (!last) {
        return;
    }
    __threadfence();
    float mean = 0;
    for (int i = 0; i < gridDim.y; ++i) {
        mean += static_cast<volatile float*>(parts)[blockIdx.x * gridDim.y + i];
    }
    mean /= cols;
    for (int j = threadIdx.x; j < cols; j += 64) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* parts;
    unsigned* done;
    cudaMalloc(&parts, 3 * rows * sizeof(float));
    cudaMalloc(&done, rows * sizeof(unsigned));
    cudaMemsetAsync(done, 0, rows * sizeof(unsigned), stream);
    row_mean<<<dim3(rows, 3), 64, 0, stream>>>(x, bias, alpha, y, parts, done, cols);
}
