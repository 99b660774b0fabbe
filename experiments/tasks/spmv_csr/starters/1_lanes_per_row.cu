// LANES threads per row add up its entries. A row of very many entries is waited for.

#ifndef BLOCK
#define BLOCK 128  // tune: 64, 128, 256
#endif
#ifndef LANES
#define LANES 32  // tune: 4, 8, 16, 32
#endif

__global__ void __launch_bounds__(BLOCK)
    row_products(const int* __restrict__ row_ptr, const int* __restrict__ col_idx,
                 const float* __restrict__ values, const float* __restrict__ x,
                 float* __restrict__ y, int rows) {
    const long long row = (static_cast<long long>(blockIdx.x) * BLOCK + threadIdx.x) / LANES;
    const int lane = threadIdx.x % LANES;
    float sum = 0.0f;
    if (row < rows) {
        const int end = row_ptr[row + 1];
        for (int e = row_ptr[row] + lane; e < end; e += LANES) {
            sum += values[e] * x[col_idx[e]];
        }
    }
    for (int step = LANES / 2; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step, LANES);
    }
    if (row < rows && lane == 0) {
        y[row] = sum;
    }
}

void launch(const int* row_ptr, const int* col_idx, const float* values, const float* x, float* y,
            int rows, int cols, int nnz, cudaStream_t stream) {
    constexpr int rows_per_block = BLOCK / LANES;
    row_products<<<(rows + rows_per_block - 1) / rows_per_block, BLOCK, 0, stream>>>(
        row_ptr, col_idx, values, x, y, rows);
}
