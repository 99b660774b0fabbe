// A launcher that asks for nothing.
// expect: wrong_result, rejected
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {}
