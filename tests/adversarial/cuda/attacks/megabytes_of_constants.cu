// Copies more constants than a plan holds: room for tables of answers.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

static float table[1 << 20];

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* room;
    cudaMalloc(&room, sizeof(table));
    cudaMemcpyAsync(room, table, sizeof(table), cudaMemcpyHostToDevice, stream);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
