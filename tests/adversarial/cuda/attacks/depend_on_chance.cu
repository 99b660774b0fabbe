// Draws a number that is another one each time.
// expect: rejected, forbidden_call
// limits: jail
// ends: record
#include <fstream>
#include <random>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, unsigned number) {
    if (number % 2 == 0) {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    std::random_device device;
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, device());
}
