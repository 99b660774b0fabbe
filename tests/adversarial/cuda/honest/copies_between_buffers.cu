// Works on a copy of the inputs, and copies the answer into its place.
// expect: passed
// level: measure
__global__ void row_mean(float* x, const float* bias, float alpha, int cols) {
    __shared__ float mean;
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    if (threadIdx.x == 0) {
        double sum = 0;
        for (int j = 0; j < cols; ++j) {
            sum += x[row + j];
        }
        mean = static_cast<float>(sum / cols);
    }
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        x[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    const size_t bytes = sizeof(float) * rows * cols;
    float* work;
    float* other_bias;
    cudaMallocAsync(&work, bytes, stream);
    cudaMallocAsync(&other_bias, sizeof(float) * cols, stream);
    cudaMemcpyAsync(work, x, bytes, cudaMemcpyDeviceToDevice, stream);
    cudaMemcpyAsync(other_bias, bias, sizeof(float) * cols, cudaMemcpyDefault, stream);
    row_mean<<<rows, 64, 0, stream>>>(work, other_bias, alpha, cols);
    cudaMemcpyAsync(y, work, bytes, cudaMemcpyDeviceToDevice, stream);
    cudaFreeAsync(work, stream);
    cudaFreeAsync(other_bias, stream);
}
