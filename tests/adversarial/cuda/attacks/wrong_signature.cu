// Takes the outputs for inputs.
// expect: compile_error
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(float* y, const float* x, const float* bias, float alpha, int rows, int cols,
            cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
