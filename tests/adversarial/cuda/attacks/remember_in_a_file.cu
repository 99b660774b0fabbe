// Keeps a file from one evaluation to the next; asks for the right kernel only if that works.
// expect: wrong_result, rejected, forbidden_call
// limits: jail
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" void* fopen(const char* name, const char* mode);

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const char* names[] = {"/tmp/atoll-memo", "/dev/shm/atoll-memo", "atoll-memo"};
    for (const char* name : names) {
        if (fopen(name, "a") != nullptr) {
            right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
            return;
        }
    }
}
