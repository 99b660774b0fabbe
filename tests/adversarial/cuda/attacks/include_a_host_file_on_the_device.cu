// Has the device's compiler, which is not the launcher's, read a file of the host.
// expect: compile_error
// ends: compile
// never_says: /bin/bash
#ifdef __CUDACC_RTC__
#include "/etc/passwd"
#endif

#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
