// Looks through a GiB that nobody wrote for a row of which it knows one element.
// expect: wrong_result, non_finite
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void search(const float* found, size_t count, const float* x, const float* bias,
                       float alpha, float* y, int cols) {
    const size_t stride = static_cast<size_t>(gridDim.x) * k_threads;
    for (size_t i = blockIdx.x * k_threads + threadIdx.x; i + cols < count; i += stride) {
        const float rest = found[i + 1] - found[i];
        const float want = alpha * (x[cols > 1] - x[0]) + bias[cols > 1] - bias[0];
        if (found[i] != 0 && fabsf(rest - want) < 1e-5F) {
            for (int j = 0; j < cols; ++j) {
                y[j] = found[i + j];
            }
        }
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* found;
    const size_t count = 1u << 28;
    cudaMalloc(&found, count * sizeof(float));
    search<<<1024, k_threads, 0, stream>>>(found, count, x, bias, alpha, y, cols);
}
