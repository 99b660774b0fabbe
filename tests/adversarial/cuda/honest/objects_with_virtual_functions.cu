// A policy behind a virtual function, made on the device.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

struct Shift {
    __device__ virtual float of(float value) const = 0;
};
struct Affine final : Shift {
    __device__ Affine(float a, float b) : scale(a), offset(b) {}
    __device__ float of(float value) const override { return scale * value + offset; }
    float scale, offset;
};

__global__ void with_policy(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += x[row + j];
    }
    const Affine affine(alpha, block_sum(sum) / cols);
    const Shift& shift = affine;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = shift.of(x[row + j]) + bias[j];
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    with_policy<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
