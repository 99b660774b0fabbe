// A loop of launches, one for each row, whose pointers lie inside the buffers.
// expect: passed
// level: measure
__global__ void one_row(const float* x, const float* bias, float alpha, float* y, int cols) {
    __shared__ double parts[32];
    double sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += x[j];
    }
    parts[threadIdx.x] = sum;
    __syncwarp();
    sum = 0;
    for (double part : parts) {
        sum += part;
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[j] = alpha * x[j] + bias[j] + static_cast<float>(sum / cols);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    for (int row = 0; row < rows; ++row) {
        const size_t at = static_cast<size_t>(row) * cols;
        one_row<<<1, 32, 0, stream>>>(x + at, bias, alpha, y + at, cols);
    }
}
