// Keeps what it learnt of a sparse matrix (here: that it has seen it) in device variables, and is
// quick where another launch has the same structure. The answers are right always, so that it may
// pass; the time must be that of launches which have to learn.
// expect: passed
// level: measure
// at_least_us: 400

__device__ int g_known[64][4];
__device__ int g_count;

__device__ bool knows(const int* key) {
    for (int i = 0; i < g_count && i < 64; ++i) {
        if (g_known[i][0] == key[0] && g_known[i][1] == key[1] && g_known[i][2] == key[2] &&
            g_known[i][3] == key[3]) {
            return true;
        }
    }
    return false;
}

__device__ unsigned long long now_ns() {
    unsigned long long ns;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
    return ns;
}

__device__ void learn(const int* row_ptr, const int* col_idx, int rows, int nnz) {
    const int key[4] = {row_ptr[rows / 2], row_ptr[rows / 3], col_idx[nnz / 2], col_idx[nnz / 3]};
    if (knows(key)) {
        return;
    }
    const unsigned long long end = now_ns() + 500000;
    while (now_ns() < end) {
    }
    for (int i = 0; i < 4; ++i) {
        g_known[g_count % 64][i] = key[i];
    }
    ++g_count;
}

__global__ void products(const int* row_ptr, const int* col_idx, const float* values,
                         const float* x, float* y, int rows, int nnz) {
    if (blockIdx.x == 0 && threadIdx.x == 0 && nnz > 0) {
        learn(row_ptr, col_idx, rows, nnz);
    }
    const int row = (blockIdx.x * 128 + threadIdx.x) / 32;
    const int lane = threadIdx.x % 32;
    float sum = 0;
    if (row < rows) {
        for (int e = row_ptr[row] + lane; e < row_ptr[row + 1]; e += 32) {
            sum += values[e] * x[col_idx[e]];
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    }
    if (row < rows && lane == 0) {
        y[row] = sum;
    }
}

void launch(const int* row_ptr, const int* col_idx, const float* values, const float* x, float* y,
            int rows, int cols, int nnz, cudaStream_t stream) {
    products<<<(rows + 3) / 4, 128, 0, stream>>>(row_ptr, col_idx, values, x, y, rows, nnz);
}
