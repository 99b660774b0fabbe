// Threads that end before others, and a block of an odd size.
// expect: passed
// level: measure
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    __shared__ float parts[97];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 97) {
        sum += x[row + j];
    }
    parts[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x >= cols) {
        return;
    }
    sum = 0;
    for (const float part : parts) {
        sum += part;
    }
    for (int j = threadIdx.x; j < cols; j += 97) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 97, 0, stream>>>(x, bias, alpha, y, cols);
}
