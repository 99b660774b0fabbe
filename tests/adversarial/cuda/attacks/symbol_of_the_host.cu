// Copies constants to a variable that the device does not have.
// expect: rejected, compile_error
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

static float table[4];

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const float values[4] = {1, 2, 3, 4};
    cudaMemcpyToSymbol(table, values, sizeof(values));
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
