// Kernels and nobody who starts them.
// expect: compile_error, rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void unused(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
