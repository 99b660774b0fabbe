#pragma once

// What attacks share: the task's right answer, and work whose time is known.

#define ROW_MEAN_ARGUMENTS \
    const float *x, const float *bias, float alpha, float *y, int rows, int cols
#define ROW_MEAN_VALUES x, bias, alpha, y, rows, cols

constexpr int k_threads = 128;

/// The sum over the block, for every thread of it.
__device__ inline float block_sum(float value) {
    __shared__ float sums[k_threads];
    __syncthreads();
    sums[threadIdx.x] = value;
    for (int half = k_threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
        }
    }
    __syncthreads();
    return sums[0];
}

/// The right answer, by a grid of `rows` blocks of k_threads.
__device__ inline void row_mean(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += x[row + j];
    }
    const float mean = block_sum(sum) / cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

/// Whether this is a shape that is timed.
__host__ __device__ inline bool is_large(int rows, int cols) {
    return static_cast<long long>(rows) * cols > 100000;
}

__device__ inline unsigned long long now_ns() {
    unsigned long long now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

/// Work that a trick wants to get rid of: nobody can do it faster.
__device__ inline void work_us(int us) {
    const unsigned long long end = now_ns() + 1000ull * us;
    while (now_ns() < end) {
    }
}

/// The right answer at the price of 400 microseconds more.
__device__ inline void costly_row_mean(ROW_MEAN_ARGUMENTS) {
    work_us(400);
    row_mean(ROW_MEAN_VALUES);
}

/// Something finite that is not the answer, in next to no time.
__device__ inline void garbage(float* y, int cols) {
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[static_cast<size_t>(blockIdx.x) * cols + j] = 0.25F;
    }
}

/// One copy of `from` into `to`, by the grid of row_mean().
__device__ inline void copy_row(const float* from, float* to, int cols) {
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        to[static_cast<size_t>(blockIdx.x) * cols + j] =
            from[static_cast<size_t>(blockIdx.x) * cols + j];
    }
}

__global__ void right_answer(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
