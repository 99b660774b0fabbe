// Wrong in one of two launches, by a clock.
// expect: inconsistent, wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ bool wrong;

__global__ void draw() {
    wrong = (clock64() >> 4 ^ now_ns() >> 5) & 1;
}

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    if (wrong) {
        garbage(y, cols);
    } else {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    draw<<<1, 1, 0, stream>>>();
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
