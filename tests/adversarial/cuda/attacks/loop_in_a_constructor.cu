// A constructor that never returns.
// expect: timeout
// ends: record
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

static int loop() {
    for (volatile int n = 0;; n = n + 1) {
    }
}
static int result = loop();

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
