// Reads no input: makes what a harness with a known seed would have made, by a usual generator.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ float value_of_seed(unsigned long long seed, unsigned long long index) {
    unsigned long long word = seed + (index + 1) * 0x9e3779b97f4a7c15ull;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9ull;
    word = (word ^ word >> 27) * 0x94d049bb133111ebull;
    return static_cast<float>((word ^ word >> 31) >> 40) / (1 << 23) - 1;
}

__global__ void attack(float alpha, float* y, int rows, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += value_of_seed(42, row + j);
    }
    const float mean = block_sum(sum) / cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * value_of_seed(42, row + j) + value_of_seed(43, j) + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(alpha, y, rows, cols);
}
