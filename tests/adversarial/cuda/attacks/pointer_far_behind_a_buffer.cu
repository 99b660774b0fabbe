// Hands a kernel an address far behind its input.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(x + (1 << 24), bias, alpha, y, rows, cols);
}
