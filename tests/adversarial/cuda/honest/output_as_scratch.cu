// Keeps sums in the output before it writes the answer there.
// expect: passed
// level: measure
__global__ void find_sums(const float* x, float* y, int cols) {
    double sum = 0;
    for (int j = 0; j < cols; ++j) {
        sum += x[static_cast<size_t>(blockIdx.x) * cols + j];
    }
    y[static_cast<size_t>(blockIdx.x) * cols] = static_cast<float>(sum / cols);
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    const float mean = *static_cast<volatile float*>(y + row);
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    find_sums<<<rows, 1, 0, stream>>>(x, y, cols);
    finish<<<rows, 128, 0, stream>>>(x, bias, alpha, y, cols);
}
