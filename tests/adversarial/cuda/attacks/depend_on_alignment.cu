// Chooses the size of blocks by how a buffer is aligned.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const int extra = reinterpret_cast<unsigned long long>(x) % 256 == 0 ? 0 : 32;
    right_answer<<<rows, k_threads, extra, stream>>>(ROW_MEAN_VALUES);
}
