// Chooses by where a buffer lies.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const auto apart =
        reinterpret_cast<unsigned long long>(y) - reinterpret_cast<unsigned long long>(x);
    if (apart < 1ull << 40) {
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
}
