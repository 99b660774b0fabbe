// A launcher that never returns.
// expect: timeout
// ends: record
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    volatile int n = 0;
    for (;;) {
        n = n + 1;
    }
}
