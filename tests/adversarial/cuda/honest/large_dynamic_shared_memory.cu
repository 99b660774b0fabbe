// 160 KB of dynamic shared memory, of which rows are kept.
// expect: passed
// level: measure
constexpr int k_bytes = 160 << 10;
extern __shared__ float s_rows[];

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int rows,
                         int cols, int height) {
    const int first = blockIdx.x * height;
    const int here = min(height, rows - first);
    x += static_cast<size_t>(first) * cols;
    y += static_cast<size_t>(first) * cols;
    for (int i = threadIdx.x; i < here * cols; i += blockDim.x) {
        s_rows[i] = x[i];
    }
    __syncthreads();
    for (int i = threadIdx.x / 32; i < here; i += blockDim.x / 32) {
        float sum = 0;
        for (int j = threadIdx.x % 32; j < cols; j += 32) {
            sum += s_rows[i * cols + j];
        }
        for (int apart = 16; apart > 0; apart /= 2) {
            sum += __shfl_xor_sync(~0u, sum, apart);
        }
        for (int j = threadIdx.x % 32; j < cols; j += 32) {
            y[i * cols + j] = alpha * s_rows[i * cols + j] + bias[j] + sum / cols;
        }
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    int height = k_bytes / (cols * static_cast<int>(sizeof(float)));
    height = height < 8 ? height : 8;
    cudaFuncSetAttribute(row_mean, cudaFuncAttributeMaxDynamicSharedMemorySize, k_bytes);
    row_mean<<<(rows + height - 1) / height, 256, k_bytes, stream>>>(x, bias, alpha, y, rows, cols,
                                                                     height);
}
