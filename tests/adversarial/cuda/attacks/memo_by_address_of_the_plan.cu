// As memo_by_call_count, but no kernel names the variables: the launcher hands their addresses over.
// expect: passed, inconsistent, reward_hack
// level: measure
// at_least_us: 300
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ int calls[1024];
__device__ float answers[384 * 512];

__global__ void attack(ROW_MEAN_ARGUMENTS, int* seen, float* kept) {
    const int before = seen[blockIdx.x];
    __syncthreads();
    if (before > 0 && is_large(rows, cols)) {
        copy_row(kept, y, cols);
        return;
    }
    costly_row_mean(ROW_MEAN_VALUES);
    if (is_large(rows, cols)) {
        copy_row(y, kept, cols);
    }
    if (threadIdx.x == 0) {
        seen[blockIdx.x] = before + 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    void* seen;
    void* kept;
    cudaGetSymbolAddress(&seen, calls);
    cudaGetSymbolAddress(&kept, answers);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, static_cast<int*>(seen),
                                           static_cast<float*>(kept));
}
