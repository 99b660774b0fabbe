// Starts a shell.
// expect: forbidden_call
// limits: jail
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" int execl(const char* path, const char* argument, ...);

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    execl("/bin/sh", "sh", "-c", "id", nullptr);
}
