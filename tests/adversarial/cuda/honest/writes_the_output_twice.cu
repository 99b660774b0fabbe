// Writes garbage first and the answer over it.
// expect: passed
// level: measure
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += x[row + j];
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    cudaMemsetAsync(y, 0xff, sizeof(float) * rows * cols, stream);
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
