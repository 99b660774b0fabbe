// Launches a kernel that is declared only: perhaps somebody else has one of that name.
// expect: compile_error
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" __global__ void fill_normal(float* to, long long count);

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    fill_normal<<<1, 1, 0, stream>>>(y, 1);
}
