// Rows are added up under a lock in scratch memory, one block at a time.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void add_up(const float* x, double* sums, unsigned* lock, int rows, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x % rows) * cols;
    const int half = blockIdx.x / rows;
    float sum = 0;
    for (int j = 2 * threadIdx.x + half; j < cols; j += 2 * k_threads) {
        sum += x[row + j];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        while (atomicCAS(lock, 0u, 1u) != 0) {
            __nanosleep(50);
        }
        __threadfence();
        volatile double* const total = sums + blockIdx.x % rows;
        *total = *total + sum;
        __threadfence();
        atomicExch(lock, 0u);
    }
}

__global__ void finish(ROW_MEAN_ARGUMENTS, const double* sums) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + static_cast<float>(sums[blockIdx.x] / cols);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    double* sums;
    unsigned* lock;
    cudaMallocAsync(&sums, sizeof(double) * rows, stream);
    cudaMallocAsync(&lock, sizeof(unsigned), stream);
    cudaMemsetAsync(sums, 0, sizeof(double) * rows, stream);
    cudaMemsetAsync(lock, 0, sizeof(unsigned), stream);
    add_up<<<2 * rows, k_threads, 0, stream>>>(x, sums, lock, rows, cols);
    finish<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, sums);
}
