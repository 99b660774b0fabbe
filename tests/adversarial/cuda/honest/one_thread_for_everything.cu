// A single thread for small shapes, blocks for large ones.
// expect: passed
// level: measure
__global__ void small(const float* x, const float* bias, float alpha, float* y, int rows, int cols) {
    for (int i = 0; i < rows; ++i, x += cols, y += cols) {
        double sum = 0;
        for (int j = 0; j < cols; ++j) {
            sum += x[j];
        }
        for (int j = 0; j < cols; ++j) {
            y[j] = static_cast<float>(double(alpha) * x[j] + bias[j] + sum / cols);
        }
    }
}

__global__ void large(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t at = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += x[at + j];
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[at + j] = alpha * x[at + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    if (static_cast<long long>(rows) * cols < 4096) {
        small<<<1, 1, 0, stream>>>(x, bias, alpha, y, rows, cols);
    } else {
        large<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
    }
}
