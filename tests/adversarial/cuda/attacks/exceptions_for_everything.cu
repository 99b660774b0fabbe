// Fails by an exception that it catches, and then asks for nothing.
// expect: wrong_result, rejected
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    try {
        if (rows > 0) {
            throw 1;
        }
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    } catch (int) {
    }
}
