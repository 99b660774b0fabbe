// Would print, and never does.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void talkative(ROW_MEAN_ARGUMENTS) {
    if (gridDim.x != rows) {
        printf("%d blocks for %d rows\n", gridDim.x, rows);
    }
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    talkative<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
