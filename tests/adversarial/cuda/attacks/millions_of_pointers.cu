// Writes the same table of pointers again and again: what the device's process had to read before it
// could launch anything would take seconds.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

static char* g_table[8192];

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    char* scratch = nullptr;
    cudaMalloc(&scratch, 1 << 20);
    for (int i = 0; i < 8192; ++i) {
        g_table[i] = scratch + (1 << 20) - i;
    }
    for (int k = 0; k < 31; ++k) {
        cudaMemcpyAsync(scratch, g_table, sizeof(g_table), cudaMemcpyHostToDevice, stream);
    }
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
