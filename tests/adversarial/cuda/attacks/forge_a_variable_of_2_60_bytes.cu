// Names a variable in its record that is larger than any plan can say, so that what was taken here
// would be refused where it runs, as if the harness were at fault.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    char* to = atoll_recording::add(6, 11, 24);
    to = atoll_recording::put(to, 1ull << 60);
    to = atoll_recording::put(to, 1ull);
    to[0] = 'v';
    for (int i = 1; i < 8; ++i) {
        to[i] = 0;
    }
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
