// Multiplies.
// expect: forbidden_call
// limits: jail
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" int fork();

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    for (;;) {
        fork();
    }
}
