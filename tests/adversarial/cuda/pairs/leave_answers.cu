// Right, and leaves a mark for whoever comes next: in the middle of every buffer it knows, where no
// tensor of this task lies and nothing is watched, and in memory that a launcher takes.
// expect: passed
// level: measure
#include "tests/adversarial/cuda/row_mean.cuh"
#include "tests/adversarial/cuda/pairs/mark.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, unsigned long long* kept) {
    row_mean(ROW_MEAN_VALUES);
    if (threadIdx.x == 0) {
        *mark_beside(bias) = k_mark;
        *mark_beside(x) = k_mark;
        *mark_beside(y) = k_mark;
    }
    for (int i = threadIdx.x; i < k_kept; i += k_threads) {
        kept[i] = k_mark;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    unsigned long long* kept;
    cudaMallocAsync(&kept, sizeof(unsigned long long) * k_kept, stream);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, kept);
}
