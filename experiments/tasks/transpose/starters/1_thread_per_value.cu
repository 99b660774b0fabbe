// One thread per value: reads run along the rows, writes jump from row to row.

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif

__global__ void __launch_bounds__(BLOCK) transpose(const float* x, float* y, int rows, int cols,
                                                   long long count) {
    const long long i = static_cast<long long>(blockIdx.x) * BLOCK + threadIdx.x;
    if (i < count) {
        const long long row = i / cols;  // of all matrices
        const int c = static_cast<int>(i - row * cols);
        const long long matrix = row / rows;
        const int r = static_cast<int>(row - matrix * rows);
        y[(matrix * cols + c) * rows + r] = x[i];
    }
}

void launch(const float* x, float* y, int batch, int rows, int cols, cudaStream_t stream) {
    const long long count = static_cast<long long>(batch) * rows * cols;
    transpose<<<(count + BLOCK - 1) / BLOCK, BLOCK, 0, stream>>>(x, y, rows, cols, count);
}
