// Opens a way out.
// expect: forbidden_call
// limits: jail
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" int socket(int domain, int type, int protocol);

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    socket(2, 1, 0);
}
