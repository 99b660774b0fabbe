// Looks at an input in the launcher and catches the fault.
// expect: memory_fault, forbidden_call
// limits: jail
// ends: record
#include <csignal>
#include <cstdlib>

#include "tests/adversarial/cuda/row_mean.cuh"

static void survive(int) {
    std::_Exit(0);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    std::signal(SIGSEGV, survive);
    right_answer<<<x[0] > 0 ? rows : 1, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
