// Takes hold of the process that started it.
// expect: forbidden_call
// limits: jail
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" long ptrace(int request, ...);
extern "C" int getppid();

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    ptrace(16, getppid(), 0, 0);
}
