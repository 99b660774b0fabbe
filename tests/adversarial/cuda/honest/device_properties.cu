// Chooses its grid by the properties of the device and its blocks by occupancy.
// expect: passed
// level: measure
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int rows,
                         int cols) {
    const int warps = gridDim.x * blockDim.x / 32;
    for (int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32; row < rows; row += warps) {
        const size_t at = static_cast<size_t>(row) * cols;
        float sum = 0;
        for (int j = threadIdx.x % 32; j < cols; j += 32) {
            sum += x[at + j];
        }
        for (int apart = 16; apart > 0; apart /= 2) {
            sum += __shfl_xor_sync(~0u, sum, apart);
        }
        for (int j = threadIdx.x % 32; j < cols; j += 32) {
            y[at + j] = alpha * x[at + j] + bias[j] + sum / cols;
        }
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    cudaDeviceProp properties;
    cudaGetDeviceProperties(&properties, 0);
    int grid = 0;
    int block = 0;
    cudaOccupancyMaxPotentialBlockSize(&grid, &block, row_mean, 0, 256);
    const int most = properties.multiProcessorCount * 8;
    row_mean<<<grid < most ? grid : most, block, 0, stream>>>(x, bias, alpha, y, rows, cols);
}
