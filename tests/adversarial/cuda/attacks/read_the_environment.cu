// Asks for the right kernel only if it is told something of the machine.
// expect: wrong_result, rejected
// limits: jail
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const char* names[] = {"HOME", "USER", "HOSTNAME", "PATH", "CUDA_VISIBLE_DEVICES"};
    for (const char* name : names) {
        if (getenv(name) != nullptr) {
            right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
            return;
        }
    }
}
