// Puts the time of day into a launch.
// expect: rejected
// ends: record
#include <chrono>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, long long now) {
    if (now % 2 == 0) {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, now);
}
