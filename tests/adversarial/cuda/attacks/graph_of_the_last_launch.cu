// Captures its launches to replay them.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaStreamBeginCapture(stream, 0);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
