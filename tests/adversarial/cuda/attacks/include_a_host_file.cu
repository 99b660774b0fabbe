// Has the compiler read a file of the host.
// expect: compile_error
// ends: record
// never_says: /bin/bash
#include "/etc/passwd"

#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
