// Brings the entry point that is made for it.
// expect: compile_error
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" void atoll_entry(void* const*, const double*, const long long*) {}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
