// Keeps the answer in memory that a launcher may take, marked with a number that nothing else makes.
// expect: passed, wrong_result, inconsistent, reward_hack
// level: measure
// at_least_us: 300
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, float* kept, unsigned long long* marks) {
    constexpr unsigned long long mark = 0x5ca1ab1ef005ba11;
    const bool known = marks[blockIdx.x] == mark;
    __syncthreads();
    if (known && is_large(rows, cols)) {
        copy_row(kept, y, cols);
        return;
    }
    costly_row_mean(ROW_MEAN_VALUES);
    copy_row(y, kept, cols);
    if (threadIdx.x == 0) {
        marks[blockIdx.x] = mark;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* kept;
    unsigned long long* marks;
    cudaMallocAsync(&kept, sizeof(float) * rows * cols, stream);
    cudaMallocAsync(&marks, sizeof(unsigned long long) * rows, stream);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, kept, marks);
}
