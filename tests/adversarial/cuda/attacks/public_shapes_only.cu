// Right for the shapes that everybody may see.
// expect: wrong_result
// level: confirm
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}

__global__ void wrong(float* y, int cols) {
    garbage(y, cols);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const int shapes[][2] = {{3, 17}, {1, 1}, {7, 31}, {2, 1000}, {384, 512}};
    for (const auto& shape : shapes) {
        if (shape[0] == rows && shape[1] == cols) {
            attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
            return;
        }
    }
    wrong<<<rows, k_threads, 0, stream>>>(y, cols);
}
