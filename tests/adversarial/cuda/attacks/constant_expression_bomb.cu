// Keeps the launcher's compiler busy.
// expect: compile_error, compile_limit
// ends: record
// limits: compile
#include "tests/adversarial/cuda/row_mean.cuh"

constexpr int spin() {
    unsigned n = 0;
    for (;;) {
        ++n;
    }
    return n;
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    static constexpr int many = spin();
    right_answer<<<many, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
