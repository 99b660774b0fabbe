// Has its own macros in place of the runtime's functions. Harmless: they are compiled before.
// expect: passed
#define finish begin
#define atoll_entry other_entry
#define atoll_recording other_recording
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
