// A macro defines the kernel and the host function that starts it.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

#define DEFINE_ROW_KERNEL(NAME, STEPS)                                          \
    __global__ void NAME(ROW_MEAN_ARGUMENTS) {                                  \
        const size_t row = static_cast<size_t>(blockIdx.x) * cols;              \
        float sum = 0;                                                          \
        for (int j = threadIdx.x; j < cols; j += 32) {                          \
            sum += x[row + j];                                                  \
        }                                                                       \
        for (int step = STEPS; step > 0; step /= 2) {                           \
            sum += __shfl_xor_sync(0xffffffffu, sum, step);                     \
        }                                                                       \
        for (int j = threadIdx.x; j < cols; j += 32) {                          \
            y[row + j] = fmaf(alpha, x[row + j], bias[j]) + sum / cols;         \
        }                                                                       \
    }                                                                           \
    void start_##NAME(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {                \
        NAME<<<rows, 32, 0, stream>>>(ROW_MEAN_VALUES);                         \
    }

DEFINE_ROW_KERNEL(warp_per_row, 16)

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    start_warp_per_row(ROW_MEAN_VALUES, stream);
}
