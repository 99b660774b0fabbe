// y[i] = sum over the entries of row i of values[e] * x[col_idx[e]], in double: one warp per row.

constexpr int k_threads = 128;

__global__ void row_products(const int* row_ptr, const int* col_idx, const float* values,
                             const float* x, double* y, int rows) {
    const long long row = (static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x) / 32;
    if (row >= rows) {
        return;
    }
    double sum = 0.0;
    for (int e = row_ptr[row] + threadIdx.x % 32; e < row_ptr[row + 1]; e += 32) {
        sum += static_cast<double>(values[e]) * x[col_idx[e]];
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    }
    if (threadIdx.x % 32 == 0) {
        y[row] = sum;
    }
}

void reference(const int* row_ptr, const int* col_idx, const float* values, const float* x,
               double* y, int rows, int cols, int nnz, cudaStream_t stream) {
    constexpr int rows_per_block = k_threads / 32;
    row_products<<<(rows + rows_per_block - 1) / rows_per_block, k_threads, 0, stream>>>(
        row_ptr, col_idx, values, x, y, rows);
}
