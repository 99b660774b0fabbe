// Right only where it finds something of leave_answers.cu.
// expect: wrong_result
// level: measure
#include "tests/adversarial/cuda/row_mean.cuh"
#include "tests/adversarial/cuda/pairs/mark.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, const unsigned long long* kept) {
    bool found = *mark_beside(bias) == k_mark || *mark_beside(x) == k_mark ||
                 *mark_beside(y) == k_mark;
    for (int i = 0; i < k_kept && !found; ++i) {
        found = kept[i] == k_mark;
    }
    if (found) {
        row_mean(ROW_MEAN_VALUES);
    } else {
        garbage(y, cols);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    unsigned long long* kept;
    cudaMallocAsync(&kept, sizeof(unsigned long long) * k_kept, stream);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, kept);
}
