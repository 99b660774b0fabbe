// Every block takes as many entries, however the rows share them: products into shared memory, then
// LANES threads per row add up what lies in the block's part. Rows that go on in another part are
// added to in memory, which starts at zero.

#ifndef BLOCK
#define BLOCK 128  // tune: 64, 128, 256
#endif
#ifndef ITEMS
#define ITEMS 8  // tune: 4, 8, 16
#endif
#ifndef LANES
#define LANES 8  // tune: 2, 4, 8, 16, 32
#endif

constexpr int k_part = BLOCK * ITEMS;

// The last row that begins at or before entry `e`: empty rows before it are passed over.
__device__ int row_of(const int* row_ptr, int rows, int e) {
    int low = 0;
    int high = rows;  // row_ptr[low] <= e < row_ptr[high]
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        if (row_ptr[middle] <= e) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

// region: part_products
__global__ void __launch_bounds__(BLOCK)
    part_products(const int* __restrict__ row_ptr, const int* __restrict__ col_idx,
                  const float* __restrict__ values, const float* __restrict__ x, float* y, int rows,
                  int nnz) {
    __shared__ float products[k_part];
    __shared__ int rows_of_part[2];
    const int begin = blockIdx.x * k_part;
    const int end = min(nnz - begin, k_part) + begin;
    if (threadIdx.x < 2) {
        rows_of_part[threadIdx.x] = row_of(row_ptr, rows, threadIdx.x == 0 ? begin : end - 1);
    }
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int at = i * BLOCK + threadIdx.x;
        if (begin + at < end) {
            products[at] = values[begin + at] * x[col_idx[begin + at]];
        }
    }
    __syncthreads();
    const int lane = threadIdx.x % LANES;
    const int last = rows_of_part[1];
    // All lanes of a warp stay to the end, for the shuffles.
    for (int first = rows_of_part[0]; first <= last; first += BLOCK / LANES) {
        const int row = first + threadIdx.x / LANES;
        const int row_begin = row <= last ? row_ptr[row] : end;
        const int row_end = row <= last ? row_ptr[row + 1] : end;
        float sum = 0.0f;
        for (int e = max(row_begin, begin) + lane; e < min(row_end, end); e += LANES) {
            sum += products[e - begin];
        }
        for (int step = LANES / 2; step > 0; step /= 2) {
            sum += __shfl_down_sync(0xffffffffu, sum, step, LANES);
        }
        if (lane == 0 && row_begin < row_end) {
            if (row_begin >= begin && row_end <= end) {
                y[row] = sum;
            } else {
                atomicAdd(y + row, sum);
            }
        }
    }
}
// endregion: part_products

void launch(const int* row_ptr, const int* col_idx, const float* values, const float* x, float* y,
            int rows, int cols, int nnz, cudaStream_t stream) {
    cudaMemsetAsync(y, 0, rows * sizeof(float), stream);
    part_products<<<(nnz + k_part - 1) / k_part, BLOCK, 0, stream>>>(row_ptr, col_idx, values, x, y,
                                                                     rows, nnz);
}
