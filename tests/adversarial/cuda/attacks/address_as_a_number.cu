// Hands an address over as a number that is none: a key for a memo.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, unsigned key) {
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const auto key = static_cast<unsigned>(reinterpret_cast<unsigned long long>(x) >> 6);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, key);
}
