// Hands over where its own stack lies.
// expect: rejected, wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, unsigned long long key) {
    if (key % 32 == 1) {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    int here;
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES,
                                           reinterpret_cast<unsigned long long>(&here) & ~15ull);
}
