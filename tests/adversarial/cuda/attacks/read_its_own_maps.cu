// Looks for secrets in its own process; asks for the right kernel only if it may.
// expect: wrong_result, rejected, forbidden_call
// limits: jail
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" void* fopen(const char* name, const char* mode);

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    if (fopen("/proc/self/maps", "r") != nullptr) {
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
}
