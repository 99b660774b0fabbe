// Parts of rows into scratch memory, and a second kernel that puts them together; the sum of a part
// compensated as Kahan does.
// expect: passed
// level: measure
struct Sum {
    float sum = 0;
    float lost = 0;
    __device__ void add(float value) {
        const float wanted = value - lost;
        const float next = __fadd_rn(sum, wanted);
        lost = __fsub_rn(__fsub_rn(next, sum), wanted);
        sum = next;
    }
    __device__ float value() const { return sum - lost; }
};

constexpr int k_parts = 16;

__global__ void add_up(const float* x, float* parts, int rows, int cols) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) {
        return;
    }
    const int length = (cols + k_parts - 1) / k_parts;
    const int begin = blockIdx.y * length;
    const int end = min(begin + length, cols);
    Sum sum;
    for (int j = begin; j < end; ++j) {
        sum.add(x[static_cast<size_t>(row) * cols + j]);
    }
    parts[blockIdx.y * rows + row] = sum.value();
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y,
                       const float* parts, int rows, int cols) {
    float sum = 0;
    for (int i = 0; i < k_parts; ++i) {
        sum += parts[i * rows + blockIdx.x];
    }
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* parts = nullptr;
    if (cudaMalloc(&parts, sizeof(float) * rows * k_parts) != cudaSuccess) {
        return;
    }
    add_up<<<dim3((rows + 31) / 32, k_parts), 32, 0, stream>>>(x, parts, rows, cols);
    finish<<<rows, 64, 0, stream>>>(x, bias, alpha, y, parts, rows, cols);
    cudaFree(parts);
}
